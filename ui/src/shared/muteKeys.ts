/** Whether a key only changes what others do. */
const isModifier = (code: string) => /^(Control|Alt|Shift|Meta|OS)/.test(code);

/** A key press as the application knows keys, by their places: `Control+Alt+KeyM`; null while it is none to be heard anywhere. */
export function keysOf(
  event: Pick<KeyboardEvent, "code" | "ctrlKey" | "altKey" | "shiftKey" | "metaKey">,
): string | null {
  if (isModifier(event.code)) return null;
  const { ctrlKey, altKey, shiftKey, metaKey } = event;
  // A key that is typed with would be lost to every other program.
  if (!(ctrlKey || altKey || metaKey || /^F\d+$/.test(event.code))) return null;
  const modifiers = [ctrlKey && "Control", altKey && "Alt", shiftKey && "Shift", metaKey && "Super"];
  return [...modifiers.filter((name) => name !== false), event.code].join("+");
}

const signs: Record<string, string> = { Control: "⌃", Alt: "⌥", Shift: "⇧", Super: "⌘" };

/** What stands on these keys: `Ctrl+Alt+M`, or `⌃⌥M` on a Mac. */
export function shownKeys(keys: string, mac = navigator.userAgent.includes("Mac")): string {
  const names = keys.split("+").map((key) => key.replace(/^(Key|Digit)/, ""));
  if (mac) return names.map((name) => signs[name] ?? name).join("");
  return names.map((name) => (name === "Control" ? "Ctrl" : name)).join("+");
}
