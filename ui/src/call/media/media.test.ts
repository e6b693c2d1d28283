import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RemoteDecoder, type Underway } from "./decoder";
import { Surface } from "./surface";
import { HEADER_BYTES, h264CodecString, parsePicture, type Picture } from "./wire";
import { toRgba, YuvPainter } from "./yuv";

describe("the wire", () => {
  it("reads a header as Rust writes it", () => {
    const bytes = [1, 2, 1, 0, 0x00, 0x05, 0xd0, 0x02, 4, 3, 2, 1, 9, 8, 7];
    const picture = parsePicture(new Uint8Array(bytes).buffer);
    expect(picture).toEqual({
      kind: "remote",
      codec: "vp8",
      key: true,
      width: 1280,
      height: 720,
      timestamp: 0x01020304,
      data: new Uint8Array([9, 8, 7]),
    });
  });

  it("takes nothing else for a picture", () => {
    expect(parsePicture(new ArrayBuffer(HEADER_BYTES))).toBeNull();
    expect(parsePicture(new Uint8Array(20).buffer)).toBeNull();
  });

  it("knows when no picture can be decoded anywhere", () => {
    expect(parsePicture(new Uint8Array([4, ...new Array<number>(11).fill(0)]).buffer)?.kind).toBe(
      "remoteLost",
    );
  });

  it("finds the profile and level of H.264", () => {
    const unit = new Uint8Array([0, 0, 0, 1, 9, 0x10, 0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x1f, 0x8c]);
    expect(h264CodecString(unit)).toBe("avc1.42c01f");
    expect(h264CodecString(new Uint8Array([0, 0, 1, 0x41, 1, 2, 3, 4]))).toBeNull();
  });
});

it("colours are BT.601's", () => {
  const out = new Uint8ClampedArray(16);
  toRgba(new Uint8Array([16, 235, 81, 145, 128, 128]), 2, 2, out);
  expect([...out.slice(0, 8)]).toEqual([0, 0, 0, 255, 255, 255, 255, 255]);
});

it("without WebGL pictures as large as their canvas are put on it as they are", () => {
  vi.stubGlobal("ImageData", FakeImageData);
  const context = { putImageData: vi.fn() };
  const getContext = vi.fn((kind: string) => (kind === "2d" ? context : null));
  const canvas = { width: 2, height: 2, getContext } as unknown as OffscreenCanvas;
  new YuvPainter(canvas).paint(new Uint8Array([16, 235, 81, 145, 128, 128]), 2, 2);
  const [image] = context.putImageData.mock.calls[0] as [FakeImageData];
  expect([...image.data.slice(4, 8)]).toEqual([255, 255, 255, 255]);
  vi.unstubAllGlobals();
});

class FakeImageData {
  readonly data: Uint8ClampedArray;
  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.data = new Uint8ClampedArray(4 * width * height);
  }
}

it("a surface that was cleared reports its next picture as its first", () => {
  const context = { drawImage: vi.fn(), clearRect: vi.fn() };
  const canvas = { width: 16, height: 9, getContext: () => context } as unknown as OffscreenCanvas;
  const reported = vi.fn();
  const surface = new Surface(canvas, reported);
  const frame = { displayWidth: 1280, displayHeight: 720 } as VideoFrame;
  surface.paintFrame(frame);
  surface.paintFrame(frame);
  expect(reported).toHaveBeenCalledTimes(1);
  surface.clear();
  expect(context.clearRect).toHaveBeenCalledWith(0, 0, 1280, 720);
  surface.paintFrame(frame);
  expect(reported).toHaveBeenCalledTimes(2);
});

describe("the decoder", () => {
  const picture = (key: boolean): Picture => ({
    kind: "remote",
    codec: "vp8",
    key,
    width: 0,
    height: 0,
    timestamp: 0,
    data: new Uint8Array([1]),
  });
  let decoders: FakeDecoder[] = [];
  let supported = true;

  class FakeDecoder {
    static isConfigSupported = () => Promise.resolve({ supported });
    state = "unconfigured";
    decodeQueueSize = 0;
    decoded: string[] = [];
    timestamps: number[] = [];
    constructor(readonly init: { error: (error: Error) => void; output: (frame: unknown) => void }) {
      decoders.push(this);
    }
    configure() {
      this.state = "configured";
    }
    decode(chunk: { type: string; timestamp: number }) {
      this.decoded.push(chunk.type);
      this.timestamps.push(chunk.timestamp);
    }
    close() {
      this.state = "closed";
    }
  }

  beforeEach(() => {
    decoders = [];
    supported = true;
    vi.stubGlobal("VideoDecoder", FakeDecoder);
    vi.stubGlobal(
      "EncodedVideoChunk",
      class {
        type: string;
        timestamp: number;
        constructor(init: { type: string; timestamp: number }) {
          this.type = init.type;
          this.timestamp = init.timestamp;
        }
      },
    );
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  const events = () => ({ frame: vi.fn(), needKeyFrame: vi.fn(), unsupported: vi.fn() });

  it("starts with a key frame", async () => {
    const heard = events();
    const decoder = new RemoteDecoder(heard);
    await decoder.decode(picture(false));
    expect(heard.needKeyFrame).toHaveBeenCalledTimes(1);
    await decoder.decode(picture(true));
    await decoder.decode(picture(false));
    expect(decoders[0]?.decoded).toEqual(["key", "delta"]);
  });

  it("says which picture has come out, whatever got lost in it", async () => {
    const heard = events();
    const decoder = new RemoteDecoder(heard);
    await decoder.decode({ ...picture(true), timestamp: 7 });
    await decoder.decode({ ...picture(false), timestamp: 3007 });
    await decoder.decode({ ...picture(false), timestamp: 6007 });
    const [fake] = decoders;
    const out = (index: number) => {
      const frame = { timestamp: fake?.timestamps[index], close: vi.fn() };
      fake?.init.output(frame);
    };
    out(1);
    out(0);
    out(2);
    const said = heard.frame.mock.calls.map(([, which]: unknown[]) => (which as Underway | null)?.timestamp);
    expect(said).toEqual([3007, undefined, 6007]);
  });

  it("skips to the next key frame when it falls behind", async () => {
    const heard = events();
    const decoder = new RemoteDecoder(heard);
    await decoder.decode(picture(true));
    if (decoders[0]) decoders[0].decodeQueueSize = 20;
    await decoder.decode(picture(false));
    await decoder.decode(picture(false));
    expect(decoders[0]?.decoded).toEqual(["key"]);
    expect(heard.needKeyFrame).toHaveBeenCalled();
  });

  it("is another one for pictures of another size", async () => {
    const decoder = new RemoteDecoder(events());
    const lying = { ...picture(true), width: 1280, height: 720 };
    await decoder.decode(lying);
    await decoder.decode({ ...picture(false), width: 1280, height: 720 });
    await decoder.decode(lying);
    expect(decoders).toHaveLength(1);
    await decoder.decode({ ...picture(true), width: 720, height: 1280 });
    expect(decoders.map(({ state, decoded }) => [state, ...decoded])).toEqual([
      ["closed", "key", "delta", "key"],
      ["configured", "key"],
    ]);
  });

  it("starts anew after an error and gives up after three in a row", async () => {
    const heard = events();
    const decoder = new RemoteDecoder(heard);
    for (let round = 0; round < 3; round++) {
      await decoder.decode(picture(true));
      decoders[round]?.init.error(new Error("broken"));
    }
    expect(decoders).toHaveLength(3);
    expect(heard.needKeyFrame).toHaveBeenCalledTimes(2);
    expect(heard.unsupported).toHaveBeenCalledExactlyOnceWith("vp8");
  });

  it("says so when the codec cannot be decoded", async () => {
    supported = false;
    const heard = events();
    await new RemoteDecoder(heard).decode(picture(true));
    expect(heard.unsupported).toHaveBeenCalledExactlyOnceWith("vp8");
    vi.stubGlobal("VideoDecoder", undefined);
    const without = events();
    await new RemoteDecoder(without).decode(picture(true));
    expect(without.unsupported).toHaveBeenCalledExactlyOnceWith("vp8");
  });
});
