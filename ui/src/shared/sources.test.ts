import { parse } from "svelte/compiler";
import { describe, expect, it } from "vitest";
import type { Key } from "./i18n";
import { en } from "./i18n/en";
import { ru } from "./i18n/ru";
import { shortcuts } from "./shortcuts";
import tokens from "./tokens.css?raw";

/** Every source file of the interface by its path, but for the catalogues themselves. */
const sources = Object.entries(
  import.meta.glob<string>(
    ["../**/*.{svelte,ts}", "!../**/*.test.ts", "!./i18n/{en,ru}{,.settings}.ts", "!../dev/*"],
    {
      query: "?raw",
      import: "default",
      eager: true,
    },
  ),
);
/** What is said outside the windows stands in the same catalogues. */
const shell = import.meta.glob<string>("../../../src-tauri/src/**/*.rs", {
  query: "?raw",
  import: "default",
  eager: true,
});
const everything = [...sources.map(([, text]) => text), ...Object.values(shell)].join("\n");

describe("the catalogue", () => {
  /** Names that are put together, as `call.${phase}` is, from the names in these generated types. */
  const joined = (prefix: string, type: string) => {
    const [, text = ""] = sources.find(([path]) => path.endsWith(`/bindings/${type}.ts`)) ?? [];
    return [...text.matchAll(/"(\w+)"/g)].flatMap(([, name = ""]) => [
      `${prefix}.${name}`,
      `${prefix}.${name}Hint`,
    ]);
  };
  const assembled = new Set([
    ...joined("call", "Phase"),
    ...joined("call", "ConnectionQuality"),
    ...joined("ended", "EndedReason"),
    ...["camera", "microphone", "speaker"].flatMap((kind) => joined(`trouble.${kind}`, "DeviceCause")),
    ...joined("network.trust", "ServerTrust"),
    ...["checking", "good", "unstable", "poor"].map((connection) => `before.${connection}`),
    ...Object.keys(shortcuts).map((name) => `keys.${name}`),
  ]);

  it("holds nothing that is not used", () => {
    const used = (key: string) => everything.includes(`"${key}"`) || assembled.has(key);
    expect(Object.keys(en).filter((key) => !used(key))).toEqual([]);
  });
});

describe("words", () => {
  /** What a person reads or hears, among an element's attributes. */
  const spoken =
    /^(aria-(label|description|roledescription|valuetext)|alt|placeholder|title|label|caption|text|legend|hint)$/;
  /** A letter, or what is put together of several. */
  const word = /\p{L}/u;

  /** Every text in a component's markup that stands there itself instead of coming from the catalogue. */
  function hardCoded(source: string): string[] {
    const found: string[] = [];
    const look = (node: unknown, attribute: string | null): void => {
      if (Array.isArray(node)) {
        node.forEach((part) => {
          look(part, attribute);
        });
        return;
      }
      if (node === null || typeof node !== "object" || !("type" in node)) return;
      const part = node as { type: string; name?: string; data?: string; value?: unknown };
      if (part.type.endsWith("Directive")) return;
      if (part.type === "Comment" || part.type === "Script" || part.type === "StyleSheet") return;
      if (part.type === "Attribute") {
        look(part.value, part.name ?? "");
        return;
      }
      const seen = attribute === null || spoken.test(attribute);
      if (part.type === "Text" && seen && word.test(part.data ?? "")) found.push(part.data?.trim() ?? "");
      // Within braces, a sentence is what has a space or begins with a capital letter.
      if (part.type === "Literal" && seen && typeof part.value === "string") {
        if (/\p{L}.* |^\p{Lu}\p{Ll}|[а-яё]/u.test(part.value)) found.push(part.value);
      }
      for (const [key, inner] of Object.entries(part)) {
        // What an action or a condition is told is not read by anyone.
        if (key !== "parent" && key !== "test" && key !== "arguments" && key !== "metadata")
          look(inner, attribute);
      }
    };
    look(parse(source, { modern: true }).fragment, null);
    return found;
  }

  it("come from the catalogue", () => {
    const components = sources.filter(([path]) => path.endsWith(".svelte"));
    expect(components.length).toBeGreaterThan(30);
    expect(
      components.map(([path, text]) => [path, hardCoded(text)]).filter(([, found]) => found?.length),
    ).toEqual([]);
  });

  it("would be found if they did not", () => {
    const component = `<script>let name = "Ann";</script>
      <p class="red">Hello</p><button aria-label="Close it" data-action="close">{t("home.add")}</button>
      <i title={on ? "Turn it off" : t("x")}>{"Привет"}</i>`;
    expect(hardCoded(component)).toEqual(["Hello", "Close it", "Turn it off", "Привет"]);
  });

  it("are there in both languages, with the same gaps", () => {
    const gaps = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([gap]) => gap).sort();
    for (const key of Object.keys(en) as Key[]) {
      expect([key, ru[key] !== "", gaps(ru[key])]).toEqual([key, true, gaps(en[key])]);
    }
    expect(Object.keys(ru).sort()).toEqual(Object.keys(en).sort());
  });

  it("are Russian in the Russian catalogue, but for names and units", () => {
    const same = ["about.name", "appearance.english", "appearance.russian"];
    const kept = (Object.keys(en) as Key[]).filter((key) => word.test(en[key]) && en[key] === ru[key]);
    expect(
      kept.filter((key) => !same.includes(key) && /\p{L}/u.test(en[key].replace(/\{\w+\}/g, ""))),
    ).toEqual([]);
  });
});

describe("colours", () => {
  it("stand in tokens.css and hues.css only", () => {
    const styles = sources
      .filter(([path]) => path.endsWith(".svelte"))
      .map(([path, text]) => [path, text.slice(text.indexOf("<style>"))] as const);
    const literal = styles.filter(([, style]) => /#[0-9a-f]{3,8}\b|rgb\(/i.test(style));
    expect(literal.map(([path]) => path)).toEqual([]);
  });

  const token = (name: string) => new RegExp(`--${name}: ([^;]+);`).exec(tokens)?.[1] ?? "";
  const channels = (text: string) =>
    text.startsWith("#")
      ? [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16))
      : text.slice(4).split(" ").slice(0, 3).map(Number);
  const luminance = (colour: number[]) => {
    const [r = 0, g = 0, b = 0] = colour.map((value) => {
      const part = value / 255;
      return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one: number[], other: number[]) => {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  it.each(["over-text", "over-warning", "over-danger", "over-accent"])(
    "%s can be read over a white picture",
    (name) => {
      const over = token("over");
      const share = Number(/\/ (\d+)%/.exec(over)?.[1]) / 100;
      const behind = channels(over).map((value) => value * share + 255 * (1 - share));
      expect(contrast(channels(token(name)), behind)).toBeGreaterThan(4.5);
    },
  );
});
