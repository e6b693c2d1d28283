/** How the way to the server looks. */
export type Connection = "checking" | "good" | "unstable" | "poor";

/** So many answers are judged together, and so many are enough to judge. */
const KEPT = 6;
const ENOUGH = 2;

/** Answers that take longer than these are felt in a call, in milliseconds. */
const UNSTABLE = 200;
const POOR = 500;
/** A way whose answers differ by more than this is not steady, in milliseconds. */
const UNSTEADY = 150;

/** The answers with one more; null is one that did not come. */
export function withAnswer(answers: readonly (number | null)[], next: number | null): (number | null)[] {
  return [...answers, next].slice(-KEPT);
}

/** What to say of a way with such answers, in milliseconds. */
export function judge(answers: readonly (number | null)[]): Connection {
  const came = answers.filter((answer) => answer !== null).sort((a, b) => a - b);
  const missing = answers.length - came.length;
  if (missing > 1) return "poor";
  if (came.length < ENOUGH) return "checking";
  const usual = came[Math.floor(came.length / 2)] ?? 0;
  const slowest = came[came.length - 1] ?? 0;
  if (usual > POOR) return "poor";
  return missing > 0 || usual > UNSTABLE || slowest - usual > UNSTEADY ? "unstable" : "good";
}
