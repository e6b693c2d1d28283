/** What the live region says next; assistive technology reads it aloud. */
class Announcer {
  text = $state("");

  say(text: string): void {
    // The same sentence twice in a row must be read twice, so the region's text has to change.
    this.text = this.text === text ? `${text}\u00a0` : text;
  }
}

export const announcer = new Announcer();
