import type { AppView } from "../bindings/AppView";
import type { ShownCall } from "../bindings/ShownCall";

/** The latest view; the interface renders it and keeps no copy. */
class Views {
  current = $state.raw<AppView | null>(null);

  /** Takes a view, unless a later one is there: answers and events may overtake each other. */
  take(view: AppView): void {
    if (this.current === null || view.revision >= this.current.revision) this.current = view;
  }
}

export const views = new Views();

/** The latest state of the call, in windows that show nothing else. */
class Calls {
  current = $state.raw<ShownCall | null>(null);

  take(call: ShownCall): void {
    this.current = call;
  }
}

export const calls = new Calls();
