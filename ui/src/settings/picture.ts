/** The most that the server takes, in bytes. */
const MOST = 256 * 1024;

/** The longest side of what is sent, in pixels. */
const SIDE = 512;

/** A file beyond this, in bytes, is not read at all. */
const LARGEST_FILE = 64 * 1024 * 1024;

/** How well the picture is coded: as well as there is room for. */
const QUALITIES = [0.9, 0.8, 0.65, 0.5];

/** Why a file is not taken. */
export class UnusablePicture extends Error {
  constructor(readonly why: "unreadable" | "tooLarge") {
    super(why);
  }
}

/** The square in the middle of something: its corner and its side. */
export function middle(width: number, height: number): { x: number; y: number; side: number } {
  const side = Math.min(width, height);
  return { x: (width - side) / 2, y: (height - side) / 2, side };
}

/** The middle of the picture in a file, as a square JPEG that the server takes. */
export async function squarePicture(file: File): Promise<Uint8Array> {
  if (file.size > LARGEST_FILE) throw new UnusablePicture("tooLarge");
  const picture = await createImageBitmap(file).catch(() => {
    throw new UnusablePicture("unreadable");
  });
  const { x, y, side } = middle(picture.width, picture.height);
  if (side === 0) throw new UnusablePicture("unreadable");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.min(side, SIDE);
  const context = canvas.getContext("2d");
  if (context === null) throw new UnusablePicture("unreadable");
  // JPEG knows no transparency.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, x, y, side, side, 0, 0, canvas.width, canvas.height);
  picture.close();
  for (const quality of QUALITIES) {
    const jpeg = await new Promise<Blob | null>((resolve) => {
      canvas.toBlob(resolve, "image/jpeg", quality);
    });
    if (jpeg?.type !== "image/jpeg") throw new UnusablePicture("unreadable");
    if (jpeg.size <= MOST) return new Uint8Array(await jpeg.arrayBuffer());
  }
  throw new UnusablePicture("tooLarge");
}
