import { en } from "./en";
import { current } from "./language.svelte";
import { ru } from "./ru";

/** The name of a string. */
export type Key = keyof typeof en;
/** A language's strings: all of them, or it does not compile. */
export type Catalogue = Record<Key, string>;

/** The names between braces in a string, so that none can be forgotten. */
type Parameters<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Parameters<Rest>
  : never;
type Values<K extends Key> = [Parameters<(typeof en)[K]>] extends [never]
  ? []
  : [values: Record<Parameters<(typeof en)[K]>, string>];

/** The name of a string without gaps. */
export type PlainKey = { [K in Key]: Values<K> extends [] ? K : never }[Key];

const catalogues: Record<string, Catalogue> = { en, ru };

/** The language that is used: the first of the system's that there is, or English. */
export function pickLanguage(wanted: readonly string[]): string {
  for (const language of wanted) {
    const short = language.toLowerCase().split("-")[0] ?? "";
    if (short in catalogues) return short;
  }
  return "en";
}

/** What the system speaks, best first: the shell writes it into the page's address where the web view does not know it. */
export function spokenLanguages(hash: string): readonly string[] {
  const spoken = hash.slice(1);
  return spoken === "" ? navigator.languages : spoken.split(",");
}

const system = pickLanguage(spokenLanguages(location.hash));
current.language = system;

/** Uses another language from now on, or again the system's; everything that is shown follows. */
export function setLanguage(wanted: string): void {
  current.language = wanted === "system" ? system : pickLanguage([wanted]);
  document.documentElement.lang = current.language;
}

/** In Russian no line ends with a word of one or two letters, nor begins with a dash. */
const unbroken = (text: string) =>
  text.replace(/(?<![\p{L}\p{N}])(\p{L}{1,2}) (?=\p{L})/gu, "$1\u00a0").replace(/ –/g, "\u00a0–");

/** The string of this name in the person's language, its gaps filled. */
export function t<K extends Key>(key: K, ...values: Values<K>): string {
  const written: string = (catalogues[current.language] ?? en)[key];
  const text = current.language === "ru" ? unbroken(written) : written;
  const filled: Record<string, string> = values[0] ?? {};
  return text.replace(/\{(\w+)\}/g, (gap, name: string) => filled[name] ?? gap);
}

/** The language that is used, as a tag of two letters. */
export function currentLanguage(): string {
  return current.language;
}
