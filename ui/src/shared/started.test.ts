import { describe, expect, it, vi } from "vitest";
import type { PageTimes } from "../bindings/PageTimes";
import { views } from "../dev/fixtures";
import { Started } from "./started";

const view = (name: string) => {
  const found = views[name];
  if (found === null || found === undefined) throw new Error(`no view ${name}`);
  return found;
};

describe("the start", () => {
  it("is over with the first view that can be used, and told once", async () => {
    const told = vi.fn<(times: PageTimes) => void>();
    const started = new Started(told);
    started.take({ ...view("home"), screen: { kind: "starting" } });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(told).not.toHaveBeenCalled();
    started.take(view("home"));
    started.take(view("home"));
    await vi.waitFor(() => {
      expect(told).toHaveBeenCalledTimes(1);
    });
    const { page, script, view: first, usable } = told.mock.calls[0]?.[0] ?? {};
    expect([page, script, first, usable]).toEqual(
      [page, script, first, usable].sort((a, b) => (a ?? 0) - (b ?? 0)),
    );
  });
});
