import type { CallView } from "../bindings/CallView";
import type { DeviceChange } from "../bindings/DeviceChange";
import type { NoticeKind } from "../bindings/NoticeKind";
import { deviceTrouble, mayBeAllowed } from "../shared/devices";
import { currentLanguage, t, type Key } from "../shared/i18n";

/** What a device that does not work means to the person. */
const consequence = {
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
  /** The system's own settings may help with this device. */
  settings: NoticeKind | null;
}

/** What to tell the person while the call goes on, most important first. */
export function callNotices(call: CallView, pictureLost: boolean): CallNotice[] {
  const say = (about: CallNotice["about"], text: string): CallNotice => ({ about, text, settings: null });
  // Where media is lost as well nothing continues.
  const quiet = call.serverReachable || call.phase.kind === "reconnecting";
  return [
    ...(quiet ? [] : [say("server", t("call.serverUnreachable"))]),
    ...(pictureLost ? [say("picture", t("call.pictureLost"))] : []),
    ...(call.microphoneHint === "hearsNothing" ? [say("hearsNothing", t("notice.hearsNothing"))] : []),
    ...call.notices.map(({ kind, cause }) => ({
      about: kind,
      text: `${t(consequence[kind])} ${deviceTrouble(kind, { cause })}`,
      settings: mayBeAllowed(cause) ? kind : null,
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
      return currentLanguage() === "en" ? what.message : t(`trouble.${what.device}.other`);
  }
}
