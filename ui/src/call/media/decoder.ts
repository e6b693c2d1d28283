import { h264CodecString, type Codec, type Picture } from "./wire";

/** More pictures than this waiting in the decoder is a backlog: rather skip to the next key frame than fall behind. */
const MAX_QUEUE = 8;
/** After so many failures without a picture in between, the codec counts as one that this web view cannot decode. */
const MAX_FAILURES = 3;

/** Of more pictures than this the decoder will not say anything any more. */
const MAX_UNDERWAY = 64;

/** A picture in the decoder: its RTP time, and when it went in (`performance.now()`). */
export interface Underway {
  timestamp: number;
  since: number;
}

interface Events {
  /** A picture has come out, and which one it is, where that is known. */
  frame(frame: VideoFrame, picture: Underway | null): void;
  needKeyFrame(): void;
  unsupported(codec: Codec): void;
}

/** Decodes remote pictures with WebCodecs; recovers by asking for a key frame. */
export class RemoteDecoder {
  private decoder: VideoDecoder | null = null;
  private configured = "";
  private size = { width: 0, height: 0 };
  private waitingForKey = true;
  private failures = 0;
  private timestamp = 0;
  /** By the decoder's time stamps, which grow. */
  private readonly underway = new Map<number, Underway>();

  constructor(private readonly events: Events) {}

  /** Takes the next picture. Pictures that cannot be used before a key frame are dropped. */
  async decode(picture: Picture): Promise<void> {
    if (picture.key) {
      if (!(await this.prepare(picture))) return;
      this.waitingForKey = false;
    }
    if (this.waitingForKey) {
      this.events.needKeyFrame();
      return;
    }
    const decoder = this.decoder;
    if (decoder?.state !== "configured") return;
    if (!picture.key && decoder.decodeQueueSize > MAX_QUEUE) {
      this.skipToKeyFrame();
      return;
    }
    // Only the order matters here; the RTP time wraps around, so it is not used.
    const chunk = new EncodedVideoChunk({
      type: picture.key ? "key" : "delta",
      timestamp: (this.timestamp += 1000),
      data: picture.data,
    });
    if (this.underway.size >= MAX_UNDERWAY) this.underway.clear();
    this.underway.set(this.timestamp, { timestamp: picture.timestamp, since: performance.now() });
    try {
      decoder.decode(chunk);
    } catch {
      this.fail(picture.codec);
    }
  }

  close(): void {
    if (this.decoder !== null && this.decoder.state !== "closed") this.decoder.close();
    this.decoder = null;
    this.configured = "";
    this.waitingForKey = true;
  }

  /** The picture with this time stamp has come out; those before it never will. */
  private leave(timestamp: number): Underway | null {
    const picture = this.underway.get(timestamp) ?? null;
    for (const earlier of this.underway.keys()) {
      if (earlier <= timestamp) this.underway.delete(earlier);
    }
    return picture;
  }

  /** Makes the decoder ready for this key frame; false when it cannot be. */
  private async prepare(picture: Picture): Promise<boolean> {
    const codec = picture.codec === "vp8" ? "vp8" : (h264CodecString(picture.data) ?? this.configured);
    // WebKitGTK takes all pictures of a decoder to be as large as its first one, and would squeeze those of a camera that
    // is turned meanwhile.
    const { width, height } = picture;
    const fits = width === this.size.width && height === this.size.height;
    if (codec === this.configured && fits && this.decoder?.state === "configured") return true;
    this.close();
    this.size = { width, height };
    const config: VideoDecoderConfig = { codec, optimizeForLatency: true };
    if (!(await isSupported(config))) {
      this.events.unsupported(picture.codec);
      return false;
    }
    this.decoder = new VideoDecoder({
      output: (frame) => {
        this.failures = 0;
        this.events.frame(frame, this.leave(frame.timestamp));
        frame.close();
      },
      error: () => {
        this.fail(picture.codec);
      },
    });
    this.decoder.configure(config);
    this.configured = codec;
    return true;
  }

  private fail(codec: Codec): void {
    this.failures += 1;
    this.close();
    if (this.failures >= MAX_FAILURES) this.events.unsupported(codec);
    else this.events.needKeyFrame();
  }

  private skipToKeyFrame(): void {
    this.waitingForKey = true;
    this.events.needKeyFrame();
  }
}

async function isSupported(config: VideoDecoderConfig): Promise<boolean> {
  if (typeof VideoDecoder === "undefined") return false;
  try {
    return (await VideoDecoder.isConfigSupported(config)).supported === true;
  } catch {
    return false;
  }
}
