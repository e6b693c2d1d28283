import type { PaintedPicture, WorkerSays } from "./wire";

/** Rust lets so many pictures be under way twice. */
const MOST_UNTOLD = 4;

/** What has been painted is told so often, in milliseconds. */
const TOLD_EVERY = 100;

/** In whole microseconds, as Rust reads them. */
const micros = (milliseconds: number) => Math.max(0, Math.round(milliseconds * 1000));

/** Tells Rust what has become of remote pictures: the first at once, then several with one message. */
export class Progress {
  private untold = 0;
  private shown: (Omit<PaintedPicture, "ago"> & { at: number })[] = [];
  private toldAt = -Infinity;

  constructor(private readonly tell: (message: WorkerSays) => void) {}

  /** One more picture has been taken in. */
  taken(now: number): void {
    this.untold += 1;
    if (this.untold >= MOST_UNTOLD) this.report(now);
  }

  /** A picture has just been painted, after so many milliseconds in the decoder and so many of painting. */
  painted(timestamp: number, decoding: number, painting: number, now: number): void {
    this.shown.push({ timestamp, decoding: micros(decoding), painting: micros(painting), at: now });
    if (now - this.toldAt >= TOLD_EVERY || this.shown.length >= MOST_UNTOLD) this.report(now);
  }

  /** Another connection counts from the beginning. */
  reset(): void {
    this.untold = 0;
    this.shown = [];
    this.toldAt = -Infinity;
  }

  private report(now: number): void {
    const painted = this.shown.map(({ at, ...picture }) => ({ ...picture, ago: micros(now - at) }));
    this.tell({ type: "progress", taken: this.untold, painted });
    this.untold = 0;
    this.shown = [];
    this.toldAt = now;
  }
}
