import { convertFileSrc } from "@tauri-apps/api/core";

/** Where the shell gives a person's picture; null where they show none. Another picture has another address. */
export function pictureOf(userId: string, avatar: string | null): string | null {
  // The stories and the tests of components have no shell.
  if (avatar === null || !("__TAURI_INTERNALS__" in window)) return null;
  return convertFileSrc(`${userId}/${avatar}`, "picture");
}
