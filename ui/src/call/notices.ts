import type { CallView } from "../bindings/CallView";
import type { NoticeKind } from "../bindings/NoticeKind";
import { currentLanguage, t, type Key } from "../shared/i18n";

const trouble = {
  camera: "notice.camera",
  microphone: "notice.microphone",
  speaker: "notice.speaker",
} as const satisfies Record<NoticeKind, Key>;

/** What to tell the person while the call goes on, most important first. */
export function callNotices(call: CallView): string[] {
  return [
    ...(call.serverReachable ? [] : [t("call.serverUnreachable")]),
    // The devices' own sentences say more, but only in English.
    ...call.notices.map(({ kind, message }) => (currentLanguage() === "en" ? message : t(trouble[kind]))),
  ];
}
