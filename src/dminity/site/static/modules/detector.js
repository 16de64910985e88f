/**
 * The worker that looks at photos, one after the other, so that the page never waits.
 *
 * It says `{ready: Model}` or `{broken: string}` once; then, for each `{id, file}` that it gets,
 * `{id, begun: true}` and `{id, seen: Seen}` or `{id, failed: string}`.
 */

import * as ort from "../onnxruntime/ort.wasm.bundle.min.js";
import { onPhoto, toDetections } from "./detections.js";
import { filledSize, letterbox, networkInput } from "./letterbox.js";
import { BadPhoto, openPhoto, readPixels } from "./photo.js";

/**
 * @typedef {object} Model what the model's file says of itself
 * @property {string} variant
 * @property {string[]} classes
 * @property {[number, number]} input_size height and width in pixels
 * @property {number[]} thresholds for each class, 0-1
 * @property {number[][]} together for each class, those that an anchor says if it scores highest
 * @property {number[][]} kinds for each class, those that are a kind of it
 * @property {string} file where the network is, with its checksum: no other version's is taken
 */
/**
 * @typedef {object} Seen
 * @property {number} width of the photo, upright, in pixels
 * @property {number} height
 * @property {import("./detections.js").Detection[]} found best first, from the lowest score on
 * @property {Blob} picture a smaller copy, for people to look at
 * @property {number} milliseconds that it took
 */

const ROOT = new URL("../", import.meta.url);
const WASM = "onnxruntime/ort-wasm-simd-threaded.wasm.packed";
/** Of the copy that is shown; the detector looks at another. */
const PICTURE_SIDE = 1280;
const PICTURE_QUALITY = 0.88;
const WHITE = "#ffffff";

/**
 * A file of the site.
 *
 * @param {string} path
 * @returns {Promise<Response>}
 */
async function get(path) {
  const response = await fetch(new URL(path, ROOT));
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return response;
}

/**
 * A compressed file, unpacked, unless the server has told the browser to do that.
 *
 * @param {string} path
 * @returns {Promise<ArrayBuffer>}
 */
async function getUnpacked(path) {
  const content = await (await get(path)).arrayBuffer();
  const [first, second] = new Uint8Array(content, 0, 2);
  if (first !== 0x1f || second !== 0x8b) return content;
  const unpacked = new Blob([content]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(unpacked).arrayBuffer();
}

/**
 * Fetch the model and what runs it.
 *
 * @returns {Promise<{model: Model, session: ort.InferenceSession}>}
 */
async function load() {
  const described = get("model.json").then((response) => response.json());
  const [model, file, wasm] = await Promise.all([
    described,
    described.then(({ file }) => get(file)).then((response) => response.arrayBuffer()),
    getUnpacked(WASM),
  ]);
  // More threads want memory that they share, which browsers grant to isolated pages only.
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = wasm;
  const session = await ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
  return { model, session };
}

/**
 * What is in a photo.
 *
 * @param {Blob} file
 * @param {Awaited<ReturnType<typeof load>>} detector
 * @returns {Promise<Seen>}
 */
async function look(file, { model, session }) {
  const start = performance.now();
  const bitmap = await openPhoto(file);
  try {
    const { width, height } = bitmap;
    const photo = readPixels(bitmap, model.input_size);
    const size = filledSize(photo.height, photo.width, model.input_size);
    const input = networkInput(letterbox(photo, model.input_size, size));
    const { predictions } = await session.run({
      images: new ort.Tensor("float32", input, [1, 3, ...size]),
    });
    if (predictions.dims.at(-1) !== 5 + model.classes.length) {
      throw new Error("the model is of another version; reload the page");
    }
    const copy = [photo.height, photo.width];
    const found = toDetections(predictions.data, model.together, copy, model.input_size);
    const picture = await smaller(bitmap);
    return {
      width,
      height,
      found: onPhoto(found, copy, [height, width]),
      picture,
      milliseconds: performance.now() - start,
    };
  } finally {
    bitmap.close();
  }
}

/**
 * A copy for people to look at.
 *
 * @param {ImageBitmap} bitmap
 * @returns {Promise<Blob>} a JPEG
 */
function smaller(bitmap) {
  const scale = Math.min(1, PICTURE_SIDE / Math.max(bitmap.width, bitmap.height));
  const side = (length) => Math.max(1, Math.round(length * scale));
  const canvas = new OffscreenCanvas(side(bitmap.width), side(bitmap.height));
  const context = canvas.getContext("2d");
  context.fillStyle = WHITE;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: PICTURE_QUALITY });
}

const loaded = load();
loaded.then(
  ({ model }) => postMessage({ ready: model }),
  (error) => postMessage({ broken: String(error.message ?? error) }),
);

// The page sends the next photo when this one is done: two at once would take twice the memory.
onmessage = async ({ data: { id, file } }) => {
  try {
    const detector = await loaded;
    postMessage({ id, begun: true });
    postMessage({ id, seen: await look(file, detector) });
  } catch (error) {
    const known = error instanceof BadPhoto;
    postMessage({ id, failed: known ? error.message : `it cannot be looked at (${error})` });
  }
};
