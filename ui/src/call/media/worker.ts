import { RemoteDecoder } from "./decoder";
import { Surface } from "./surface";
import { parsePicture, type Picture, type WorkerSays } from "./wire";

/** What the page tells the worker. */
export type PageSays =
  | { type: "surfaces"; remote: OffscreenCanvas | null; self: OffscreenCanvas | null }
  | { type: "connect"; url: string; token: string }
  | { type: "clear"; which: "remote" | "self" }
  /** The next remote picture is wanted as a file. */
  | { type: "keep" }
  /** Nothing is painted any more. */
  | { type: "close" }
  | { type: "shown"; which: "remote" | "self"; width: number; height: number };

/** What the worker tells the page. */
export type PageHears =
  /** Pictures of this size are being painted. */
  | { type: "picture"; which: "remote" | "self"; width: number; height: number }
  /** The picture that was wanted; null where it could not be made into a file. */
  | { type: "kept"; png: ArrayBuffer | null }
  /** Remote pictures cannot be decoded, here or in Rust. */
  | { type: "lost" }
  /** The socket is gone; the page connects again with a fresh token. */
  | { type: "closed" };

const toPage = (message: PageHears) => {
  postMessage(message);
};

let socket: WebSocket | null = null;
let remote: Surface | null = null;
let self_: Surface | null = null;
let pending: Promise<void> = Promise.resolve();

const tell = (message: WorkerSays) => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
};

/** In whole microseconds, as Rust reads them. */
const micros = (milliseconds: number) => Math.max(0, Math.round(milliseconds * 1000));

function tellPainted(timestamp: number, decoding: number, decodedAt: number): void {
  const painting = micros(performance.now() - decodedAt);
  tell({ type: "painted", timestamp, decoding: micros(decoding), painting });
}

const decoder = new RemoteDecoder({
  frame: (frame, picture) => {
    const decodedAt = performance.now();
    remote?.paintFrame(frame);
    if (picture !== null) tellPainted(picture.timestamp, decodedAt - picture.since, decodedAt);
  },
  needKeyFrame: () => {
    tell({ type: "keyFrame" });
  },
  unsupported: (codec) => {
    tell({ type: "native", codec });
  },
});

function connect(url: string, token: string): void {
  socket?.close();
  const opened = new WebSocket(url, ["vireo-media", token]);
  opened.binaryType = "arraybuffer";
  opened.onopen = reportSize;
  opened.onmessage = (event: MessageEvent<unknown>) => {
    const picture = event.data instanceof ArrayBuffer ? parsePicture(event.data) : null;
    if (picture !== null) take(picture);
  };
  opened.onclose = () => {
    if (socket === opened) toPage({ type: "closed" });
  };
  socket = opened;
}

function take(picture: Picture): void {
  switch (picture.kind) {
    case "self":
      self_?.paintI420(picture.data, picture.width, picture.height);
      break;
    case "remoteLost":
      toPage({ type: "lost" });
      break;
    case "remoteRaw": {
      const decodedAt = performance.now();
      remote?.paintI420(picture.data, picture.width, picture.height);
      tellPainted(picture.timestamp, 0, decodedAt);
      tell({ type: "taken" });
      break;
    }
    case "remote":
      // One after the other: preparing the decoder waits.
      pending = pending
        .then(() => decoder.decode(picture))
        .then(() => {
          tell({ type: "taken" });
        });
      break;
  }
}

async function keep(): Promise<ArrayBuffer | null> {
  return remote === null ? null : (await remote.next()).arrayBuffer();
}

let shown = { width: 0, height: 0 };
function reportSize(): void {
  if (shown.width > 0) tell({ type: "size", ...shown });
}

onmessage = ({ data }: MessageEvent<PageSays>) => {
  switch (data.type) {
    case "surfaces":
      if (data.remote !== null) {
        remote = new Surface(data.remote, (width, height) => {
          toPage({ type: "picture", which: "remote", width, height });
        });
      }
      if (data.self !== null) {
        self_ = new Surface(data.self, (width, height) => {
          toPage({ type: "picture", which: "self", width, height });
        });
      }
      break;
    case "connect":
      connect(data.url, data.token);
      break;
    case "clear":
      (data.which === "remote" ? remote : self_)?.clear();
      if (data.which === "remote") tell({ type: "cleared" });
      break;
    case "close":
      socket?.close();
      socket = null;
      remote = null;
      self_ = null;
      break;
    case "keep":
      keep().then(
        (png) => {
          postMessage({ type: "kept", png } satisfies PageHears, { transfer: png === null ? [] : [png] });
        },
        () => {
          toPage({ type: "kept", png: null });
        },
      );
      break;
    case "shown":
      if (data.which === "remote") {
        shown = { width: data.width, height: data.height };
        remote?.show(data.width, data.height);
        reportSize();
      } else {
        self_?.show(data.width, data.height);
      }
      break;
  }
};
