import type { CallStats } from "../bindings/CallStats";

/** So many seconds are drawn: one point each. */
export const LONGEST = 120;

/** What the charts show of one second; null where nothing was measured. */
export interface Point {
  /** Kilobits of pictures a second. */
  sentRate: number | null;
  receivedRate: number | null;
  /** Pictures a second. */
  sentPictures: number;
  receivedPictures: number;
  /** Milliseconds from a picture's capture there until it is painted here, and of packets there and back. */
  delay: number | null;
  roundTrip: number | null;
  /** Percent of the packets. */
  lostThere: number;
  lostHere: number | null;
}

/** How fast a count has grown, a second; null where it began anew. */
function growth(now: number, before: number, seconds: number): number | null {
  return seconds > 0 && now >= before ? (now - before) / seconds : null;
}

/** The averages of the parts of a way add up to that of the way; none while one of them is missing. */
export function together(stages: readonly { mean: number | null }[]): number | null {
  let sum = 0;
  for (const { mean } of stages) {
    if (mean === null) return null;
    sum += mean;
  }
  return sum;
}

/** The second between two sets of figures. */
export function point(now: CallStats, before: CallStats | null): Point {
  const { in: received, out: sent } = now.video;
  const seconds = before === null ? 0 : (now.t - before.t) / 1000;
  const kilobits = (bytes: number | null) => (bytes === null ? null : (bytes * 8) / 1000);
  const sound = now.audio.in;
  const was = before?.audio.in ?? sound;
  const lost = growth(sound.packetsLost, was.packetsLost, seconds);
  const came = growth(sound.packetsReceived, was.packetsReceived, seconds);
  const { transfer, assemble, wait, decode, paint } = received.stages;
  return {
    sentRate: kilobits(growth(sent.bytesSent, before?.video.out.bytesSent ?? 0, seconds)),
    receivedRate: kilobits(growth(received.bytesReceived, before?.video.in.bytesReceived ?? 0, seconds)),
    sentPictures: sent.framesPerSecond,
    receivedPictures: received.framesPerSecond,
    delay: together([transfer, assemble, wait, decode, paint]),
    roundTrip: now.transport.rttMs,
    lostThere: now.transport.lossRate * 100,
    lostHere: lost === null || came === null || lost + came === 0 ? null : (lost / (lost + came)) * 100,
  };
}

/** The points with one more; the oldest goes when there are too many. */
export function longer(points: readonly Point[], next: Point): Point[] {
  return [...points, next].slice(-LONGEST);
}

/** A round number that is no less than all values, and no less than `least`. */
export function ceiling(values: readonly (number | null)[], least: number): number {
  const highest = values.reduce<number>((most, value) => Math.max(most, value ?? 0), least);
  const unit = 10 ** Math.floor(Math.log10(highest));
  const step = [1, 2, 5, 10].find((step) => step * unit >= highest) ?? 10;
  return step * unit;
}

/** A line through the values in a box of this size, the newest at its right; broken where there is none. */
export function line(values: readonly (number | null)[], top: number, width: number, height: number): string {
  let drawn = false;
  return values
    .map((value, index) => {
      if (value === null) {
        drawn = false;
        return "";
      }
      const x = width - ((values.length - 1 - index) * width) / (LONGEST - 1);
      const y = height - (Math.min(value, top) / top) * height;
      const command = drawn ? "L" : "M";
      drawn = true;
      return `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}
