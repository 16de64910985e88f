/**
 * What can be downloaded: the JSON and CSV of `dminity predict` and `dminity listing`, whose
 * schemas are in docs/product.md.
 */

/** @typedef {import("./detections.js").Detection} Detection */
/**
 * @typedef {object} Looked a photo, and what is shown of it
 * @property {{name: string, width: number, height: number}} photo
 * @property {Detection[]} found
 */
/** @typedef {{name: string, reason: string}} Failed */

const SCORE_DIGITS = 4;
const BOX_DIGITS = 2;

/**
 * A number with fewer digits after its point; of two that are as near, the one with the even last
 * digit, as Python rounds.
 *
 * @param {number} value
 * @param {number} digits
 * @returns {number}
 */
export function rounded(value, digits) {
  const text = value.toFixed(digits);
  // Only so many binary places give a five, and nothing after it, in the next decimal place.
  const between =
    Number.isInteger(value * 2 ** (digits + 1)) && value.toFixed(digits + 1).endsWith("5");
  if (!between || Number(text.at(-1)) % 2 === 0) return Number(text);
  return Number((value - Math.sign(value) * 10 ** -(digits + 1)).toFixed(digits));
}

/**
 * `predict --json`.
 *
 * @param {Looked[]} looked
 * @param {Failed[]} failed
 * @param {string[]} classes
 * @returns {string}
 */
export function boxesAsJson(looked, failed, classes) {
  const photos = looked.map(({ photo, found }) => ({
    photo: photo.name,
    width: photo.width,
    height: photo.height,
    detections: found.map(({ classId, score, box }) => ({
      class: classes[classId],
      score: rounded(score, SCORE_DIGITS),
      box: corners(box),
    })),
    saved: null,
  }));
  return json({ photos, failed: unread(failed) });
}

/**
 * `predict --csv`.
 *
 * @param {Looked[]} looked
 * @param {string[]} classes
 * @returns {string}
 */
export function boxesAsCsv(looked, classes) {
  const rows = [["photo", "class", "score", "left", "top", "right", "bottom"]];
  for (const { photo, found } of looked) {
    for (const { classId, score, box } of found) {
      const numbers = [rounded(score, SCORE_DIGITS), ...corners(box)].map(decimal);
      rows.push([photo.name, classes[classId], ...numbers]);
    }
  }
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}

/**
 * `listing --json`, of one home.
 *
 * @param {import("./listing.js").Listed<{name: string}>[]} listed
 * @param {number} photos how many were looked at
 * @param {Failed[]} failed
 * @returns {string}
 */
export function listAsJson(listed, photos, failed) {
  const amenities = listed.map(({ amenity, count, confidence, evidence, verdict }) => ({
    amenity,
    at_least: count,
    confidence: rounded(confidence, SCORE_DIGITS),
    photo: evidence && evidence.photo.name,
    boxes: evidence ? evidence.boxes.map(corners) : [],
    claim: verdict,
  }));
  return json({ homes: [{ home: "home", photos, amenities }], failed: unread(failed) });
}

/** @param {number[]} box */
function corners(box) {
  return box.map((side) => rounded(side, BOX_DIGITS));
}

/** @param {Failed[]} failed */
function unread(failed) {
  return failed.map(({ name, reason }) => ({ photo: name, reason }));
}

/** @param {unknown} content */
function json(content) {
  return `${JSON.stringify(content, null, 2)}\n`;
}

/**
 * A number as Python prints it.
 *
 * @param {number} value
 */
function decimal(value) {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/**
 * A cell of a CSV, in quotes where they are needed.
 *
 * @param {string} text
 */
function cell(text) {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
