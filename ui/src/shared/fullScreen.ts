/** Fills the whole screen with the window, or no longer. */
export function toggleFullScreen(): void {
  const done = document.fullscreenElement
    ? document.exitFullscreen()
    : document.documentElement.requestFullscreen();
  // Where the system does not allow it there is nothing to do.
  done.catch(() => undefined);
}
