import { currentLanguage } from "./i18n";

/** A duration as a call's timer shows it: `0:07`, `12:34`, `1:02:03`. */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0
    ? `${String(hours)}:${two(minutes)}:${two(seconds % 60)}`
    : `${String(minutes)}:${two(seconds % 60)}`;
}

const minute = 60_000;
const units = [
  ["day", 24 * 60 * minute],
  ["hour", 60 * minute],
  ["minute", minute],
] as const;

/** How long ago something was, in the largest unit that fits: `5 minutes ago`, `yesterday`. */
export function ago(at: number, now: number = Date.now()): string {
  const words = new Intl.RelativeTimeFormat(currentLanguage(), { numeric: "auto" });
  const past = Math.max(0, now - at);
  for (const [unit, length] of units) {
    if (past >= length) return words.format(-Math.floor(past / length), unit);
  }
  return words.format(0, "minute");
}

/** A moment as people write it: `7 Nov 2026, 12:30`. */
export function dateAndTime(at: number): string {
  const words = new Intl.DateTimeFormat(currentLanguage(), { dateStyle: "medium", timeStyle: "short" });
  return words.format(at);
}

/** The person's time as it stands in the names of files: `2026-11-07 12.30.00`. */
export function fileTime(now: Date = new Date()): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map(two).join("-");
  return `${day} ${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(".")}`;
}
