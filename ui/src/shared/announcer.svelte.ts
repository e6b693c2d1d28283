import { untrack } from "svelte";

/** What the live region says next; assistive technology reads it aloud. */
class Announcer {
  text = $state("");

  say(text: string): void {
    // An effect that says something must not run again because of what it said.
    const before = untrack(() => this.text);
    // The same sentence twice in a row must be read twice, so the region's text has to change.
    this.text = before === text ? `${text}\u00a0` : text;
  }
}

export const announcer = new Announcer();
