import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { beforeEach, describe, expect, it, vi } from "vitest";
import App from "../App.svelte";
import type { AppView } from "../bindings/AppView";
import type { OpenMedia } from "../call/media/session";
import { callView, home, idle, noMedia, voice } from "../dev/fixtures";
import type { Actions } from "../shared/actions";
import { setLanguage } from "../shared/i18n";

const openMedia: OpenMedia = () => noMedia;
const inCall = home(callView({ kind: "connected" }));

function show(current: AppView, actions: Partial<Actions> = {}) {
  return render(App, { views: { current }, actions: { ...idle, ...actions }, openMedia });
}

beforeEach(() => {
  setLanguage("en");
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe = () => undefined;
      disconnect = () => undefined;
    },
  );
  // What jsdom leaves out.
  vi.stubGlobal("CSS", { escape: (text: string) => text });
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function () {
    this.open = false;
    this.dispatchEvent(new Event("close"));
  };
});

describe("the settings", () => {
  it("switch each part of the voice processing and leave the others alone", async () => {
    const setVoice = vi.fn().mockResolvedValue(undefined);
    show(home(), { setVoice });
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Settings" }));
    expect(screen.getByRole<HTMLInputElement>("radio", { name: "Standard" }).checked).toBe(true);
    await user.click(screen.getByRole("switch", { name: "Echo cancellation" }));
    await user.click(screen.getByRole("switch", { name: "Automatic volume" }));
    await user.click(screen.getByRole("radio", { name: "Strong" }));
    expect(setVoice.mock.calls).toEqual([
      [{ ...voice, echoCancellation: false }],
      [{ ...voice, automaticGain: false }],
      [{ ...voice, noiseSuppression: "strong" }],
    ]);
  });

  it("show what is so, with a name and an explanation in both languages", async () => {
    const changed = { echoCancellation: false, noiseSuppression: "off", automaticGain: true } as const;
    for (const [language, title, echo] of [
      ["en", "Settings", "Echo cancellation"],
      ["ru", "Настройки", "Подавление эха"],
    ] as const) {
      setLanguage(language);
      const { container, unmount } = show({ ...home(), voice: changed });
      window.dispatchEvent(new KeyboardEvent("keydown", { code: "Comma", ctrlKey: true }));
      await tick();
      expect(screen.getByRole("dialog", { name: title })).toBeTruthy();
      const button = screen.getByRole<HTMLInputElement>("switch", { name: echo });
      expect(button.checked).toBe(false);
      const hint = document.getElementById(button.getAttribute("aria-describedby") ?? "");
      expect(hint?.textContent).not.toBe("");
      expect(container.querySelector<HTMLInputElement>("[data-choice=noise] [value=off]")?.checked).toBe(
        true,
      );
      unmount();
    }
  });

  it("turn the pictures of the camera that is used", async () => {
    const setRotation = vi.fn().mockResolvedValue(undefined);
    const rotation = { camera: "usb webcam", rotation: "quarter" } as const;
    const turned = (current: AppView) => ({ ...current, devices: { ...current.devices, rotation } });
    const { rerender } = show(turned(home()), { setRotation });
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Settings" }));
    await user.click(screen.getByRole("tab", { name: "Video" }));
    expect(screen.getByRole<HTMLInputElement>("radio", { name: "90°" }).checked).toBe(true);
    await user.click(screen.getByRole("radio", { name: "270°" }));
    expect(setRotation).toHaveBeenCalledExactlyOnceWith("usb webcam", "threeQuarters");
    const without = { ...home(), devices: { ...home().devices, rotation: null } };
    await rerender({ views: { current: without } });
    expect(screen.getByRole("group", { name: "Rotate" })).toHaveProperty("disabled", true);
  });

  it("send calls only through a relay, and say beforehand where there is none", async () => {
    const setRelayOnly = vi.fn().mockResolvedValue(undefined);
    const without = (more: Partial<Parameters<typeof home>[1]>, relayOnly: boolean) => ({
      ...home(null, { hasRelay: false, ...more }),
      relayOnly,
    });
    const { rerender } = show(without({}, false), { setRelayOnly });
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Settings" }));
    await user.click(screen.getByRole("tab", { name: "Network and server" }));
    await user.click(screen.getByRole("switch", { name: "Only through a relay" }));
    expect(setRelayOnly).toHaveBeenCalledExactlyOnceWith(true);
    expect(screen.queryByRole("alert")).toBeNull();
    await rerender({ views: { current: without({}, true) } });
    expect(screen.getByRole("alert").textContent).toContain("offers no relay");
    // Nobody knows yet what a server offers that has not answered.
    await rerender({ views: { current: without({ connection: "unreachable" }, true) } });
    expect(screen.queryByRole("alert")).toBeNull();
    await rerender({ views: { current: without({ hasRelay: true }, true) } });
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("say so when they cannot be kept", async () => {
    show(home(), { setVoice: () => Promise.reject(new Error("the disk is full")) });
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Settings" }));
    await user.click(screen.getByRole("radio", { name: "Off" }));
    await waitFor(() => {
      expect(screen.getByRole("alert").textContent).not.toBe("");
    });
  });

  it("give way to a call that rings", async () => {
    const shown = { actions: idle, openMedia };
    const { rerender } = render(App, { ...shown, views: { current: home() } });
    await userEvent.setup().click(screen.getByRole("button", { name: "Settings" }));
    const rings = home(callView({ kind: "incoming" }, { direction: "incoming" }));
    await rerender({ ...shown, views: { current: rings } });
    expect(screen.queryByRole("dialog")).toBeNull();
    window.dispatchEvent(new KeyboardEvent("keydown", { code: "Comma", ctrlKey: true }));
    await tick();
    expect(screen.queryByRole("dialog")).toBeNull();
  });
});

describe("the video page", () => {
  it("asks for Full HD", async () => {
    const setFullHd = vi.fn().mockResolvedValue(undefined);
    show(home(), { setFullHd });
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Settings" }));
    await user.click(screen.getByRole("tab", { name: "Video" }));
    const full = screen.getByRole("switch", { name: "Send video in Full HD" });
    expect(full).toHaveProperty("checked", false);
    await user.click(full);
    expect(setFullHd).toHaveBeenCalledExactlyOnceWith(true);
  });
});

describe("the microphone's menu", () => {
  it("chooses the noise suppression by keyboard, and goes with Escape", async () => {
    const setVoice = vi.fn().mockResolvedValue(undefined);
    show(inCall, { setVoice });
    const user = userEvent.setup();
    const opener = screen.getByRole("button", { name: "Microphone and speaker" });
    expect(opener.getAttribute("aria-expanded")).toBe("false");
    opener.focus();
    await user.keyboard("{Enter}");
    expect(document.activeElement).toHaveProperty("checked", true);
    await user.tab(); // From the microphones to the speakers, to the test sound, and on.
    await user.tab();
    await user.tab();
    expect(document.activeElement).toBe(screen.getByRole("radio", { name: "Standard" }));
    await user.keyboard("{ArrowRight}");
    expect(setVoice).toHaveBeenCalledExactlyOnceWith({ ...voice, noiseSuppression: "strong" });
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("radio")).toBeNull();
    expect(document.activeElement).toBe(opener);
  });

  it("lets keys of the call act while it is open", async () => {
    const setMicrophoneMuted = vi.fn().mockResolvedValue(undefined);
    show(inCall, { setMicrophoneMuted });
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Microphone and speaker" }));
    await user.keyboard("m");
    expect(setMicrophoneMuted).toHaveBeenCalledExactlyOnceWith(true);
  });

  it("closes by a press beside it, and leads to the settings", async () => {
    show(inCall);
    const user = userEvent.setup();
    const opener = screen.getByRole("button", { name: "Microphone and speaker" });
    await user.click(opener);
    await user.click(document.body);
    expect(screen.queryByRole("radio")).toBeNull();
    await user.click(opener);
    await user.click(screen.getByText("Audio settings…"));
    expect(screen.getByRole("dialog", { name: "Settings" })).toBeTruthy();
  });
});
