import { describe, expect, it } from "vitest";
import { errorSentence } from "./actions";
import { hue, HUES, initials } from "./avatar";
import { en } from "./i18n/en";
import { pickLanguage, setLanguage, spokenLanguages, t } from "./i18n";
import { home } from "../dev/fixtures";
import { ru } from "./i18n/ru";
import { pressed } from "./keys";
import { formatDuration } from "./time";
import { views } from "./views.svelte";

describe("strings", () => {
  it("are complete in both languages, with the same gaps", () => {
    expect(Object.keys(ru).sort()).toEqual(Object.keys(en).sort());
    const gaps = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    for (const key of Object.keys(en) as (keyof typeof en)[]) {
      expect(en[key]).not.toBe("");
      expect(ru[key]).not.toBe("");
      const allowed = gaps(en[key]);
      for (const gap of gaps(ru[key])) expect(allowed, key).toContain(gap);
    }
  });

  it("follow the system's language and fall back to English", () => {
    expect(pickLanguage(["ru-RU", "en"])).toBe("ru");
    expect(pickLanguage(["de-DE", "ru"])).toBe("ru");
    expect(pickLanguage(["de"])).toBe("en");
    expect(pickLanguage(spokenLanguages("#uk,ru,en"))).toBe("ru");
    expect(spokenLanguages("")).toBe(navigator.languages);
    setLanguage("ru");
    expect(t("home.search")).toBe("Поиск");
    setLanguage("en");
    expect(t("person.offlineText", { name: "$& {name}" })).toContain("$& {name} is offline");
  });
});

describe("sentences about what failed", () => {
  it("tell somebody who adds themselves so, and not that the name is no good", () => {
    const adding = { code: "own-name", message: "" };
    expect(errorSentence(adding)).toContain("your own name");
    setLanguage("ru");
    expect(errorSentence(adding)).toContain("собственное имя");
    setLanguage("en");
  });

  it("say something about what they do not know", () => {
    for (const error of [{ code: "unheard-of" }, new Error("nonsense"), null]) {
      expect(errorSentence(error)).toBe(en["error.other"]);
    }
  });
});

describe("avatars", () => {
  it("show the first letters of the first and the last word", () => {
    expect(initials("Anna Maria Lindqvist")).toBe("AL");
    expect(initials("дмитрий")).toBe("Д");
    expect(initials("  (( 7up ))")).toBe("7");
    expect(initials("🙂")).toBe("?");
  });

  it("keep their colour", () => {
    expect(hue("Anna")).toBe(hue("Anna"));
    expect(hue("Anna")).toBeLessThan(HUES);
  });
});

describe("shortcuts", () => {
  const press = (code: string, more: Partial<KeyboardEvent> = {}) => ({
    code,
    ctrlKey: false,
    metaKey: false,
    shiftKey: false,
    altKey: false,
    repeat: false,
    target: document.body,
    ...more,
  });

  it("go by the key's place and want exactly their modifiers", () => {
    expect(pressed(press("KeyM"), { code: "KeyM" })).toBe(true);
    expect(pressed(press("KeyM", { shiftKey: true }), { code: "KeyM" })).toBe(false);
    expect(pressed(press("KeyE", { ctrlKey: true, shiftKey: true }), { code: "KeyE", command: true })).toBe(
      false,
    );
    expect(pressed(press("KeyE", { metaKey: true }), { code: "KeyE", command: true })).toBe(true);
    expect(pressed(press("KeyM", { repeat: true }), { code: "KeyM" })).toBe(false);
  });

  it("leave text fields and focused controls alone", () => {
    const input = document.createElement("input");
    const button = document.createElement("button");
    expect(pressed(press("KeyM", { target: input }), { code: "KeyM" })).toBe(false);
    expect(pressed(press("KeyD", { target: input, ctrlKey: true }), { code: "KeyD", command: true })).toBe(
      true,
    );
    expect(pressed(press("Enter", { target: button }), { code: "Enter" })).toBe(false);
    expect(pressed(press("KeyM", { target: button }), { code: "KeyM" })).toBe(true);
  });
});

it("durations read like a clock", () => {
  expect(formatDuration(-5)).toBe("0:00");
  expect(formatDuration(7_400)).toBe("0:07");
  expect(formatDuration(754_000)).toBe("12:34");
  expect(formatDuration(3_723_000)).toBe("1:02:03");
});

it("a view that was overtaken is not shown", () => {
  views.take({ ...home(), revision: 5, screen: { kind: "waiting" } });
  views.take({ ...home(), revision: 4, screen: { kind: "starting" } });
  expect(views.current?.screen.kind).toBe("waiting");
});
