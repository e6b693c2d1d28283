import type { CallView } from "../bindings/CallView";
import type { EndedReason } from "../bindings/EndedReason";
import { t } from "../shared/i18n";

/** What happened, in words. */
export function endedTitle(reason: EndedReason, name: string): string {
  switch (reason) {
    case "remoteHungUp":
    case "declined":
    case "busy":
    case "offline":
    case "remoteGone":
      return t(`ended.${reason}`, { name });
    default:
      return t(`ended.${reason}`);
  }
}

/** What can be done about it, where there is something. */
export function endedHint(reason: EndedReason): string {
  switch (reason) {
    case "accessDenied":
    case "busy":
    case "connectionFailed":
    case "noRelay":
    case "offline":
    case "refused":
    case "remoteGone":
    case "serverUnreachable":
      return t(`ended.${reason}Hint`);
    default:
      return "";
  }
}

/** Whether calling again makes sense. */
export function canCallAgain(reason: EndedReason): boolean {
  return !["accessDenied", "answeredElsewhere", "declinedElsewhere", "declinedHere"].includes(reason);
}

/** How long the two were connected, in milliseconds; null when they never were. */
export function talkTime(call: CallView): number | null {
  if (call.connectedAtMs === null || call.endedAtMs === null) return null;
  return call.endedAtMs - call.connectedAtMs;
}
