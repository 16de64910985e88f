/**
 * What a network gives for a photo, to detections: `runtime/nms.py`, `from_thresholds` of
 * `runtime/finding.py` and `most_specific` of `detection/kinds.py` in JavaScript, with their
 * numbers of 32 and of 64 bits.
 */

import { scaleToFit } from "./letterbox.js";

/** The score that all boxes of a class but the best have to reach, besides its threshold. */
export const SHOWN_SCORE = 0.4;

/**
 * @typedef {object} Detection
 * @property {number} classId its position in the list of classes
 * @property {number} score 0-1
 * @property {number[]} box left, top, right, bottom, in pixels of the photo
 */
/**
 * @typedef {object} BoxThresholds from which scores on boxes are reported, 0-1
 * @property {number[]} best for each class, of its best box in a photo
 * @property {number} others of all its other boxes, besides
 */
/** @typedef {import("./letterbox.js").Size} Size */

const MIN_SCORE = Math.fround(0.01);
/** Two boxes of one thing overlap by more than this. */
const SAME_IOU = 0.65;
const NMS_IOU = Math.fround(SAME_IOU);
/** Of the score of the general name: from here on a thing goes by the specific one. */
const LEAST_SHARE = 0.5;

/**
 * What each anchor says, non-maximum suppression per class, then back to the photo's pixels.
 *
 * @param {Float32Array} predictions [anchors, 5 + classes], decoded: center, size, objectness,
 *     class scores; in pixels of the input
 * @param {number[][]} together for each class, those that an anchor says if it scores highest
 * @param {Size} size of the copy of the photo that was looked at
 * @param {Size} inputSize of the network
 * @returns {Detection[]} best first
 */
export function toDetections(predictions, together, size, inputSize) {
  const candidates = [];
  const classes = together.length;
  for (let at = 0; at < predictions.length; at += 5 + classes) {
    // Most anchors see nothing: no score of theirs is above their objectness.
    if (predictions[at + 4] < MIN_SCORE) continue;
    const said = read(predictions.subarray(at, at + 5 + classes), together);
    candidates.push(...said.filter(({ score }) => score > MIN_SCORE));
  }
  const kept = suppressed(candidates);
  const scale = scaleToFit(size[0], size[1], inputSize);
  const ends = [size[1], size[0], size[1], size[0]];
  return kept.map(({ classId, score, box }) => ({
    classId,
    score,
    box: box.map((side, index) => Math.min(Math.max(side / scale, 0), ends[index])),
  }));
}

/**
 * What an anchor says: its best class and those that are said with it, each with its score, and the
 * box in pixels of the input.
 *
 * @param {Float32Array} anchor
 * @param {number[][]} together
 * @returns {Detection[]}
 */
function read(anchor, together) {
  let best = 0;
  for (let index = 1; index < together.length; index++) {
    if (anchor[5 + index] > anchor[5 + best]) best = index;
  }
  const [x, y, width, height] = anchor;
  const box = [x - width / 2, y - height / 2, x + width / 2, y + height / 2].map(Math.fround);
  return together[best].map((classId) => ({
    classId,
    score: Math.fround(anchor[4] * anchor[5 + classId]),
    box,
  }));
}

/**
 * Of two boxes of a class that overlap by more than NMS_IOU, the better one.
 *
 * @param {Detection[]} candidates
 * @returns {Detection[]} best first
 */
function suppressed(candidates) {
  const kept = [];
  // Sorting keeps the order of those that are as good.
  for (const candidate of candidates.toSorted((one, other) => other.score - one.score)) {
    const overlaps = (better) =>
      better.classId === candidate.classId && overlap(candidate.box, better.box) > NMS_IOU;
    if (!kept.some(overlaps)) kept.push(candidate);
  }
  return kept;
}

/**
 * Intersection over union; of two boxes without area 1, as OpenCV has it, which keeps the left top
 * corner and the size of a box.
 *
 * @param {number[]} one
 * @param {number[]} other
 * @returns {number}
 */
function overlap(one, other) {
  const sides = [one, other].map(([left, top, right, bottom]) => ({
    width: Math.fround(right - left),
    height: Math.fround(bottom - top),
  }));
  const [first, second] = sides;
  const areas = first.width * first.height + second.width * second.height;
  if (areas <= Number.EPSILON) return 1;
  const right = Math.min(one[0] + first.width, other[0] + second.width);
  const bottom = Math.min(one[1] + first.height, other[1] + second.height);
  const width = right - Math.max(one[0], other[0]);
  const height = bottom - Math.max(one[1], other[1]);
  const both = width > 0 && height > 0 ? width * height : 0;
  return Math.fround(1 - Math.fround(1 - both / (areas - both)));
}

/**
 * Detections in pixels of the photo itself, of which a reduced copy was looked at.
 *
 * @param {Detection[]} found
 * @param {Size} copy
 * @param {Size} photo
 * @returns {Detection[]}
 */
export function onPhoto(found, copy, photo) {
  const [down, across] = [photo[0] / copy[0], photo[1] / copy[1]];
  return found.map(({ classId, score, box: [left, top, right, bottom] }) => ({
    classId,
    score,
    box: [left * across, top * down, right * across, bottom * down],
  }));
}

/**
 * Of the detections in a photo those that are sure enough.
 *
 * @param {Detection[]} found best first, as they stay
 * @param {BoxThresholds} thresholds
 * @returns {Detection[]}
 */
export function fromThresholds(found, thresholds) {
  const seen = new Set();
  return found.filter(({ classId, score }) => {
    const isBest = !seen.has(classId);
    seen.add(classId);
    return score >= thresholds.best[classId] && (isBest || score >= thresholds.others);
  });
}

/**
 * Detections with one name for a thing that has a general and a specific one.
 *
 * @param {Detection[]} found
 * @param {number[][]} kinds for each class, those that are a kind of it
 * @returns {Detection[]}
 */
export function mostSpecific(found, kinds) {
  /**
   * @param {Detection} general
   * @param {Detection} specific
   */
  const isSame = (general, specific) =>
    kinds[general.classId].includes(specific.classId) &&
    intersectionOverUnion(general.box, specific.box) > SAME_IOU;
  const sure = found.filter(
    (one) =>
      !found.some((other) => isSame(other, one) && one.score < LEAST_SHARE * other.score),
  );
  return sure.filter((general) => !sure.some((specific) => isSame(general, specific)));
}

/**
 * As `pairwise_iou` of `detection/boxes.py` has it: of two boxes without area 0.
 *
 * @param {number[]} one
 * @param {number[]} other
 * @returns {number}
 */
function intersectionOverUnion(one, other) {
  const width = Math.max(Math.min(one[2], other[2]) - Math.max(one[0], other[0]), 0);
  const height = Math.max(Math.min(one[3], other[3]) - Math.max(one[1], other[1]), 0);
  const areas = [one, other].map(([left, top, right, bottom]) => (right - left) * (bottom - top));
  const union = areas[0] + areas[1] - width * height;
  return union > 0 ? (width * height) / union : 0;
}
