import { pressed, type Press, type Shortcut } from "./keys";
import type { Key } from "./i18n";

/** What a key can do, in the order of the list that a person sees. Bare keys are told by their place on the keyboard. */
export const shortcuts = {
  microphone: [{ code: "KeyM" }, { code: "KeyD", command: true }],
  camera: [{ code: "KeyV" }, { code: "KeyE", command: true }],
  talk: [{ code: "Space" }],
  fullScreen: [{ code: "KeyF" }],
  end: [{ code: "KeyE", command: true, shift: true }],
  answer: [{ code: "Enter" }],
  answerWithoutVideo: [{ code: "Enter", shift: true }],
  decline: [{ code: "Escape" }],
  settings: [{ code: "Comma", command: true }],
  list: [{ code: "Slash", shift: true }],
} as const satisfies Record<string, readonly Shortcut[]>;

/** Something that keys do. */
export type ShortcutName = keyof typeof shortcuts;

/** The list's parts, each under a heading. */
export const shortcutGroups = [
  ["keys.inCall", ["microphone", "camera", "talk", "fullScreen", "end"]],
  ["keys.ringing", ["answer", "answerWithoutVideo", "decline"]],
  ["keys.anywhere", ["settings", "list"]],
] as const satisfies readonly (readonly [Key, readonly ShortcutName[]])[];

/** Whether this press does that. The question mark is elsewhere in some layouts, so its character counts as well. */
export function does(event: Press & { key: string }, name: ShortcutName): boolean {
  const asks = name === "list" && event.key === "?";
  return shortcuts[name].some((shortcut) =>
    pressed(event, asks ? { ...shortcut, code: event.code } : shortcut),
  );
}

const isMac = /Mac/.test(navigator.userAgent);

/** What stands on the keys, as the system writes it: `Ctrl+Shift+E`, or `⇧⌘E` on a Mac. */
export function keyName({ code, command = false, shift = false }: Shortcut, mac = isMac): string {
  if (code === "Slash") return "?";
  const name = { Comma: ",", Escape: "Esc" }[code] ?? code.replace(/^Key/, "");
  if (mac) return `${shift ? "⇧" : ""}${command ? "⌘" : ""}${name}`;
  return [command ? "Ctrl" : "", shift ? "Shift" : "", name].filter((part) => part !== "").join("+");
}
