import type { Actions } from "../../shared/actions";
import type { PageHears, PageSays } from "./worker";
import MediaWorker from "./worker?worker";

/** Wait before the socket is tried again, in milliseconds. */
const RETRY = 500;

export interface MediaEvents {
  /** Pictures of this size are being painted from now on. */
  picture(which: "remote" | "self", width: number, height: number): void;
}

/** What paints a call's pictures, for as long as the call is shown. */
export interface MediaSession {
  close(): void;
}

/** Opens a session on two canvases, which must be new: they can be handed to a worker only once. */
export type OpenMedia = (
  remote: HTMLCanvasElement,
  own: HTMLCanvasElement,
  events: MediaEvents,
) => MediaSession;

/** The real session: a worker that holds the media socket and paints. */
export function openMediaWith(actions: Pick<Actions, "mediaSocket">): OpenMedia {
  return (remoteCanvas, ownCanvas, events) => {
    const worker = new MediaWorker();
    const tell = (message: PageSays, transfer: Transferable[] = []) => {
      worker.postMessage(message, transfer);
    };
    let retry = 0;
    let closed = false;

    const again = () => {
      if (!closed) retry = window.setTimeout(connect, RETRY);
    };
    const connect = () => {
      actions.mediaSocket().then((socket) => {
        if (!closed) tell({ type: "connect", ...socket });
      }, again);
    };

    worker.onmessage = ({ data }: MessageEvent<PageHears>) => {
      if (data.type === "closed") again();
      else events.picture(data.which, data.width, data.height);
    };

    const remote = remoteCanvas.transferControlToOffscreen();
    const self = ownCanvas.transferControlToOffscreen();
    tell({ type: "surfaces", remote, self }, [remote, self]);
    const sizes = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) {
        const which = target === remoteCanvas ? "remote" : "self";
        const width = Math.round(contentRect.width * devicePixelRatio);
        const height = Math.round(contentRect.height * devicePixelRatio);
        tell({ type: "shown", which, width, height });
      }
    });
    sizes.observe(remoteCanvas);
    sizes.observe(ownCanvas);
    connect();

    return {
      close() {
        closed = true;
        window.clearTimeout(retry);
        sizes.disconnect();
        worker.terminate();
      },
    };
  };
}
