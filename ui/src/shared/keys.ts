/** A key press, told by the key's place on the keyboard, so that it works in every layout. */
export interface Shortcut {
  code: string;
  /** Ctrl, or ⌘ on a Mac. */
  command?: boolean;
  shift?: boolean;
}

/** What has to be known of a press. */
export type Press = Pick<
  KeyboardEvent,
  "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey" | "target" | "repeat"
>;

function takesText(target: EventTarget | null): boolean {
  const fields = "input:not([type=radio], [type=checkbox]), textarea, select";
  return target instanceof HTMLElement && (target.matches(fields) || target.isContentEditable);
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("button, a, input, textarea, select") !== null;
}

/**
 * Whether a press is this shortcut. Bare keys do not act in a text field; Enter, Space and Escape, which controls use
 * themselves, do not act while a control has the focus (Escape: while a text field has it). A key held down acts once.
 */
export function pressed(event: Press, { code, command = false, shift = false }: Shortcut): boolean {
  if (event.code !== code || event.repeat || event.altKey) return false;
  if ((event.ctrlKey || event.metaKey) !== command || event.shiftKey !== shift) return false;
  if (command) return true;
  if ((code === "Enter" || code === "Space") && isControl(event.target)) return false;
  return !takesText(event.target);
}
