import { render, screen } from "@testing-library/svelte";
import { userEvent } from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import App from "../App.svelte";
import type { AppView } from "../bindings/AppView";
import { pastLine, wasMissed } from "../contacts/past";
import { idle, missed, noMedia, recent, views } from "../dev/fixtures";
import { setLanguage } from "../shared/i18n";

beforeEach(() => {
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe = () => undefined;
      disconnect = () => undefined;
    },
  );
});

function show(view: AppView | undefined) {
  setLanguage("en");
  const callInstead = vi.fn(() => Promise.resolve());
  const forgetMissed = vi.fn(() => Promise.resolve());
  const actions = { ...idle, callInstead, forgetMissed };
  render(App, { views: { current: view ?? null }, actions, openMedia: () => noMedia });
  return { callInstead, forgetMissed, user: userEvent.setup() };
}

test("calling back during a call says first that it ends this one, and can be left", async () => {
  const { callInstead, user } = show(views["missed-in-call"]);
  await user.click(screen.getByText("Call back"));
  expect(callInstead).not.toHaveBeenCalled();
  screen.getByText("Calling back ends your call with Anna Lindqvist", { selector: "span" });
  await user.click(screen.getByLabelText("Dismiss"));
  await user.click(screen.getByText("Call back"));
  await user.click(screen.getByText("End it and call Дмитрий Соколов"));
  expect(callInstead).toHaveBeenCalledWith(missed.chatId, true);
});

test("after the call, calling back ends nothing and asks nothing", async () => {
  const { callInstead, forgetMissed, user } = show(views["missed-ended"]);
  await user.click(screen.getByText("Call back"));
  expect(callInstead).toHaveBeenCalledWith(missed.chatId, true);
  await user.click(screen.getByLabelText("Dismiss"));
  expect(forgetMissed).toHaveBeenCalledWith(missed.peer.userId);
});

test("a caller who found this person busy was missed, and one who was found busy was not", () => {
  const [busy, talked, unanswered, offline, declined] = recent;
  if (!busy || !talked || !unanswered || !offline || !declined) throw new Error("five past calls");
  expect([busy, talked, unanswered, offline, declined].map(wasMissed)).toEqual([
    true,
    false,
    true,
    false,
    false,
  ]);
  expect(pastLine(busy)).toBe("Missed call");
  expect(pastLine({ ...busy, direction: "outgoing" })).toBe("Was in another call");
  expect(pastLine(talked)).toBe("12:34");
});
