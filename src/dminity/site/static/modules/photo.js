/**
 * Any photo that a browser opens, as a detector takes it: `runtime/photo.py` in JavaScript.
 *
 * Upright by EXIF, transparent parts white, colors as they are stored. A photo that is much larger
 * than what the network sees is averaged down to a half, a quarter or an eighth, as Pillow's
 * `reduce` does, to the bit. (Python has libjpeg unpack a JPEG at that size right away, which gives
 * slightly other pixels: docs/product.md.)
 */

/** A reduced photo stays so many times larger than what the network sees. */
const MARGIN = 1.5;
/** So many rows, whole blocks of 8, are unpacked at once: a phone has no room for 50 million. */
const ROWS = 512;

/** A file is no photo that can be read; the message says why. */
export class BadPhoto extends Error {}

/**
 * @typedef {object} Photo
 * @property {Uint8Array} rgb [height, width, 3], upright, of the copy that is looked at
 * @property {number} width of that copy, in pixels
 * @property {number} height of that copy, in pixels
 */

/**
 * Open a photo's file; whoever calls closes the bitmap.
 *
 * @param {Blob} file
 * @returns {Promise<ImageBitmap>}
 * @throws {BadPhoto}
 */
export async function openPhoto(file) {
  if (!file.size) throw new BadPhoto("it is empty");
  try {
    return await createImageBitmap(file, {
      imageOrientation: "from-image",
      colorSpaceConversion: "none",
    });
  } catch {
    throw new BadPhoto(await reason(file));
  }
}

/**
 * Why a file cannot be read, in the words of the commands.
 *
 * @param {Blob} file
 * @returns {Promise<string>}
 */
async function reason(file) {
  let start;
  try {
    start = new Uint8Array(await file.slice(0, 512).arrayBuffer());
  } catch {
    return "the browser may not read it";
  }
  const text = String.fromCharCode(...start);
  if (/^(\xef\xbb\xbf)?\s*</.test(text)) {
    return "it is a web page or a drawing (HTML, SVG, XML), no photo";
  }
  if (/^....ftyp(hei|hev|mif|msf)/s.test(text)) {
    return "it is a HEIC photo, which this browser does not read: save it as JPEG";
  }
  if (/^(\xff\xd8\xff|\x89PNG|GIF8|BM|RIFF....WEBP|....ftypavi)/s.test(text)) {
    return "it is cut off or damaged";
  }
  return "it is no photo, or of a kind that this browser does not read";
}

/**
 * By how much a photo can be reduced and stay MARGIN times larger than needed.
 *
 * @param {number} width in pixels
 * @param {number} height in pixels
 * @param {[number, number]} inputSize height and width of what the network sees, in pixels
 * @returns {number} 1, 2, 4 or 8
 */
export function reduction(width, height, inputSize) {
  const room = Math.max(width, height) / Math.max(...inputSize) / MARGIN;
  return [8, 4, 2].find((factor) => room >= factor) ?? 1;
}

/**
 * The copy of a photo that the detector looks at.
 *
 * @param {ImageBitmap} bitmap
 * @param {[number, number]} inputSize height and width of what the network sees, in pixels
 * @returns {Photo}
 */
export function readPixels(bitmap, inputSize) {
  const factor = reduction(bitmap.width, bitmap.height, inputSize);
  const width = Math.ceil(bitmap.width / factor);
  const height = Math.ceil(bitmap.height / factor);
  const rgb = new Uint8Array(width * height * 3);
  const canvas = new OffscreenCanvas(bitmap.width, Math.min(ROWS, bitmap.height));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  for (let top = 0; top < bitmap.height; top += ROWS) {
    const rows = Math.min(ROWS, bitmap.height - top);
    context.fillStyle = "white";
    context.fillRect(0, 0, canvas.width, rows);
    context.drawImage(bitmap, 0, -top);
    const { data } = context.getImageData(0, 0, bitmap.width, rows);
    const part = averaged(data, bitmap.width, rows, factor);
    rgb.set(part, (top / factor) * width * 3);
  }
  return { rgb, width, height };
}

/**
 * Means of blocks of pixels, rounded as Pillow's `Image.reduce` rounds them. Blocks at the right
 * and at the bottom may be smaller.
 *
 * @param {Uint8ClampedArray} rgba [height, width, 4]
 * @param {number} width in pixels
 * @param {number} height in pixels
 * @param {number} factor the side of a block, in pixels
 * @returns {Uint8Array} [height / factor, width / factor, 3], sides rounded up
 */
export function averaged(rgba, width, height, factor) {
  const across = Math.ceil(width / factor);
  const down = Math.ceil(height / factor);
  const rgb = new Uint8Array(across * down * 3);
  for (let y = 0; y < down; y++) {
    const bottom = Math.min((y + 1) * factor, height);
    for (let x = 0; x < across; x++) {
      const right = Math.min((x + 1) * factor, width);
      const count = (bottom - y * factor) * (right - x * factor);
      const share = Math.floor(2 ** 24 / count);
      let red = count >> 1;
      let green = red;
      let blue = red;
      for (let row = y * factor; row < bottom; row++) {
        const end = (row * width + right) * 4;
        for (let at = (row * width + x * factor) * 4; at < end; at += 4) {
          red += rgba[at];
          green += rgba[at + 1];
          blue += rgba[at + 2];
        }
      }
      const to = (y * across + x) * 3;
      // Products have up to 32 bits, of which an operator on bits would make a sign.
      rgb[to] = (red * share) / 2 ** 24;
      rgb[to + 1] = (green * share) / 2 ** 24;
      rgb[to + 2] = (blue * share) / 2 ** 24;
    }
  }
  return rgb;
}
