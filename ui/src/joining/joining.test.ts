import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import App from "../App.svelte";
import type { AppView } from "../bindings/AppView";
import type { JoiningProblem } from "../bindings/JoiningProblem";
import type { OpenMedia } from "../call/media/session";
import {
  accounts,
  callView,
  contact,
  home,
  idle,
  invite,
  invited,
  joining,
  views,
  noMedia,
} from "../dev/fixtures";
import type { Actions } from "../shared/actions";
import { setLanguage } from "../shared/i18n";

const openMedia: OpenMedia = () => noMedia;

function show(current: AppView | undefined, actions: Partial<Actions> = {}) {
  if (current === undefined) throw new Error("no such view");
  render(App, { views: { current }, actions: { ...idle, ...actions }, openMedia });
  return userEvent.setup();
}

const button = (name: string | RegExp) => screen.getByRole<HTMLButtonElement>("button", { name });

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
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function () {
    this.open = false;
    this.dispatchEvent(new Event("close"));
  };
});

describe("the first screen", () => {
  it("opens an invitation, and says what is wrong with one that is none", async () => {
    const openInvitation = vi
      .fn()
      .mockRejectedValueOnce({ code: "invalid-invite" })
      .mockResolvedValue(undefined);
    const user = show(views["first-run"], { openInvitation });
    expect(button("Continue").disabled).toBe(true);
    await user.type(screen.getByLabelText("Have you been invited?"), " hello ");
    await user.click(button("Continue"));
    expect(openInvitation).toHaveBeenCalledExactlyOnceWith("hello");
    await waitFor(() => {
      expect(screen.getByRole("alert").textContent).toContain("everything after the #");
    });
    await user.keyboard("{Enter}");
    expect(openInvitation).toHaveBeenCalledTimes(2);
  });

  it("asks for the clipboard when its button is pressed, and never by itself", async () => {
    const pasteInvitation = vi.fn().mockRejectedValue({ code: "invalid-invite" });
    const user = show(views["first-run"], { pasteInvitation });
    await user.type(screen.getByLabelText("Have you been invited?"), "x");
    expect(pasteInvitation).not.toHaveBeenCalled();
    await user.click(button("Paste"));
    expect(pasteInvitation).toHaveBeenCalledTimes(1);
    await waitFor(() => {
      expect(screen.getByRole("alert").textContent).toContain("no invitation in the clipboard");
    });
  });

  it("asks whoever hosts for a name and says what is wrong with it", async () => {
    const start = vi
      .fn()
      .mockRejectedValueOnce({ code: "name-taken", message: "" })
      .mockResolvedValue(undefined);
    const user = show(views["first-run"], { start });
    await user.click(button("Host on this computer"));
    const field = screen.getByLabelText<HTMLInputElement>("Your name");
    expect(field).toHaveProperty("value", "Jonas Weber");
    await user.clear(field);
    await user.keyboard("{Enter}");
    expect(screen.getByRole("alert").textContent).toContain("enter a name");
    expect(start).not.toHaveBeenCalled();
    await user.type(field, "  Jonas {Enter}");
    expect(start).toHaveBeenCalledExactlyOnceWith("Jonas");
    await waitFor(() => {
      expect(screen.getByRole("alert").textContent).toContain("already taken");
    });
    await user.click(button("Back"));
    expect(screen.getByLabelText("Have you been invited?")).toBeTruthy();
  });

  it("leads back to accounts that were set aside", async () => {
    const useAccount = vi.fn().mockResolvedValue(undefined);
    const user = show(views["first-run-others"], { useAccount });
    await user.click(button(/This computer/));
    await user.click(button(/vireo\.example\.org.*Use/));
    expect(useAccount.mock.calls).toEqual([[null], ["https://vireo.example.org"]]);
  });
});

describe("an invitation", () => {
  it("says who invites to which server, and is taken by the name that stands there", async () => {
    const join = vi.fn().mockResolvedValue(undefined);
    const placeCall = vi.fn();
    const user = show(views["join-invited"], { join, placeCall });
    expect(screen.getByRole("heading", { name: "Anna Lindqvist" })).toBeTruthy();
    expect(screen.getByText("invites you")).toBeTruthy();
    expect(screen.getByText("Server: Lindqvist family (192.168.178.20:7450)")).toBeTruthy();
    await user.click(button("Join"));
    expect(join).toHaveBeenCalledExactlyOnceWith("Jonas Weber");
    expect(placeCall).not.toHaveBeenCalled();
  });

  it("stays when it could not be taken, and says why", async () => {
    const join = vi.fn().mockRejectedValue({ code: "name-taken" });
    const user = show(views["join-invited"], { join });
    await user.click(button("Join"));
    await waitFor(() => {
      expect(screen.getByRole("alert").textContent).toContain("already taken");
    });
    expect(button("Join").disabled).toBe(false);
  });

  it("opens the camera when its button is pressed, and never by itself", async () => {
    const setRehearsal = vi.fn().mockResolvedValue(undefined);
    const user = show(views["join-invited"], { setRehearsal });
    expect(setRehearsal).not.toHaveBeenCalled();
    await user.click(button("See my own picture"));
    await waitFor(() => {
      expect(setRehearsal).toHaveBeenCalledExactlyOnceWith({ microphone: false, camera: true, list: false });
    });
  });

  it("can be put away", async () => {
    const dismissInvitation = vi.fn().mockResolvedValue(undefined);
    const user = show(views["join-invited"], { dismissInvitation });
    await user.click(button("Not now"));
    expect(dismissInvitation).toHaveBeenCalledTimes(1);
  });

  it("asks no member for a name", () => {
    show(views["join-member"]);
    expect(screen.queryByLabelText("Your name")).toBeNull();
    expect(button("Add to my contacts")).toBeTruthy();
  });

  it("asks plainly before another account is set aside", () => {
    show(views["join-elsewhere"]);
    expect(screen.getByText(/signed in as jonas on vireo\.example\.org.*is set aside/)).toBeTruthy();
    expect(button("Set aside and join")).toBeTruthy();
  });

  it("offers the call when the inviter is a contact, and never calls by itself", async () => {
    const placeCall = vi.fn().mockResolvedValue(undefined);
    const dismissInvitation = vi.fn().mockResolvedValue(undefined);
    const user = show(views["join-joined"], { placeCall, dismissInvitation });
    expect(placeCall).not.toHaveBeenCalled();
    await user.click(button("Video call"));
    expect(placeCall).toHaveBeenCalledExactlyOnceWith("chat-Anna Lindqvist", true);
    expect(dismissInvitation).toHaveBeenCalledTimes(1);
  });

  it("offers no call to somebody who is away, and leads on", () => {
    const offline = contact("Anna Lindqvist", { presence: "offline" });
    const screen_ = home(null, { contacts: [offline] }).screen;
    show(joining({ kind: "joined", inviter: offline.userId }, { screen: screen_ }));
    expect(screen.queryByRole("button", { name: "Video call" })).toBeNull();
    expect(button("To the contacts")).toBeTruthy();
  });

  it("waits for the end of a call", () => {
    const call = home(callView({ kind: "connected" })).screen;
    show(joining(invited, { screen: call }));
    expect(screen.queryByText("invites you")).toBeNull();
    expect(screen.getByText("An invitation waits for the end of the call.")).toBeTruthy();
  });

  it("that is of no use says why and what to do next, in both languages", () => {
    const problems: JoiningProblem[] = [
      "notALink",
      "usedUp",
      "own",
      "unreachable",
      "wrongServer",
      "untrusted",
      "notAServer",
      "version",
      "rateLimited",
      "other",
    ];
    for (const language of ["en", "ru"]) {
      setLanguage(language);
      for (const problem of problems) {
        const { container, unmount } = render(App, {
          views: { current: joining({ kind: "failed", problem }) },
          actions: idle,
          openMedia,
        });
        expect(container.querySelector("h1")?.textContent).not.toBe("");
        expect(container.querySelector("[data-problem] p")?.textContent).not.toBe("");
        unmount();
      }
    }
  });

  it("is asked about again where that may help", async () => {
    const lookAgain = vi.fn().mockResolvedValue(undefined);
    const user = show(views["join-unreachable"], { lookAgain });
    await user.click(button("Try again"));
    expect(lookAgain).toHaveBeenCalledTimes(1);
  });
});

describe("inviting", () => {
  it("says what opening the server means before it does so", async () => {
    const openToNetwork = vi.fn().mockResolvedValue(undefined);
    const makeInvite = vi.fn().mockResolvedValue(invite);
    const copyInvite = vi.fn().mockResolvedValue(undefined);
    const user = show(home(), { openToNetwork, makeInvite, copyInvite });
    const [open] = screen.getAllByRole("button", { name: "Invite somebody…" });
    if (open === undefined) throw new Error("no button");
    await user.click(open);
    expect(makeInvite).not.toHaveBeenCalled();
    expect(screen.getByText(/only those whom you invite/)).toBeTruthy();
    await user.click(button("Open and make a link"));
    expect(openToNetwork).toHaveBeenCalledTimes(1);
    expect(screen.getByLabelText("Link of the invitation")).toHaveProperty("value", invite.link);
    expect(screen.getByRole("img", { name: "QR code of the link" })).toBeTruthy();
    await user.click(button("Copy"));
    expect(copyInvite).toHaveBeenCalledTimes(1);
    expect(button("Copied")).toBeTruthy();
  });

  it("makes the link at once on a server that is open, and says when it may not", async () => {
    const makeInvite = vi.fn().mockRejectedValue({ code: "server-unreachable" });
    const view = { ...home(), accounts: { ...accounts, server: "vireo.example.org" } };
    const user = show(view, { makeInvite });
    const [open] = screen.getAllByRole("button", { name: "Invite somebody…" });
    if (open === undefined) throw new Error("no button");
    await user.click(open);
    await waitFor(() => {
      expect(screen.getByRole("alert").textContent).toContain("cannot be reached");
    });
    expect(makeInvite).toHaveBeenCalledTimes(1);
  });
});

describe("the account", () => {
  it("is left after one question", async () => {
    const signOut = vi.fn().mockResolvedValue(undefined);
    const user = show(home(), { signOut });
    await user.click(button("Settings"));
    await user.click(screen.getByRole("tab", { name: "Profile" }));
    await user.click(button("Sign out"));
    expect(signOut).not.toHaveBeenCalled();
    expect(screen.getByText(/stay on this computer/)).toBeTruthy();
    await user.click(button("Sign out"));
    expect(signOut).toHaveBeenCalledTimes(1);
  });

  it("says openly where its secrets are", async () => {
    const user = show({ ...home(), accounts: { ...accounts, secrets: "file" } });
    await user.click(button("Settings"));
    await user.click(screen.getByRole("tab", { name: "Profile" }));
    expect(screen.getByText(/a file that only your account on this computer can read/)).toBeTruthy();
  });
});
