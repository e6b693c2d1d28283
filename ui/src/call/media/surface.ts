import { YuvPainter } from "./yuv";

/** A canvas that a picture is painted on whole, at the size it is shown and never larger than it came. */
export class Surface {
  private shown = { width: 0, height: 0 };
  private picture = { width: 0, height: 0 };
  private context: OffscreenCanvasRenderingContext2D | null = null;
  private painter: YuvPainter | null = null;
  private wanted: ((picture: Promise<Blob>) => void)[] = [];

  constructor(
    private readonly canvas: OffscreenCanvas,
    /** Hears the size of the pictures whenever it changes. */
    private readonly onpicture: (width: number, height: number) => void,
  ) {}

  /** How large the canvas appears, in device pixels. */
  show(width: number, height: number): void {
    this.shown = { width, height };
    this.fit();
  }

  /** Paints a decoded frame. */
  paintFrame(frame: VideoFrame): void {
    this.expect(frame.displayWidth, frame.displayHeight);
    this.context ??= this.canvas.getContext("2d", { alpha: false });
    this.context?.drawImage(frame, 0, 0, this.canvas.width, this.canvas.height);
    this.give(frame.displayWidth, frame.displayHeight, (whole) => {
      whole.getContext("2d", { alpha: false })?.drawImage(frame, 0, 0);
    });
  }

  /** Paints tight I420 planes. */
  paintI420(data: Uint8Array, width: number, height: number): void {
    this.expect(width, height);
    this.painter ??= new YuvPainter(this.canvas);
    this.painter.paint(data, width, height);
    this.give(width, height, (whole) => {
      new YuvPainter(whole).paint(data, width, height);
    });
  }

  /** The next picture as large as it came, as a PNG file. */
  next(): Promise<Blob> {
    return new Promise((resolve) => {
      this.wanted.push(resolve);
    });
  }

  private give(width: number, height: number, paint: (whole: OffscreenCanvas) => void): void {
    if (this.wanted.length === 0) return;
    const whole = new OffscreenCanvas(width, height);
    paint(whole);
    const picture = whole.convertToBlob({ type: "image/png" });
    this.wanted.splice(0).forEach((resolve) => {
      resolve(picture);
    });
  }

  /** Takes the picture away; the size of the next one is reported again. */
  clear(): void {
    this.picture = { width: 0, height: 0 };
    this.context?.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.painter?.clear();
  }

  private expect(width: number, height: number): void {
    if (width === this.picture.width && height === this.picture.height) return;
    this.picture = { width, height };
    this.fit();
    this.onpicture(width, height);
  }

  private fit(): void {
    const { width, height } = this.picture;
    if (width === 0 || height === 0) return;
    // The page lets the picture cover the place it has, so the larger of the two ratios is what is seen.
    const cover = Math.max(this.shown.width / width, this.shown.height / height);
    const scale = cover > 0 ? Math.min(1, cover) : 1;
    const wanted = { width: Math.round(width * scale), height: Math.round(height * scale) };
    if (this.canvas.width !== wanted.width) this.canvas.width = wanted.width;
    if (this.canvas.height !== wanted.height) this.canvas.height = wanted.height;
  }
}
