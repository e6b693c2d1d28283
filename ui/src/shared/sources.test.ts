import { describe, expect, it } from "vitest";
import { en } from "./i18n/en";
import tokens from "./tokens.css?raw";

/** Every source file of the interface by its path, but for the catalogues themselves. */
const sources = Object.entries(
  import.meta.glob<string>(["../**/*.{svelte,ts}", "!../**/*.test.ts", "!./i18n/{en,ru}.ts", "!../dev/*"], {
    query: "?raw",
    import: "default",
    eager: true,
  }),
);
const everything = sources.map(([, text]) => text).join("\n");

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
  ]);

  it("holds nothing that is not used", () => {
    const used = (key: string) => everything.includes(`"${key}"`) || assembled.has(key);
    expect(Object.keys(en).filter((key) => !used(key))).toEqual([]);
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
