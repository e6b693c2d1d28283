import type { CallStats } from "../bindings/CallStats";
import type { StageStats } from "../bindings/StageStats";
import { currentLanguage, t, type Key } from "../shared/i18n";
import { together } from "./history";

/** How figures are written, as opposed to what they are called. */
type Form =
  "stats.ms" | "stats.meanAndP95" | "stats.picture" | "stats.kilobits" | "stats.percent" | "stats.rate";
type Name = Exclude<Extract<Key, `stats.${string}`>, Form>;

/** A line of the statistics: what it is, and how much. */
export interface Row {
  key: Name;
  value: string;
}

/** A part of the statistics under a heading of its own. */
export interface Section {
  key: Name;
  rows: Row[];
}

const NONE = "–";

const number = (value: number, digits = 0) =>
  value.toLocaleString(currentLanguage(), { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** With tenths, where they say something: below a hundred. */
const fine = (value: number) => number(value, Math.abs(value) < 99.95 ? 1 : 0);

/** Milliseconds. */
export const ms = (value: number | null) => (value === null ? NONE : t("stats.ms", { ms: fine(value) }));

/** On average, and what 95 of a hundred stay under. */
const stage = ({ mean, p95 }: StageStats) =>
  mean === null || p95 === null ? NONE : t("stats.meanAndP95", { mean: fine(mean), p95: fine(p95) });

const picture = (width: number, height: number, rate: number) =>
  width === 0 ? NONE : t("stats.picture", { width: `${width}`, height: `${height}`, rate: number(rate) });

/** Thousands of bits a second. */
export const kilobits = (value: number | null) =>
  value === null ? NONE : t("stats.kilobits", { kilobits: number(value) });

/** Hundredths. */
export const percent = (value: number | null) =>
  value === null ? NONE : t("stats.percent", { percent: fine(value) });

/** How many a second. */
export const rate = (value: number | null) =>
  value === null ? NONE : t("stats.rate", { rate: number(value) });

const bits = (value: number | null) => kilobits(value === null ? null : value / 1000);

const share = (part: number) => percent(part * 100);

/** What the statistics page shows, in the person's language. */
export function sections(stats: CallStats): Section[] {
  const { in: received, out: sent } = stats.video;
  const { convert, encode, send } = sent.stages;
  const { transfer, assemble, wait, decode, paint } = received.stages;
  const sound = stats.audio.in;
  const codec = [sent.codec.toUpperCase(), sent.encoder].filter((name) => name !== "").join(", ");
  const path = [stats.transport.localCandidateType, stats.transport.remoteCandidateType];
  return [
    {
      key: "stats.sent",
      rows: [
        { key: "stats.size", value: picture(sent.frameWidth, sent.frameHeight, sent.framesPerSecond) },
        { key: "stats.codec", value: codec || NONE },
        { key: "stats.target", value: bits(sent.targetBitrate) },
        { key: "stats.convert", value: stage(convert) },
        { key: "stats.encode", value: stage(encode) },
        { key: "stats.send", value: stage(send) },
      ],
    },
    {
      key: "stats.received",
      rows: [
        {
          key: "stats.size",
          value: picture(received.frameWidth, received.frameHeight, received.framesPerSecond),
        },
        { key: "stats.freezes", value: number(received.freezeCount) },
        { key: "stats.transfer", value: stage(transfer) },
        { key: "stats.assemble", value: stage(assemble) },
        { key: "stats.wait", value: stage(wait) },
        { key: "stats.decode", value: stage(decode) },
        { key: "stats.paint", value: stage(paint) },
        { key: "stats.altogether", value: ms(together([transfer, assemble, wait, decode, paint])) },
      ],
    },
    {
      key: "stats.sound",
      rows: [
        { key: "stats.jitterBuffer", value: ms(sound.jitterBufferDelayMs) },
        {
          key: "stats.concealed",
          value: share(sound.concealedSamples / Math.max(1, sound.totalSamplesReceived)),
        },
        { key: "stats.soundLater", value: ms(stats.sync.soundLaterMs) },
      ],
    },
    {
      key: "stats.connection",
      rows: [
        { key: "stats.roundTrip", value: ms(stats.transport.rttMs) },
        { key: "stats.loss", value: share(stats.transport.lossRate) },
        { key: "stats.available", value: bits(stats.transport.availableOutgoingBitrate) },
        { key: "stats.path", value: path.map((type) => type ?? NONE).join(" → ") },
      ],
    },
  ];
}
