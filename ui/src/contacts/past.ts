import type { PastCall } from "../bindings/PastCall";
import { t } from "../shared/i18n";
import { formatDuration } from "../shared/time";

/** Whether somebody has called this person in vain. */
export function wasMissed(call: PastCall): boolean {
  return (
    call.direction === "incoming" && ["no-answer", "cancelled", "busy", "offline"].includes(call.outcome)
  );
}

/** How a call went, in a few words. */
export function pastLine(call: PastCall): string {
  if (wasMissed(call)) return t("ended.missed");
  switch (call.outcome) {
    case "completed":
      return formatDuration(call.durationSeconds * 1000);
    case "declined":
      return call.direction === "incoming" ? t("ended.declinedHere") : t("recent.declined");
    case "no-answer":
      return t("ended.noAnswer");
    case "cancelled":
      return t("ended.cancelled");
    case "busy":
      return t("recent.busy");
    case "offline":
      return t("recent.offline");
    case "failed":
      return t("ended.connectionFailed");
  }
}
