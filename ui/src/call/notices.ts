import type { CallView } from "../bindings/CallView";
import type { DeviceChange } from "../bindings/DeviceChange";
import type { NoticeKind } from "../bindings/NoticeKind";
import { currentLanguage, t, type Key } from "../shared/i18n";

const trouble = {
  camera: "notice.camera",
  microphone: "notice.microphone",
  speaker: "notice.speaker",
} as const satisfies Record<NoticeKind, Key>;

const appeared = {
  camera: "devices.new.camera",
  microphone: "devices.new.microphone",
  speaker: "devices.new.speaker",
  headset: "devices.new.headset",
} as const satisfies Record<NoticeKind | "headset", Key>;

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

/** What has become of a device, in a sentence. */
export function toastText(what: DeviceChange): string {
  switch (what.kind) {
    case "appeared": {
      const [only, another] = what.uses;
      const kind = another === undefined && only !== undefined ? only.device : "headset";
      return t(appeared[kind], { name: what.name });
    }
    case "gone":
      return what.using === null
        ? t("devices.gone", { name: what.name })
        : t("devices.replaced", { name: what.name, using: what.using });
    case "refused":
      return currentLanguage() === "en" ? what.message : t(trouble[what.device]);
  }
}
