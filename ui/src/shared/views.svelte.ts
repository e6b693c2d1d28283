import type { AppView } from "../bindings/AppView";

/** The latest view; the interface renders it and keeps no copy. */
class Views {
  current = $state.raw<AppView | null>(null);

  /** Takes a view, unless a later one is there: answers and events may overtake each other. */
  take(view: AppView): void {
    if (this.current === null || view.revision >= this.current.revision) this.current = view;
  }
}

export const views = new Views();
