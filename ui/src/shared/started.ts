import type { AppView } from "../bindings/AppView";
import type { PageTimes } from "../bindings/PageTimes";

/** In Unix milliseconds, as the shell counts. */
const now = () => performance.timeOrigin + performance.now();

/** Whether the person can do what they have come for. */
function isUsable({ screen }: AppView): boolean {
  if (screen.kind === "home") return screen.connection !== "connecting";
  return screen.kind !== "starting" && screen.kind !== "waiting";
}

/** Tells, once, how the start of the window went. */
export class Started {
  private readonly script = now();
  private view: number | null = null;
  private over = false;

  constructor(private readonly tell: (times: PageTimes) => void) {}

  /** Takes each view, when it is about to be painted. */
  take(view: AppView): void {
    this.view ??= now();
    if (this.over || !isUsable(view)) return;
    this.over = true;
    const times = { page: performance.timeOrigin, script: this.script, view: this.view };
    // The frame's own task, and what comes behind it, when it has been painted.
    requestAnimationFrame(() => {
      setTimeout(() => {
        this.tell({ ...times, usable: now() });
      });
    });
  }
}
