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

/** Pictures that have been taken in are told of with the next one that is painted, or when there are so many. */
const MOST_UNTOLD = 4;

/** A picture of this side waits for so long for a remote one, in milliseconds: the page is then painted once for both. */
const COMPANY = 40;

let socket: WebSocket | null = null;
let remote: Surface | null = null;
let self_: Surface | null = null;
let pending: Promise<void> = Promise.resolve();
let untold = 0;
/** This side's newest picture, while it waits. */
let own: Picture | null = null;
let ownTimer = 0;
let remotePaintedAt = -Infinity;

const tell = (message: WorkerSays) => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
};

/** In whole microseconds, as Rust reads them. */
const micros = (milliseconds: number) => Math.max(0, Math.round(milliseconds * 1000));

function painted(timestamp: number | null, decoding: number, decodedAt: number): void {
  const now = performance.now();
  remotePaintedAt = now;
  if (timestamp !== null) {
    const painting = micros(now - decodedAt);
    tell({ type: "painted", timestamp, decoding: micros(decoding), painting, taken: untold });
    untold = 0;
  }
  if (own !== null) paintOwn();
}

function taken(): void {
  untold += 1;
  if (untold < MOST_UNTOLD) return;
  tell({ type: "taken", taken: untold });
  untold = 0;
}

function takeOwn(picture: Picture): void {
  own = picture;
  if (performance.now() - remotePaintedAt > COMPANY) paintOwn();
  else if (ownTimer === 0) ownTimer = setTimeout(paintOwn, COMPANY);
}

function paintOwn(): void {
  clearTimeout(ownTimer);
  ownTimer = 0;
  if (own !== null) self_?.paintI420(own.data, own.width, own.height);
  own = null;
}

const decoder = new RemoteDecoder({
  frame: (frame, picture) => {
    const decodedAt = performance.now();
    remote?.paintFrame(frame);
    painted(picture?.timestamp ?? null, decodedAt - (picture?.since ?? decodedAt), decodedAt);
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
  untold = 0;
  opened.onopen = () => {
    reportSize("remote");
    reportSize("self");
  };
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
      takeOwn(picture);
      break;
    case "remoteLost":
      toPage({ type: "lost" });
      break;
    case "remoteRaw": {
      const decodedAt = performance.now();
      remote?.paintI420(picture.data, picture.width, picture.height);
      taken();
      painted(picture.timestamp, 0, decodedAt);
      break;
    }
    case "remote":
      // One after the other: preparing the decoder waits.
      pending = pending.then(() => decoder.decode(picture)).then(taken);
      break;
  }
}

async function keep(): Promise<ArrayBuffer | null> {
  return remote === null ? null : (await remote.next()).arrayBuffer();
}

const shown = { remote: { width: 0, height: 0 }, self: { width: 0, height: 0 } };
function reportSize(which: "remote" | "self"): void {
  if (shown[which].width > 0) tell({ type: "size", which, ...shown[which] });
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
      shown[data.which] = { width: data.width, height: data.height };
      (data.which === "remote" ? remote : self_)?.show(data.width, data.height);
      reportSize(data.which);
      break;
  }
};
