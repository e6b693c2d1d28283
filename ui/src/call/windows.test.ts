import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import App from "../App.svelte";
import type { ShownCall } from "../bindings/ShownCall";
import { callView, desk, home, idle, noMedia } from "../dev/fixtures";
import { setLanguage } from "../shared/i18n";
import type { MediaEvents, OpenMedia } from "./media/session";
import RingingWindow from "./RingingWindow.svelte";
import SmallWindow from "./SmallWindow.svelte";

const paintsNothing: OpenMedia = () => noMedia;

const rings = (camera: boolean): ShownCall => ({
  call: callView({ kind: "incoming" }, { direction: "incoming", remote: { microphone: true, camera } }),
  service: false,
  avatar: null,
});

/** Lets so many milliseconds pass for whoever asks how late it is. */
function pass(milliseconds: number): void {
  const now = performance.now() + milliseconds;
  vi.spyOn(performance, "now").mockReturnValue(now);
}

beforeEach(() => {
  setLanguage("en");
});

describe("the ringing window", () => {
  const actions = () => ({
    acceptCall: vi.fn().mockResolvedValue(undefined),
    declineCall: vi.fn().mockResolvedValue(undefined),
    dismissRinging: vi.fn().mockResolvedValue(undefined),
  });

  it("answers, declines and goes away by its buttons", async () => {
    const does = actions();
    render(RingingWindow, { calls: { current: rings(true) }, actions: does });
    expect(screen.getByText("Incoming video call")).toBeTruthy();
    const user = userEvent.setup();
    for (const name of ["Answer", "Answer without video", "Decline", /Close without answering/]) {
      await user.click(screen.getByRole("button", { name }));
    }
    expect(does.acceptCall.mock.calls).toEqual([[true], [false]]);
    expect(does.declineCall).toHaveBeenCalledTimes(1);
    expect(does.dismissRinging).toHaveBeenCalledTimes(1);
  });

  it("takes keys only when they can have been meant for it", async () => {
    const does = actions();
    render(RingingWindow, { calls: { current: rings(true) }, actions: does });
    const user = userEvent.setup();
    await user.keyboard("{Enter}{Escape}");
    expect(does.acceptCall).not.toHaveBeenCalled();
    expect(does.declineCall).not.toHaveBeenCalled();
    pass(1000);
    await user.keyboard("{Enter}{Shift>}{Enter}{/Shift}{Escape}");
    expect(does.acceptCall.mock.calls).toEqual([[true], [false]]);
    expect(does.declineCall).toHaveBeenCalledTimes(1);
    window.dispatchEvent(new Event("focus"));
    await user.keyboard("{Escape}");
    expect(does.declineCall).toHaveBeenCalledTimes(1);
  });

  it("offers no video where there is none", () => {
    render(RingingWindow, { calls: { current: rings(false) }, actions: actions() });
    expect(screen.getByText("Incoming call")).toBeTruthy();
    expect(screen.queryByText("Answer without video")).toBeNull();
  });

  it("says why a call could not be answered", async () => {
    const does = { ...actions(), acceptCall: vi.fn().mockRejectedValue({ code: "other", message: "" }) };
    render(RingingWindow, { calls: { current: rings(true) }, actions: does });
    await userEvent.setup().click(screen.getByRole("button", { name: "Answer" }));
    await waitFor(() => {
      expect(screen.getByText(/did not work/)).toBeTruthy();
    });
  });
});

it("a call that rings in a window of its own is not shown in the main one", () => {
  const view = home(rings(true).call);
  const elsewhere = { ...view, desk: { ...desk, call: "ringingWindow" as const } };
  const { container } = render(App, {
    views: { current: elsewhere },
    actions: idle,
    openMedia: paintsNothing,
  });
  expect(container.querySelector("[data-phase]")).toBeNull();
  expect(container.querySelector("[data-contact='Echo test']")).not.toBeNull();
});

it("the small window shows the picture while there is one, and mutes and ends", async () => {
  let events: MediaEvents | undefined;
  const media: OpenMedia = (_remote, own, heard) => {
    expect(own).toBeNull();
    events = heard;
    return noMedia;
  };
  const does = {
    setMicrophoneMuted: vi.fn().mockResolvedValue(undefined),
    endCall: vi.fn().mockResolvedValue(undefined),
    showMainWindow: vi.fn().mockResolvedValue(undefined),
  };
  const current: ShownCall = { call: callView({ kind: "connected" }), service: false, avatar: null };
  const { container } = render(SmallWindow, { calls: { current }, actions: does, openMedia: media });
  const hidden = () => container.querySelector("#remote")?.classList.contains("hidden");
  expect(hidden()).toBe(true);
  events?.picture("remote", 1280, 720);
  await waitFor(() => {
    expect(hidden()).toBe(false);
  });
  const user = userEvent.setup();
  await user.click(screen.getByRole("button", { name: "Mute the microphone" }));
  await user.click(screen.getByRole("button", { name: "End" }));
  await user.click(screen.getByRole("button", { name: "Open the call’s window" }));
  expect(does.setMicrophoneMuted.mock.calls).toEqual([[true]]);
  expect(does.endCall).toHaveBeenCalledTimes(1);
  expect(does.showMainWindow).toHaveBeenCalledTimes(1);
});

it("closing the window during a call is asked about", async () => {
  const closeWindow = vi.fn().mockResolvedValue(undefined);
  const stayOpen = vi.fn().mockResolvedValue(undefined);
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function () {
    this.open = false;
    this.dispatchEvent(new Event("close"));
  };
  const view = { ...home(callView({ kind: "connected" })), desk: { ...desk, asksToClose: true } };
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe = () => undefined;
      disconnect = () => undefined;
    },
  );
  render(App, {
    views: { current: view },
    actions: { ...idle, closeWindow, stayOpen },
    openMedia: paintsNothing,
  });
  const user = userEvent.setup();
  await user.click(screen.getByText("Keep the call"));
  await user.click(screen.getByText("End the call"));
  await user.click(screen.getByText("Stay here"));
  expect(closeWindow.mock.calls).toEqual([[true], [false]]);
  expect(stayOpen).toHaveBeenCalledTimes(1);
});
