import { fireEvent, render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { tick } from "svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import App from "./App.svelte";
import type { AppView } from "./bindings/AppView";
import type { Contact } from "./bindings/Contact";
import type { MediaEvents, OpenMedia } from "./call/media/session";
import { callView, contact, home, idle, noMedia, people, views } from "./dev/fixtures";
import type { Actions } from "./shared/actions";
import { setLanguage } from "./shared/i18n";

/** Paints nothing, but says that it does. */
const openMedia: OpenMedia = (_remote, _own, events) => {
  events.picture("remote", 1280, 720);
  events.picture("self", 384, 216);
  return noMedia;
};

function show(current: AppView, actions: Partial<Actions> = {}, initial: string | null = null) {
  return render(App, { views: { current }, actions: { ...idle, ...actions }, openMedia, initial });
}

/** Lets so many milliseconds pass for whoever asks how late it is. */
function pass(milliseconds: number): void {
  const now = performance.now() + milliseconds;
  vi.spyOn(performance, "now").mockReturnValue(now);
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
});

afterEach(() => {
  vi.useRealTimers();
});

it.each(Object.keys(views))("the screen %s renders in both languages", (name) => {
  const view = views[name];
  if (!view) throw new Error(name);
  for (const language of ["en", "ru"]) {
    setLanguage(language);
    const { container, unmount } = show(view);
    expect(container.textContent).not.toMatch(/undefined|null|\{|\[object/);
    for (const button of container.querySelectorAll("button")) {
      expect(button.getAttribute("aria-label") ?? button.textContent.trim()).not.toBe("");
    }
    unmount();
  }
});

describe("contacts", () => {
  it("are found by a part of their name", async () => {
    show(home());
    const user = userEvent.setup();
    await user.type(screen.getByRole("searchbox"), "lind");
    expect(screen.getAllByRole("listitem")).toHaveLength(1);
    await user.type(screen.getByRole("searchbox"), "xx");
    expect(screen.getByText(/No contact matches/)).toBeTruthy();
  });

  it("can be called when they are there", async () => {
    const placeCall = vi.fn().mockResolvedValue(undefined);
    show(home(), { placeCall });
    const user = userEvent.setup();
    await user.click(screen.getByLabelText("Video call to Anna Lindqvist"));
    await user.click(screen.getByLabelText("Audio call to Anna Lindqvist"));
    expect(placeCall.mock.calls).toEqual([
      ["chat-Anna Lindqvist", true],
      ["chat-Anna Lindqvist", false],
    ]);
    expect(screen.queryByLabelText("Video call to Mei Tanaka")).toBeNull();
  });

  it.each([
    ["connecting", "Connecting…"],
    ["unreachable", "Offline"],
  ] as const)("are not said to be there while the server is away: %s", async (connection, own) => {
    show(home(null, { connection }));
    for (const words of ["Online", "Always here"]) expect(screen.queryByText(words)).toBeNull();
    expect(screen.queryByLabelText("Video call to Anna Lindqvist")).toBeNull();
    expect(screen.queryByLabelText("What your contacts see")).toBeNull();
    expect(screen.getByText(own)).toBeTruthy();
    expect(document.querySelector(".dot")).toBeNull();
    await userEvent.setup().click(screen.getByText("Anna Lindqvist"));
    expect(screen.getByText("You can call once the server is back.")).toBeTruthy();
  });

  it("are not called by a check of the devices either while the server is away", async () => {
    const { rerender } = show(home());
    const user = userEvent.setup();
    await user.click(screen.getByText("Anna Lindqvist"));
    await user.click(screen.getByText("Check camera and sound first"));
    const start = () => screen.getByText<HTMLElement>("Start call").closest("button");
    expect(start()?.disabled).toBe(false);
    await rerender({ views: { current: home(null, { connection: "unreachable" }) } });
    expect(start()?.disabled).toBe(true);
    expect(screen.getByText("You can call once the server is back.")).toBeTruthy();
    await rerender({ views: { current: home() } });
    expect(start()?.disabled).toBe(false);
  });

  it("keep their places while the server is away", async () => {
    const { rerender } = show(home());
    const order = () => screen.getAllByRole("listitem").map((row) => row.dataset.contact);
    const before = order();
    await rerender({ views: { current: home(null, { connection: "unreachable" }) } });
    expect(order()).toEqual(before);
  });

  it("that cannot be called for another reason say why", async () => {
    const placeCall = vi.fn().mockRejectedValue({ code: "server-unreachable", message: "" });
    show(home(), { placeCall });
    await userEvent.setup().click(screen.getByLabelText("Video call to Anna Lindqvist"));
    await waitFor(() => {
      expect(screen.getAllByText(/cannot be reached/).length).toBeGreaterThan(0);
    });
  });

  it("are added by exact name", async () => {
    const addContact = vi
      .fn()
      .mockRejectedValueOnce({ code: "unknown-user", message: "" })
      .mockResolvedValue(people[1]);
    show(home(), { addContact });
    const user = userEvent.setup();
    await user.click(screen.getByLabelText("Add contact"));
    await user.keyboard("Zoe{Enter}");
    await waitFor(() => {
      expect(screen.getByRole("alert").textContent).toContain("Nobody here has this name");
    });
    await user.keyboard("{Enter}");
    await waitFor(() => {
      expect(screen.queryByLabelText("Name of the person")).toBeNull();
    });
    expect(addContact).toHaveBeenCalledTimes(2);
  });

  const shown = (status: Contact["status"], actions: Partial<Actions>) => {
    const person = contact("Zoe", { status, chatId: status === "contact" ? "chat-Zoe" : null });
    show(home(null, { contacts: [person] }), actions, "user-Zoe");
    return userEvent.setup();
  };

  it("that ask are accepted or declined", async () => {
    const acceptContact = vi.fn().mockRejectedValueOnce({ code: "no-such-request", message: "" });
    const declineContact = vi.fn().mockResolvedValue(undefined);
    const user = shown("incoming", { acceptContact, declineContact });
    await user.click(screen.getByText("Accept"));
    expect(acceptContact).toHaveBeenCalledExactlyOnceWith("user-Zoe");
    await waitFor(() => {
      expect(screen.getByRole("alert").textContent).toContain("not there any more");
    });
    await user.click(screen.getByText("Decline"));
    expect(declineContact).toHaveBeenCalledExactlyOnceWith("user-Zoe");
    await waitFor(() => {
      expect(screen.queryByRole("alert")).toBeNull();
    });
  });

  it("are removed and blocked after a question only", async () => {
    const removeContact = vi.fn().mockResolvedValue(undefined);
    const blockContact = vi.fn().mockResolvedValue(undefined);
    const user = shown("contact", { removeContact, blockContact });
    await user.click(screen.getByText("Remove"));
    await user.click(screen.getByText("Cancel"));
    await user.click(screen.getByText("Block"));
    expect(screen.getByText(/They are not told/)).toBeTruthy();
    expect(blockContact).not.toHaveBeenCalled();
    await user.click(screen.getByText("Block"));
    expect(blockContact).toHaveBeenCalledExactlyOnceWith("user-Zoe");
    expect(removeContact).not.toHaveBeenCalled();
  });

  it("that are blocked can be unblocked, and not called", async () => {
    const unblockContact = vi.fn().mockResolvedValue(undefined);
    const user = shown("blocked", { unblockContact });
    expect(screen.queryByLabelText("Video call to Zoe")).toBeNull();
    await user.click(screen.getByText("Unblock"));
    expect(unblockContact).toHaveBeenCalledExactlyOnceWith("user-Zoe");
  });

  it("see what the person says of themselves", async () => {
    const setStatus = vi.fn().mockResolvedValue(undefined);
    show(home(), { setStatus });
    await userEvent.setup().selectOptions(screen.getByLabelText("What your contacts see"), "Do not disturb");
    expect(setStatus).toHaveBeenCalledExactlyOnceWith("do-not-disturb");
  });

  it("are shown by the name that they show, and the one that is theirs alone beside it", async () => {
    const shown = contact("ann1987", { displayName: "Ann Lee" });
    const { container } = show(home(null, { contacts: [shown] }), {}, shown.userId);
    const row = container.querySelector('[data-contact="ann1987"]');
    expect(row?.textContent).toContain("Ann Lee");
    expect(screen.getByRole("heading", { level: 2 }).textContent).toBe("Ann Lee");
    expect(container.textContent).toContain("ann1987 · Online");
    await userEvent.type(screen.getByRole("searchbox"), "ann19");
    expect(container.querySelector('[data-contact="ann1987"]')).not.toBeNull();
  });

  it("say how they can be reached, and since when they cannot", () => {
    show(home());
    for (const words of ["In a call", "Away", "Do not disturb", "Last seen 5 minutes ago", "Blocked"]) {
      expect(screen.getByText(words, { selector: ".status" })).toBeTruthy();
    }
    expect(screen.getByLabelText("Video call to Fatima")).toBeTruthy();
  });

  it("are shown when they have been added, however their name was written", async () => {
    show(home(), { addContact: () => Promise.resolve(contact("Anna Lindqvist")) });
    const user = userEvent.setup();
    await user.click(screen.getByLabelText("Add contact"));
    await user.keyboard("anna LINDQVIST{Enter}");
    await waitFor(() => {
      expect(screen.getByRole("region", { name: "Anna Lindqvist" })).toBeTruthy();
    });
  });
});

describe("a call", () => {
  it("shows its statistics from the menu and puts them away again", async () => {
    show(home(callView({ kind: "connected" })));
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "More" }));
    await user.click(screen.getByRole("menuitem", { name: "Statistics" }));
    expect(screen.queryByRole("menuitem")).toBeNull();
    await waitFor(() => {
      expect(screen.getByText("Captured → converted")).toBeTruthy();
    });
    await user.click(screen.getByRole("button", { name: "Close the statistics" }));
    expect(screen.queryByText("Captured → converted")).toBeNull();
  });

  it("is answered and declined by mouse and by keyboard", async () => {
    const acceptCall = vi.fn().mockResolvedValue(undefined);
    const declineCall = vi.fn().mockResolvedValue(undefined);
    show(home(callView({ kind: "incoming" }, { direction: "incoming" })), { acceptCall, declineCall });
    const user = userEvent.setup();
    await user.click(screen.getByLabelText("Answer without video"));
    (document.activeElement as HTMLElement).blur();
    pass(1001);
    await user.keyboard("{Enter}");
    await user.keyboard("{Shift>}{Enter}{/Shift}");
    await user.keyboard("{Escape}");
    expect(acceptCall.mock.calls).toEqual([[false], [true], [false]]);
    expect(declineCall).toHaveBeenCalledTimes(1);
  });

  it("is not answered by what was typed when it came", async () => {
    const acceptCall = vi.fn().mockResolvedValue(undefined);
    const declineCall = vi.fn().mockResolvedValue(undefined);
    pass(0);
    show(home(callView({ kind: "incoming" }, { direction: "incoming" })), { acceptCall, declineCall });
    const user = userEvent.setup();
    pass(900);
    await user.keyboard("{Enter}{Escape}");
    expect(acceptCall).not.toHaveBeenCalled();
    expect(declineCall).not.toHaveBeenCalled();
    pass(101);
    await user.keyboard("{Enter}");
    expect(acceptCall).toHaveBeenCalledExactlyOnceWith(true);
  });

  it("is muted and ended by keys, whatever the layout", async () => {
    const setMicrophoneMuted = vi.fn().mockResolvedValue(undefined);
    const setCameraEnabled = vi.fn().mockResolvedValue(undefined);
    const endCall = vi.fn().mockResolvedValue(undefined);
    show(home(callView({ kind: "connected" })), { setMicrophoneMuted, setCameraEnabled, endCall });
    const press = (code: string, more: KeyboardEventInit = {}) => {
      window.dispatchEvent(new KeyboardEvent("keydown", { code, bubbles: true, ...more }));
    };
    press("KeyM", { key: "ь" });
    press("KeyD", { ctrlKey: true });
    press("KeyV", { key: "м" });
    press("KeyE", { ctrlKey: true });
    press("KeyE", { ctrlKey: true, shiftKey: true });
    expect(setMicrophoneMuted.mock.calls).toEqual([[true], [true]]);
    expect(setCameraEnabled.mock.calls).toEqual([[false], [false]]);
    expect(endCall).toHaveBeenCalledTimes(1);
    await waitFor(() => {
      expect(screen.getByRole("status").textContent).toContain("Camera off");
    });
  });

  it("offers what was plugged in, and says what has gone", async () => {
    const setDevice = vi.fn().mockResolvedValue(undefined);
    const view = views["toasts"];
    if (view === undefined) throw new Error("the story is gone");
    show(view, { setDevice });
    expect(screen.getByText("AirPods disconnected – using Built-in speakers")).toBeTruthy();
    expect(screen.getByText("New headset detected: USB Headset")).toBeTruthy();
    await userEvent.setup().click(screen.getByText("Use"));
    expect(setDevice.mock.calls).toEqual([
      ["microphone", "usb headset"],
      ["speaker", "usb headset"],
    ]);
    expect(screen.queryByText("Use")).toBeNull();
  });

  it("lets another device be chosen in a call", async () => {
    const setDevice = vi.fn().mockResolvedValue(undefined);
    show(home(callView({ kind: "connected" })), { setDevice });
    const user = userEvent.setup();
    await user.click(screen.getByRole("button", { name: "Microphone and speaker" }));
    expect(screen.getByLabelText<HTMLInputElement>("System default (Built-in microphone)").checked).toBe(
      true,
    );
    const [microphone, speaker] = screen.getAllByLabelText<HTMLInputElement>("USB Headset");
    expect(speaker?.checked).toBe(true);
    if (microphone) await user.click(microphone);
    await user.click(screen.getByLabelText("System default (Built-in speakers)"));
    expect(setDevice.mock.calls).toEqual([
      ["microphone", "usb headset"],
      ["speaker", null],
    ]);
    await user.keyboard("{Escape}");
    expect(screen.queryByText("System default (Built-in microphone)")).toBeNull();
  });

  it("offers only to cancel while it rings", async () => {
    const endCall = vi.fn().mockResolvedValue(undefined);
    show(home(callView({ kind: "ringing" })), { endCall });
    expect(screen.queryByLabelText(/Mute/)).toBeNull();
    await userEvent.setup().click(screen.getByLabelText("Cancel"));
    expect(endCall).toHaveBeenCalledTimes(1);
  });

  it("says what the other side has switched off", () => {
    const view = views["camera-off"];
    if (!view) throw new Error();
    show(view);
    expect(screen.getByText("Anna Lindqvist is muted")).toBeTruthy();
    expect(screen.getByText("Camera is off")).toBeTruthy();
  });

  it("says how the connection is, and lets the person have their pictures all the same", async () => {
    const setVideoKept = vi.fn().mockResolvedValue(undefined);
    for (const [language, unstable, poor, button] of [
      [
        "en",
        "Unstable connection",
        "Poor connection – video paused to keep the sound clear",
        "Turn video back on",
      ],
      [
        "ru",
        "Связь неустойчива",
        "Плохая связь: видео приостановлено ради чёткого звука",
        "Включить видео снова",
      ],
    ] as const) {
      setLanguage(language);
      const good = show(home(callView({ kind: "connected" })));
      expect(good.container.querySelector("[data-connection]")).toBeNull();
      good.unmount();
      const amber = show(home(callView({ kind: "connected" }, { connection: "unstable" })));
      expect(amber.container.querySelector("[data-connection=unstable]")?.textContent).toContain(unstable);
      expect(screen.queryByRole("button", { name: button })).toBeNull();
      amber.unmount();
      const local = { microphone: true, camera: true, videoPaused: true };
      const red = show(home(callView({ kind: "connected" }, { connection: "poor", local })), {
        setVideoKept,
      });
      expect(red.container.querySelector("[data-connection=poor]")?.textContent).toContain(poor);
      // The camera is on as far as the person is concerned, and they see themselves.
      expect(red.container.querySelector("[data-visible=true]")).not.toBeNull();
      await userEvent.setup().click(screen.getByRole("button", { name: button }));
      red.unmount();
    }
    expect(setVideoKept.mock.calls).toEqual([[true], [true]]);
  });

  it("says why there is no picture of somebody whose connection is poor", () => {
    const remote = { microphone: true, camera: false, videoPaused: true };
    const { container } = show(home(callView({ kind: "connected" }, { remote })));
    expect(container.textContent).toContain("Their connection is poor");
    expect(container.textContent).not.toContain("Camera is off");
  });

  it("says each state of a control once", () => {
    show(home(callView({ kind: "connected" }, { local: { microphone: false, camera: true } })));
    const button = screen.getByLabelText("Unmute the microphone (M)");
    expect(button.hasAttribute("aria-pressed")).toBe(false);
  });

  it("shows no stale picture when a camera comes back", async () => {
    const clear = vi.fn();
    let events: MediaEvents | undefined;
    const media: OpenMedia = (_remote, _own, heard) => {
      events = heard;
      return { ...noMedia, clear };
    };
    const view = (camera: boolean) => ({
      current: home(
        callView(
          { kind: "connected" },
          { local: { microphone: true, camera }, remote: { microphone: true, camera } },
        ),
      ),
    });
    const shown = { views: view(true), actions: idle, openMedia: media };
    const { container, rerender } = render(App, shown);
    const visible = () => [
      container.querySelector(".self")?.getAttribute("data-visible"),
      container.querySelector("#remote")?.classList.contains("hidden"),
    ];
    const paint = () => {
      events?.picture("remote", 1280, 720);
      events?.picture("self", 384, 216);
    };
    paint();
    await tick();
    expect(visible()).toEqual(["true", false]);
    clear.mockClear();
    await rerender({ ...shown, views: view(false) });
    expect(clear.mock.calls).toEqual([["remote"], ["self"]]);
    await rerender({ ...shown, views: view(true) });
    expect(visible()).toEqual(["false", true]);
    paint();
    await tick();
    expect(visible()).toEqual(["true", false]);
  });

  it("says that the picture is lost, until there is one again", async () => {
    let events: MediaEvents | undefined;
    const media: OpenMedia = (_remote, _own, heard) => {
      events = heard;
      return noMedia;
    };
    render(App, {
      views: { current: home(callView({ kind: "connected" })) },
      actions: idle,
      openMedia: media,
    });
    events?.lost();
    await tick();
    expect(screen.getByText(/picture cannot be shown/)).toBeTruthy();
    events?.picture("remote", 1280, 720);
    await tick();
    expect(screen.queryByText(/picture cannot be shown/)).toBeNull();
  });

  it("that reconnects without a picture says so where the person stood", () => {
    const media: OpenMedia = () => noMedia;
    render(App, {
      views: { current: home(callView({ kind: "reconnecting" })) },
      actions: idle,
      openMedia: media,
    });
    expect(screen.getByText("Reconnecting…", { selector: "strong" })).toBeTruthy();
    expect(screen.queryByRole("heading")).toBeNull();
  });

  it("that reconnects without the server says that the computer is offline, and not that the call continues", async () => {
    const { rerender } = show(home(callView({ kind: "reconnecting" }, { serverReachable: false })));
    expect(screen.getByText(/seems to be offline/)).toBeTruthy();
    expect(screen.queryByText(/the call continues/)).toBeNull();
    await rerender({ views: { current: home(callView({ kind: "connected" }, { serverReachable: false })) } });
    expect(screen.queryByText(/seems to be offline/)).toBeNull();
    expect(screen.getByText(/the call continues/)).toBeTruthy();
  });

  it("that nobody could take says what to do next", () => {
    for (const reason of ["busy", "offline", "accessDenied", "connectionFailed"] as const) {
      const { container, unmount } = show(home(callView({ kind: "ended", reason })));
      expect(container.querySelector("[data-reason] p")?.textContent).not.toBe("");
      unmount();
    }
  });

  it("whose other side has gone says how long it was, and what to do next", () => {
    const gone = callView(
      { kind: "ended", reason: "remoteGone" },
      { connectedAtMs: 1_000, endedAtMs: 61_000 },
    );
    show(home(gone));
    expect(screen.getByText("Duration 1:00")).toBeTruthy();
    expect(screen.getByText(/You can call when they are back/)).toBeTruthy();
  });

  it("stops saying what stands in after a while", async () => {
    vi.useFakeTimers();
    show({ ...home(callView({ kind: "connected" })), standIns: ["camera"] });
    const known = () => screen.getByText(/test picture stands in/).closest("[data-stand-ins=true]") !== null;
    vi.advanceTimersByTime(9_000);
    await tick();
    expect(known()).toBe(false);
    vi.advanceTimersByTime(2_000);
    await tick();
    expect(known()).toBe(true);
  });

  it("says that it was answered from outside until somebody has been there to read it", async () => {
    vi.useFakeTimers();
    const answered = {
      ...home(callView({ kind: "connected" }, { local: { microphone: true, camera: false } })),
    };
    show({ ...answered, answeredFromOutside: "call-1" });
    const read = () => screen.queryByText(/Answered from outside/) === null;
    vi.advanceTimersByTime(60_000);
    await tick();
    expect(read()).toBe(false);
    await fireEvent.pointerMove(window);
    vi.advanceTimersByTime(11_000);
    await tick();
    expect(read()).toBe(true);
  });

  it("that has ended can be called again or put away", async () => {
    const placeCall = vi.fn().mockResolvedValue(undefined);
    const dismissCall = vi.fn().mockResolvedValue(undefined);
    const view = views["ended"];
    if (!view) throw new Error();
    show(view, { placeCall, dismissCall });
    expect(screen.getByText("Duration 12:34")).toBeTruthy();
    const user = userEvent.setup();
    await user.click(screen.getByText("Call again"));
    expect(placeCall).toHaveBeenCalledExactlyOnceWith("chat-Anna Lindqvist", true);
    await user.click(screen.getByText("Back to contacts"));
    expect(dismissCall).toHaveBeenCalledTimes(1);
  });
});
