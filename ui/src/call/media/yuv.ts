const VERTEX = `
attribute vec2 corner;
varying vec2 at;
void main() {
  at = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`;

/** BT.601, limited range. */
const FRAGMENT = `
precision mediump float;
varying vec2 at;
uniform sampler2D planeY;
uniform sampler2D planeU;
uniform sampler2D planeV;
void main() {
  float y = 1.164384 * (texture2D(planeY, at).r - 0.062745);
  float u = texture2D(planeU, at).r - 0.501961;
  float v = texture2D(planeV, at).r - 0.501961;
  gl_FragColor = vec4(y + 1.596027 * v, y - 0.391762 * u - 0.812968 * v, y + 2.017232 * u, 1.0);
}`;

/** Paints I420 pictures: on the graphics card where there is one, otherwise by computing every pixel. */
export class YuvPainter {
  private readonly gl: WebGLRenderingContext | null;
  private readonly context: OffscreenCanvasRenderingContext2D | null = null;
  private image: ImageData | null = null;
  private scratch: OffscreenCanvas | null = null;

  constructor(private readonly canvas: OffscreenCanvas) {
    this.gl = canvas.getContext("webgl", { alpha: false, antialias: false, depth: false, stencil: false });
    if (this.gl === null) this.context = canvas.getContext("2d", { alpha: false });
    else prepare(this.gl);
  }

  /** Paints tight planes over the whole canvas. */
  paint(data: Uint8Array, width: number, height: number): void {
    if (this.gl !== null) this.paintWithGl(this.gl, data, width, height);
    else this.paintPixels(data, width, height);
  }

  /** Paints the whole canvas black. */
  clear(): void {
    this.gl?.clearColor(0, 0, 0, 1);
    this.gl?.clear(this.gl.COLOR_BUFFER_BIT);
    this.context?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private paintWithGl(gl: WebGLRenderingContext, data: Uint8Array, width: number, height: number): void {
    const [y, u, v] = planes(data, width, height);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    upload(gl, 0, y, width, height);
    upload(gl, 1, u, (width + 1) >> 1, (height + 1) >> 1);
    upload(gl, 2, v, (width + 1) >> 1, (height + 1) >> 1);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  private paintPixels(data: Uint8Array, width: number, height: number): void {
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = new ImageData(width, height);
      this.scratch = null;
    }
    toRgba(data, width, height, this.image.data);
    if (width === this.canvas.width && height === this.canvas.height) {
      this.context?.putImageData(this.image, 0, 0);
      return;
    }
    this.scratch ??= new OffscreenCanvas(width, height);
    this.scratch.getContext("2d")?.putImageData(this.image, 0, 0);
    this.context?.drawImage(this.scratch, 0, 0, this.canvas.width, this.canvas.height);
  }
}

function planes(data: Uint8Array, width: number, height: number): [Uint8Array, Uint8Array, Uint8Array] {
  const luma = width * height;
  const chroma = ((width + 1) >> 1) * ((height + 1) >> 1);
  return [
    data.subarray(0, luma),
    data.subarray(luma, luma + chroma),
    data.subarray(luma + chroma, luma + 2 * chroma),
  ];
}

function prepare(gl: WebGLRenderingContext): void {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind);
    if (shader === null) return;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
  const corner = gl.getAttribLocation(program, "corner");
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
  ["planeY", "planeU", "planeV"].forEach((name, unit) => {
    gl.activeTexture(gl.TEXTURE0 + unit);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.uniform1i(gl.getUniformLocation(program, name), unit);
  });
}

function upload(
  gl: WebGLRenderingContext,
  unit: number,
  plane: Uint8Array,
  width: number,
  height: number,
): void {
  gl.activeTexture(gl.TEXTURE0 + unit);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.LUMINANCE, width, height, 0, gl.LUMINANCE, gl.UNSIGNED_BYTE, plane);
}

/** BT.601, limited range, in 16.16 fixed point. */
export function toRgba(data: Uint8Array, width: number, height: number, out: Uint8ClampedArray): void {
  const [luma, blue, red] = planes(data, width, height);
  const half = (width + 1) >> 1;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const chroma = (row >> 1) * half + (column >> 1);
      const y = 76309 * ((luma[row * width + column] ?? 16) - 16) + 32768;
      const u = (blue[chroma] ?? 128) - 128;
      const v = (red[chroma] ?? 128) - 128;
      const at = 4 * (row * width + column);
      out[at] = (y + 104597 * v) >> 16;
      out[at + 1] = (y - 25675 * u - 53279 * v) >> 16;
      out[at + 2] = (y + 132201 * u) >> 16;
      out[at + 3] = 255;
    }
  }
}
