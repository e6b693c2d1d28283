import type { StandIn } from "../bindings/StandIn";
import { t, type Key } from "./i18n";

const sentences = {
  camera: "notice.patternCamera",
  microphone: "notice.toneMicrophone",
  speaker: "notice.silentSpeaker",
} as const satisfies Record<StandIn, Key>;

/** Says that something artificial stands in for a device. */
export function standInSentence(kind: StandIn): string {
  return t(sentences[kind]);
}
