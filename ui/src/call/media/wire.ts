/**
 * What goes over the media socket, between Rust (`src-tauri/src/media_socket/`) and the worker. Pictures come as binary
 * messages: a header of 12 bytes, little-endian, and the picture's data.
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
 *
 * The worker answers in JSON texts, {@link WorkerSays}.
 */
export const HEADER_BYTES = 12;

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

/** What the worker tells Rust. */
export type WorkerSays =
  /** So many more remote pictures have been taken in; Rust counts these so that no backlog builds up. */
  | { type: "taken"; taken: number }
  /**
   * A remote picture has been painted: its RTP time, what decoder and painting took, in microseconds, and how many more
   * have been taken in.
   */
  | { type: "painted"; timestamp: number; decoding: number; painting: number; taken: number }
  /** The last remote picture has been taken away, since the camera went off or comes back. */
  | { type: "cleared" }
  /** The decoder cannot go on without a key frame. */
  | { type: "keyFrame" }
  /** This web view cannot decode the codec: decode natively and send I420. */
  | { type: "native"; codec: Codec }
  /** The pictures of one side are shown at this size, in device pixels. */
  | { type: "size"; which: "remote" | "self"; width: number; height: number };

/** Reads a binary message; null when it is not a picture. */
export function parsePicture(message: ArrayBuffer): Picture | null {
  if (message.byteLength < HEADER_BYTES) return null;
  const view = new DataView(message);
  const kind = KINDS[view.getUint8(0)];
  const codec = CODECS[view.getUint8(1)];
  if (kind === undefined || codec === undefined) return null;
  if (kind !== "remoteLost" && message.byteLength === HEADER_BYTES) return null;
  return {
    kind,
    codec,
    key: (view.getUint8(2) & 1) === 1,
    width: view.getUint16(4, true),
    height: view.getUint16(6, true),
    timestamp: view.getUint32(8, true),
    data: new Uint8Array(message, HEADER_BYTES),
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
