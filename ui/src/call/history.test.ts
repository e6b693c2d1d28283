import { expect, it } from "vitest";
import { callStats } from "../dev/fixtures";
import { ceiling, line, longer, LONGEST, point, type Point } from "./history";

it("rates are what has been added in between", () => {
  const before = callStats;
  const now = structuredClone(before);
  now.t += 1000;
  now.video.out.bytesSent += 225_000;
  now.video.in.bytesReceived += 125_000;
  now.audio.in.packetsReceived += 45;
  now.audio.in.packetsLost += 5;
  const drawn = point(now, before);
  expect(drawn).toMatchObject({ sentRate: 1800, receivedRate: 1000, lostHere: 10, sentPictures: 30 });
  expect(drawn.delay).toBe(39);
  expect(drawn.lostThere).toBeCloseTo(1.2);
});

it("nothing is said of the first second, or of counts that began anew", () => {
  expect(point(callStats, null)).toMatchObject({ sentRate: null, receivedRate: null, lostHere: null });
  const anew = structuredClone(callStats);
  anew.t += 1000;
  anew.video.out.bytesSent = 10;
  expect(point(anew, callStats).sentRate).toBeNull();
});

it("two minutes are kept", () => {
  let points: readonly Point[] = [];
  for (let second = 0; second < LONGEST + 30; second += 1) {
    points = longer(points, { ...point(callStats, null), roundTrip: second });
  }
  expect(points).toHaveLength(LONGEST);
  expect(points[0]?.roundTrip).toBe(30);
});

it("scales end at round numbers", () => {
  expect(ceiling([], 30)).toBe(50);
  expect(ceiling([1800, null], 100)).toBe(2000);
  expect(ceiling([0.4], 5)).toBe(5);
  expect(ceiling([101], 5)).toBe(200);
});

it("lines end at the right and break where nothing was measured", () => {
  expect(line([0, 10, null, 5], 10, 119, 40)).toBe("M116.0 40.0L117.0 0.0M119.0 20.0");
});
