/** Up to two letters that stand for a name: the first of the first and of the last word. */
export function initials(name: string): string {
  const words = name.split(/[\s\-_.]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = [words[0], words.length > 1 ? words[words.length - 1] : undefined].flatMap((word) => {
    const letter = word?.match(/[\p{L}\p{N}]/u)?.[0];
    return letter === undefined ? [] : [letter];
  });
  return letters.length > 0 ? letters.join("").toLocaleUpperCase() : "?";
}

/** How many colours an avatar can have. */
export const HUES = 8;

/** The colour of a name, always the same one (FNV-1a). */
export function hue(name: string): number {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0) % HUES;
}
