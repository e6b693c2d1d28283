import { untrack } from "svelte";
import type { Levels } from "../bindings/Levels";
import type { Actions } from "./actions";

type Asks = Pick<Actions, "setRehearsal">;

/**
 * What the person tries out at the moment: whoever shows a meter or a preview asks for it, and the devices are let go when
 * the last one has gone.
 */
class Rehearsal {
  private microphone = 0;
  private camera = 0;
  private asked = { microphone: false, camera: false };

  /** Wants one of them until the answer is called. */
  want(what: "microphone" | "camera", actions: Asks): () => void {
    this.add(what, 1, actions);
    return () => {
      this.add(what, -1, actions);
    };
  }

  private add(what: "microphone" | "camera", count: 1 | -1, actions: Asks): void {
    this[what] += count;
    // Whoever goes may be followed at once by somebody else who wants the same, as when a page is turned.
    queueMicrotask(() => {
      const wanted = { microphone: this.microphone > 0, camera: this.camera > 0 };
      if (wanted.microphone === this.asked.microphone && wanted.camera === this.asked.camera) return;
      this.asked = wanted;
      // What cannot be opened says so in the view.
      actions.setRehearsal(wanted.microphone, wanted.camera).catch(() => undefined);
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
