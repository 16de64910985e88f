/**
 * Photo to network input and back, `detection/letterbox.py` in JavaScript, to the bit: scaled with
 * OpenCV's integers, put at the top left of the smallest rectangle of whole strides, the rest gray.
 */

/** @typedef {import("./photo.js").Photo} Photo */
/** @typedef {[number, number]} Size height and width in pixels */

const GRAY = 114;
/** In pixels of the input, how far apart the anchor points of the coarsest level are. */
const STRIDE = 32;
/** OpenCV's weights of two neighboring pixels are whole numbers, together this. */
const ONE = 2048;

/**
 * By how much a photo shrinks or grows to fit into the input of the network.
 *
 * @param {number} height in pixels
 * @param {number} width in pixels
 * @param {Size} inputSize
 * @returns {number}
 */
export function scaleToFit(height, width, inputSize) {
  return Math.min(inputSize[0] / height, inputSize[1] / width);
}

/**
 * The size that a photo has after scaling.
 *
 * @param {number} height in pixels
 * @param {number} width in pixels
 * @param {Size} inputSize
 * @returns {Size}
 */
function fittedSize(height, width, inputSize) {
  const scale = scaleToFit(height, width, inputSize);
  return [Math.max(1, Math.trunc(height * scale)), Math.max(1, Math.trunc(width * scale))];
}

/**
 * The size, in whole strides, of the input that a photo fills.
 *
 * @param {number} height in pixels
 * @param {number} width in pixels
 * @param {Size} inputSize
 * @returns {Size}
 */
export function filledSize(height, width, inputSize) {
  const [fittedHeight, fittedWidth] = fittedSize(height, width, inputSize);
  return [Math.ceil(fittedHeight / STRIDE) * STRIDE, Math.ceil(fittedWidth / STRIDE) * STRIDE];
}

/**
 * A photo in the rectangle that the network sees.
 *
 * @param {Photo} photo
 * @param {Size} inputSize that it is scaled to fit into
 * @param {Size} size of that rectangle, at least `filledSize`
 * @returns {Uint8Array} [...size, 3], red, green, blue
 */
export function letterbox(photo, inputSize, size) {
  const [height, width] = fittedSize(photo.height, photo.width, inputSize);
  const fitted = resized(photo, height, width);
  const padded = new Uint8Array(size[0] * size[1] * 3).fill(GRAY);
  for (let y = 0; y < height; y++) {
    padded.set(fitted.subarray(y * width * 3, (y + 1) * width * 3), y * size[1] * 3);
  }
  return padded;
}

/**
 * What `cv2.resize(photo, (width, height), interpolation=cv2.INTER_LINEAR)` gives for 8 bits.
 *
 * @param {Photo} photo
 * @param {number} height in pixels
 * @param {number} width in pixels
 * @returns {Uint8Array} [height, width, 3]
 */
function resized(photo, height, width) {
  if (height === photo.height && width === photo.width) return photo.rgb;
  if (height * 2 === photo.height && width * 2 === photo.width) return halved(photo);
  const columns = neighbors(photo.width, width);
  const rows = neighbors(photo.height, height);
  const result = new Uint8Array(height * width * 3);
  // Rows of sums are needed again for the next row: the last two are kept.
  const kept = new Map();
  for (let y = 0; y < height; y++) {
    const pair = [rows.first[y], rows.second[y]];
    for (const row of kept.keys()) if (!pair.includes(row)) kept.delete(row);
    for (const row of pair) if (!kept.has(row)) kept.set(row, scaledRow(photo, row, columns));
    const [above, below] = pair.map((row) => kept.get(row));
    const [upper, lower] = [rows.firstWeight[y], rows.secondWeight[y]];
    for (let at = 0, to = y * width * 3; at < width * 3; at++, to++) {
      const sum = ((upper * (above[at] >> 4)) >> 16) + ((lower * (below[at] >> 4)) >> 16);
      result[to] = (sum + 2) >> 2;
    }
  }
  return result;
}

/**
 * Of each pixel along a side, between which two of the photo it lies, and the weight of either.
 * OpenCV reckons the place with 64 bits, and what is after its point with 32.
 *
 * @param {number} from how many pixels the photo has
 * @param {number} to how many there are to be
 */
function neighbors(from, to) {
  const first = new Int32Array(to);
  const second = new Int32Array(to);
  const firstWeight = new Int32Array(to);
  const secondWeight = new Int32Array(to);
  const scale = 1 / (to / from);
  for (let index = 0; index < to; index++) {
    const place = Math.fround((index + 0.5) * scale - 0.5);
    const before = Math.floor(place);
    const rest = Math.fround(place - before);
    first[index] = Math.min(Math.max(before, 0), from - 1);
    second[index] = Math.min(Math.max(before + 1, 0), from - 1);
    firstWeight[index] = rounded(Math.fround(Math.fround(1 - rest) * ONE));
    secondWeight[index] = rounded(Math.fround(rest * ONE));
  }
  return { first, second, firstWeight, secondWeight };
}

/**
 * The nearest whole number; of two, the even one.
 *
 * @param {number} value
 * @returns {number}
 */
function rounded(value) {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}

/**
 * A row of the photo at its new width, times ONE.
 *
 * @param {Photo} photo
 * @param {number} row
 * @param {ReturnType<typeof neighbors>} columns
 * @returns {Int32Array} [width, 3]
 */
function scaledRow(photo, row, { first, second, firstWeight, secondWeight }) {
  const result = new Int32Array(first.length * 3);
  const start = row * photo.width * 3;
  for (let x = 0; x < first.length; x++) {
    const left = start + first[x] * 3;
    const right = start + second[x] * 3;
    for (let channel = 0; channel < 3; channel++) {
      result[x * 3 + channel] =
        photo.rgb[left + channel] * firstWeight[x] + photo.rgb[right + channel] * secondWeight[x];
    }
  }
  return result;
}

/**
 * Half the size, for which OpenCV takes the mean of four pixels.
 *
 * @param {Photo} photo
 * @returns {Uint8Array}
 */
function halved({ rgb, width, height }) {
  const result = new Uint8Array((width * height * 3) / 4);
  let to = 0;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      for (let channel = 0; channel < 3; channel++, to++) {
        const at = (y * width + x) * 3 + channel;
        const below = at + width * 3;
        result[to] = (rgb[at] + rgb[at + 3] + rgb[below] + rgb[below + 3] + 2) >> 2;
      }
    }
  }
  return result;
}

/**
 * A letterboxed photo as the network takes it.
 *
 * @param {Uint8Array} letterboxed [height, width, 3], red, green, blue
 * @returns {Float32Array} [3, height, width], blue, green, red, 0-255
 */
export function networkInput(letterboxed) {
  const pixels = letterboxed.length / 3;
  const planes = new Float32Array(letterboxed.length);
  for (let at = 0; at < pixels; at++) {
    planes[at] = letterboxed[at * 3 + 2];
    planes[pixels + at] = letterboxed[at * 3 + 1];
    planes[2 * pixels + at] = letterboxed[at * 3];
  }
  return planes;
}
