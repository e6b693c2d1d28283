import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import App from "../App.svelte";
import type { CallView } from "../bindings/CallView";
import { callView, home, idle, noMedia } from "../dev/fixtures";
import type { Actions } from "../shared/actions";
import { setLanguage } from "../shared/i18n";
import type { OpenMedia } from "./media/session";

const openMedia: OpenMedia = () => noMedia;

function connected(more: Partial<CallView>, actions: Partial<Actions> = {}) {
  const current = home(callView({ kind: "connected" }, more));
  return render(App, { views: { current }, actions: { ...idle, ...actions }, openMedia });
}

const muted = { microphone: false, camera: false };
const sound = { microphone: true, camera: false };

beforeEach(() => {
  setLanguage("en");
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe = () => undefined;
      disconnect = () => undefined;
    },
  );
});

describe("who speaks", () => {
  const marked = (container: HTMLElement) =>
    [".person", ".speaks", ".self"].map(
      (where) => container.querySelector<HTMLElement>(where)?.dataset["speaking"],
    );

  it.each([
    [{ local: false, remote: false }, ["false", "false", "false"]],
    [{ local: false, remote: true }, ["true", "true", "false"]],
    [{ local: true, remote: false }, ["false", "false", "true"]],
  ])("is marked at their picture and name: %o", (speaking, expected) => {
    const { container } = connected({ speaking, remote: sound });
    expect(marked(container)).toEqual(expected);
  });
});

describe("the microphone's hints", () => {
  it("say that nobody hears who speaks while muted, aloud as well", async () => {
    for (const [language, words] of [
      ["en", "You’re muted – press M or hold Space to talk"],
      ["ru", "удерживайте пробел"],
    ] as const) {
      setLanguage(language);
      const shown = (microphoneHint: CallView["microphoneHint"]) => ({
        views: { current: home(callView({ kind: "connected" }, { local: muted, microphoneHint })) },
        actions: idle,
        openMedia,
      });
      const { container, rerender, unmount } = render(App, shown(null));
      await rerender(shown("speaksWhileMuted"));
      expect(container.querySelector("[data-hint=muted]")?.textContent).toContain(words);
      await waitFor(() => {
        expect(screen.getByRole("status").textContent).toContain(words);
      });
      unmount();
    }
  });

  it("are not there when there is nothing to say", () => {
    const { container } = connected({ local: muted });
    expect(container.querySelector("[data-hint]")).toBeNull();
    expect(container.querySelector("[data-notice]")).toBeNull();
  });

  it("say that a microphone gives nothing, and what to do", () => {
    const { container } = connected({ microphoneHint: "hearsNothing" });
    expect(container.querySelector("[data-notice=hearsNothing]")?.textContent).toContain(
      "We can’t hear your microphone",
    );
  });
});

describe("holding Space", () => {
  const press = (type: string, target: EventTarget = window) =>
    target.dispatchEvent(new KeyboardEvent(type, { code: "Space", bubbles: true, cancelable: true }));

  it("unmutes for as long as it is held, or the window has the focus", () => {
    const setMicrophoneMuted = vi.fn().mockResolvedValue(undefined);
    connected({ local: muted }, { setMicrophoneMuted });
    press("keydown");
    press("keyup");
    press("keydown");
    window.dispatchEvent(new Event("blur"));
    press("keyup");
    expect(setMicrophoneMuted.mock.calls).toEqual([[false], [true], [false], [true]]);
  });

  it("does nothing where the microphone is on, or a control has the focus", () => {
    const setMicrophoneMuted = vi.fn().mockResolvedValue(undefined);
    const { unmount } = connected({}, { setMicrophoneMuted });
    press("keydown");
    press("keyup");
    unmount();
    connected({ local: muted }, { setMicrophoneMuted });
    press("keydown", screen.getByLabelText("Unmute the microphone (M)"));
    press("keyup");
    expect(setMicrophoneMuted).not.toHaveBeenCalled();
  });

  it("works after a control was clicked with the mouse", async () => {
    const setMicrophoneMuted = vi.fn().mockResolvedValue(undefined);
    connected({ local: muted }, { setMicrophoneMuted });
    await userEvent.setup().click(screen.getByLabelText("Turn the camera on (V)"));
    expect(document.activeElement).toBe(document.body);
    press("keydown", document.body);
    expect(setMicrophoneMuted).toHaveBeenCalledExactlyOnceWith(false);
  });
});
