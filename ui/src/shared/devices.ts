import type { DeviceCause } from "../bindings/DeviceCause";
import type { DeviceProblem } from "../bindings/DeviceProblem";
import type { DevicesView } from "../bindings/DevicesView";
import type { NoticeKind } from "../bindings/NoticeKind";
import { t, type Key } from "./i18n";

/** What devices of a kind are called. */
export const deviceNoun = {
  camera: "devices.camera",
  microphone: "devices.microphone",
  speaker: "devices.speaker",
} as const satisfies Record<NoticeKind, Key>;

/** What there is to choose from, headed by what the system takes by default; empty where there is nothing. */
export function deviceChoices(devices: DevicesView, kind: NoticeKind): { id: string | null; name: string }[] {
  const { default: first, devices: all, chosen } = devices[kind];
  if (first === null) return [];
  // One that was chosen and is not there at the moment stays chosen.
  const absent = chosen !== null && !all.some(({ id }) => id === chosen);
  return [
    { id: null, name: t("devices.default", { name: first }) },
    ...all,
    ...(absent ? [{ id: chosen, name: t("devices.absent", { name: chosen }) }] : []),
  ];
}

/** Where it can ring besides the speaker of calls, headed by nowhere. */
export function otherSpeakers(
  { speaker }: DevicesView,
  chosen: string | null,
): { value: string | null; name: string }[] {
  const all = speaker.devices.map(({ id, name }) => ({ value: id, name }));
  const absent = chosen !== null && !all.some(({ value }) => value === chosen);
  return [
    { value: null, name: t("alerts.noSecondSpeaker") },
    ...all,
    ...(absent ? [{ value: chosen, name: t("devices.absent", { name: chosen }) }] : []),
  ];
}

/** Whether the system's own settings are where this is put right. */
export function mayBeAllowed(cause: DeviceCause): boolean {
  return cause === "denied" || cause === "other";
}

/** Why a device cannot be used, and what to do about it. */
export function deviceTrouble(kind: NoticeKind, { cause }: DeviceProblem): string {
  return t(`trouble.${kind}.${cause}`);
}
