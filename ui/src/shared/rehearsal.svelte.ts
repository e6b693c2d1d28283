import { untrack } from "svelte";
import type { Levels } from "../bindings/Levels";
import type { Wanted } from "../bindings/Wanted";
import type { Actions } from "./actions";

type Asks = Pick<Actions, "setRehearsal">;

/**
 * What the person tries out at the moment: whoever shows a meter, a preview or a list of devices asks for it, and the devices
 * are let go when the last one has gone.
 */
class Rehearsal {
  private wants: Record<keyof Wanted, number> = { microphone: 0, camera: 0, list: 0 };
  private asked: Wanted = { microphone: false, camera: false, list: false };

  /** Wants one of them until the answer is called. */
  want(what: keyof Wanted, actions: Asks): () => void {
    this.add(what, 1, actions);
    return () => {
      this.add(what, -1, actions);
    };
  }

  private add(what: keyof Wanted, count: 1 | -1, actions: Asks): void {
    this.wants[what] += count;
    // Whoever goes may be followed at once by somebody else who wants the same, as when a page is turned.
    queueMicrotask(() => {
      const { microphone, camera, list } = this.wants;
      const wanted = { microphone: microphone > 0, camera: camera > 0, list: list > 0 };
      if (Object.entries(wanted).every(([name, on]) => this.asked[name as keyof Wanted] === on)) return;
      this.asked = wanted;
      // What cannot be opened says so in the view.
      actions.setRehearsal(wanted).catch(() => undefined);
    });
  }
}

export const rehearsal = new Rehearsal();

/** How loud it is at the moment, for whoever shows it. */
class Loudness {
  microphone = $state(0);

  take(levels: Levels): void {
    untrack(() => {
      this.microphone = levels.microphone;
    });
  }
}

export const loudness = new Loudness();
