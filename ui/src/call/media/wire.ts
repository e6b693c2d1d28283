/**
 * What goes over the media socket, between Rust (`src-tauri/src/media_socket/`) and the worker. Pictures come as binary
 * messages of one picture or several, since every message passes three processes: of each a header of 16 bytes,
 * little-endian, and its data.
 *
 * | offset | size | field                                                        |
 * |--------|------|--------------------------------------------------------------|
 * | 0      | 1    | kind: 1 remote encoded, 2 remote I420, 3 own I420,           |
 * |        |      | 4 no remote picture can be decoded, and none follows here    |
 * | 1      | 1    | codec: 0 none, 1 H.264 (Annex B), 2 VP8                      |
 * | 2      | 1    | flags: bit 0 key frame                                       |
 * | 3      | 1    | 0                                                            |
 * | 4      | 2    | width, 0 where unknown                                       |
 * | 6      | 2    | height, 0 where unknown                                      |
 * | 8      | 4    | RTP time, 90 kHz                                             |
 * | 12     | 4    | length of the data                                           |
 *
 * The worker answers in JSON texts, {@link WorkerSays}.
 */
export const HEADER_BYTES = 16;

export type Kind = "remote" | "remoteRaw" | "self" | "remoteLost";
export type Codec = "none" | "h264" | "vp8";

const KINDS: Record<number, Kind> = { 1: "remote", 2: "remoteRaw", 3: "self", 4: "remoteLost" };
const CODECS: Record<number, Codec> = { 0: "none", 1: "h264", 2: "vp8" };

export interface Picture {
  kind: Kind;
  codec: Codec;
  key: boolean;
  width: number;
  height: number;
  timestamp: number;
  data: Uint8Array;
}

/** A remote picture that has been painted: its RTP time, what decoder and painting took and how long ago it was done, in microseconds. */
export interface PaintedPicture {
  timestamp: number;
  decoding: number;
  painting: number;
  ago: number;
}

/** What the worker tells Rust. */
export type WorkerSays =
  /**
   * So many more remote pictures have been taken in, which Rust counts so that no backlog builds up, and these have been
   * painted.
   */
  | { type: "progress"; taken: number; painted: PaintedPicture[] }
  /** The last remote picture has been taken away, since the camera went off or comes back. */
  | { type: "cleared" }
  /** The decoder cannot go on without a key frame. */
  | { type: "keyFrame" }
  /** This web view cannot decode the codec: decode natively and send I420. */
  | { type: "native"; codec: Codec }
  /** The pictures of one side are shown at this size, in device pixels. */
  | { type: "size"; which: "remote" | "self"; width: number; height: number };

/** The pictures of a binary message, up to the first thing that is none. */
export function* pictures(message: ArrayBuffer): Generator<Picture> {
  for (let at = 0; at + HEADER_BYTES <= message.byteLength;) {
    const view = new DataView(message, at);
    const length = view.getUint32(12, true);
    const picture = parse(view, message, at + HEADER_BYTES, length);
    if (picture === null) return;
    yield picture;
    at += HEADER_BYTES + length;
  }
}

function parse(header: DataView, message: ArrayBuffer, from: number, length: number): Picture | null {
  const kind = KINDS[header.getUint8(0)];
  const codec = CODECS[header.getUint8(1)];
  if (kind === undefined || codec === undefined) return null;
  if (from + length > message.byteLength || (kind !== "remoteLost" && length === 0)) return null;
  return {
    kind,
    codec,
    key: (header.getUint8(2) & 1) === 1,
    width: header.getUint16(4, true),
    height: header.getUint16(6, true),
    timestamp: header.getUint32(8, true),
    data: new Uint8Array(message, from, length),
  };
}

/** The codec string (RFC 6381) of an H.264 access unit's parameter set, or null when it carries none. */
export function h264CodecString(annexB: Uint8Array): string | null {
  for (let i = 0; i + 6 < annexB.length; i++) {
    if (annexB[i] !== 0 || annexB[i + 1] !== 0 || annexB[i + 2] !== 1) continue;
    if (((annexB[i + 3] ?? 0) & 0x1f) !== 7) continue;
    const hex = (at: number) => (annexB[at] ?? 0).toString(16).padStart(2, "0");
    return `avc1.${hex(i + 4)}${hex(i + 5)}${hex(i + 6)}`;
  }
  return null;
}
