import type { Actions } from "../../shared/actions";
import type { PageHears, PageSays } from "./worker";
import MediaWorker from "./worker?worker";

/** Wait before the socket is tried again, in milliseconds. */
const RETRY = 500;

/** A worker that was told to stop has painted its last by then, in milliseconds. */
const SETTLED = 1000;

/** A picture that has not come by then will not, in milliseconds. */
const PICTURE = 3000;

export interface MediaEvents {
  /** Pictures of this size are being painted from now on. */
  picture(which: "remote" | "self", width: number, height: number): void;
  /** Nothing on this computer can decode the remote pictures. */
  lost(): void;
}

/** What paints a call's pictures, for as long as the call is shown. */
export interface MediaSession {
  /** Takes the last picture away; the next one is reported as the first was. */
  clear(which: "remote" | "self"): void;
  /** The next remote picture, as a PNG file. Rejects when there is none for a while. */
  picture(): Promise<Uint8Array>;
  close(): void;
}

/** Opens a session on canvases, which must be new: they can be handed to a worker only once. No call, no remote one. */
export type OpenMedia = (
  remote: HTMLCanvasElement | null,
  own: HTMLCanvasElement | null,
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
    let kept: ((png: ArrayBuffer | null) => void) | null = null;

    const again = () => {
      if (!closed) retry = window.setTimeout(connect, RETRY);
    };
    const connect = () => {
      actions.mediaSocket().then((socket) => {
        if (!closed) tell({ type: "connect", ...socket });
      }, again);
    };

    worker.onmessage = ({ data }: MessageEvent<PageHears>) => {
      switch (data.type) {
        case "closed":
          again();
          break;
        case "lost":
          events.lost();
          break;
        case "kept":
          kept?.(data.png);
          break;
        case "picture":
          events.picture(data.which, data.width, data.height);
          break;
      }
    };

    const remote = remoteCanvas?.transferControlToOffscreen() ?? null;
    const self = ownCanvas?.transferControlToOffscreen() ?? null;
    const surfaces = [remote, self].filter((surface) => surface !== null);
    tell({ type: "surfaces", remote, self }, surfaces);
    const sizes = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) {
        const which = target === remoteCanvas ? "remote" : "self";
        const width = Math.round(contentRect.width * devicePixelRatio);
        const height = Math.round(contentRect.height * devicePixelRatio);
        tell({ type: "shown", which, width, height });
      }
    });
    if (remoteCanvas !== null) sizes.observe(remoteCanvas);
    if (ownCanvas !== null) sizes.observe(ownCanvas);
    connect();

    return {
      clear(which) {
        tell({ type: "clear", which });
      },
      picture() {
        return new Promise((resolve, reject) => {
          const timer = window.setTimeout(() => kept?.(null), PICTURE);
          kept = (png) => {
            window.clearTimeout(timer);
            kept = null;
            if (png === null) reject(new Error("no picture"));
            else resolve(new Uint8Array(png));
          };
          tell({ type: "keep" });
        });
      },
      close() {
        closed = true;
        window.clearTimeout(retry);
        sizes.disconnect();
        // A worker that ends while it paints takes WebKit's painter with it: it stops first.
        tell({ type: "close" });
        window.setTimeout(() => {
          worker.terminate();
        }, SETTLED);
      },
    };
  };
}
