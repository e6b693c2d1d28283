import type { AppView } from "../bindings/AppView";

/** The latest view; the interface renders it and keeps no copy. */
class Views {
  current = $state.raw<AppView | null>(null);
}

export const views = new Views();
