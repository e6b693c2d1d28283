import type { CallView } from "../bindings/CallView";
import type { NoticeKind } from "../bindings/NoticeKind";
import { currentLanguage, t, type Key } from "../shared/i18n";

const trouble = {
  camera: "notice.camera",
  microphone: "notice.microphone",
  speaker: "notice.speaker",
} as const satisfies Record<NoticeKind, Key>;

/** A sentence, and what it is about. */
export interface CallNotice {
  about: NoticeKind | "server" | "picture" | "hearsNothing";
  text: string;
}

/** What to tell the person while the call goes on, most important first. */
export function callNotices(call: CallView, pictureLost: boolean): CallNotice[] {
  return [
    ...(call.serverReachable ? [] : [{ about: "server" as const, text: t("call.serverUnreachable") }]),
    ...(pictureLost ? [{ about: "picture" as const, text: t("call.pictureLost") }] : []),
    ...(call.microphoneHint === "hearsNothing"
      ? [{ about: "hearsNothing" as const, text: t("notice.hearsNothing") }]
      : []),
    // The devices' own sentences say more, but only in English.
    ...call.notices.map(({ kind, message }) => ({
      about: kind,
      text: currentLanguage() === "en" ? message : t(trouble[kind]),
    })),
  ];
}
