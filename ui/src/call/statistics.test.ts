import { render, screen, waitFor } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { callStats } from "../dev/fixtures";
import { setLanguage } from "../shared/i18n";
import Statistics from "./Statistics.svelte";
import { ms, percent, sections } from "./statistics";

const quiet = { onexport: () => undefined, onclose: () => undefined };

/** The value of a line of the page. */
function figure(key: string): string {
  return document.querySelector(`[data-figure="${key}"]`)?.textContent ?? "";
}

beforeEach(() => {
  setLanguage("en");
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the statistics page", () => {
  it("shows each part of a picture's way and what they come to", async () => {
    render(Statistics, { ask: () => Promise.resolve(callStats), ...quiet });
    await waitFor(() => {
      expect(figure("stats.convert")).toBe("0.5 ms (1.0)");
    });
    expect(figure("stats.encode")).toBe("4.0 ms (8.0)");
    expect(figure("stats.send")).toBe("1.5 ms (3.0)");
    expect(figure("stats.wait")).toBe("2.5 ms (5.0)");
    expect(figure("stats.altogether")).toBe("39.0 ms");
    expect(figure("stats.codec")).toBe("H264, OpenH264");
    expect(figure("stats.soundLater")).toBe("27.5 ms");
    expect(figure("stats.loss")).toBe("1.2 %");
    expect(figure("stats.path")).toBe("host → srflx");
  });

  it("speaks both languages and leaves no gap", () => {
    for (const language of ["en", "ru"]) {
      setLanguage(language);
      const text = sections(callStats).flatMap(({ rows }) => rows.map(({ value }) => value));
      expect(text.join(" ")).not.toMatch(/undefined|null|NaN|\{/);
    }
    expect(JSON.stringify(sections(callStats))).toContain("4,0 мс (8,0)");
  });

  it("writes tenths below a hundred alone", () => {
    expect([ms(2000), ms(100), ms(99.94), ms(99.96), ms(0)]).toEqual([
      "2,000 ms",
      "100 ms",
      "99.9 ms",
      "100 ms",
      "0.0 ms",
    ]);
    expect([percent(100), percent(12.34)]).toEqual(["100 %", "12.3 %"]);
  });

  it("says nothing where nothing was measured", () => {
    const none = { mean: null, p50: null, p95: null };
    const stats = structuredClone(callStats);
    stats.video.in.stages.paint = none;
    stats.transport.rttMs = null;
    const rows = sections(stats).flatMap((section) => section.rows);
    const value = (key: string) => rows.find((row) => row.key === key)?.value;
    expect(value("stats.paint")).toBe("–");
    expect(value("stats.altogether")).toBe("–");
    expect(value("stats.roundTrip")).toBe("–");
  });

  it("asks every second for as long as it is open, and survives an answer that does not come", async () => {
    vi.useFakeTimers();
    const ask = vi.fn().mockRejectedValueOnce(new Error()).mockResolvedValue(callStats);
    const { unmount } = render(Statistics, { ask, ...quiet });
    await vi.advanceTimersByTimeAsync(3100);
    expect(ask).toHaveBeenCalledTimes(4);
    expect(figure("stats.roundTrip")).toBe("48.3 ms");
    unmount();
    await vi.advanceTimersByTimeAsync(3000);
    expect(ask).toHaveBeenCalledTimes(4);
  });

  it("is closed by its button", async () => {
    const onclose = vi.fn();
    render(Statistics, { ...quiet, ask: () => Promise.resolve(null), onclose });
    await userEvent.setup().click(screen.getByRole("button", { name: "Close the statistics" }));
    expect(onclose).toHaveBeenCalledOnce();
  });
});
