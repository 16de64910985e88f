/**
 * From what is seen in the photos of a home to what the home has, and what its owner claims:
 * `runtime/listing.py` in JavaScript.
 *
 * There are at least as many of an amenity as the photo shows that has most of it: photos of one
 * room from two sides show the same bed twice. That photo is the evidence; of two that show as
 * many, the one with the surer detection. The confidence is the best score in any photo. Within a
 * photo a thing goes by one name; who claims a couch and has a sofa bed is right all the same, and
 * who claims a sofa bed claims a couch.
 */

/** @typedef {import("./detections.js").Detection} Detection */
/**
 * @template Photo
 * @typedef {object} Sighting an amenity in one photo
 * @property {Photo} photo
 * @property {number[][]} boxes best first, in pixels of the photo
 * @property {number} score of the best
 */
/**
 * @template Photo
 * @typedef {object} Listed
 * @property {string} amenity
 * @property {number} count 0 if it is claimed and not seen
 * @property {number} confidence 0-1
 * @property {Sighting<Photo> | null} evidence
 * @property {"confirmed" | "not seen" | "not claimed" | null} verdict null without claims
 */

/**
 * What a home has, in the order of the classes: what is seen, then what is only claimed.
 *
 * @template Photo
 * @param {Iterable<{photo: Photo, found: Detection[]}>} looked found: what is reported of
 *     it, best first
 * @param {string[]} classes
 * @param {number[][]} kinds for each class, those that are a kind of it
 * @param {Set<string> | null} claimed null if nobody asks
 * @returns {Listed<Photo>[]}
 */
export function listHome(looked, classes, kinds, claimed) {
  const shown = new Map();
  for (const { photo, found } of looked) {
    for (const [amenity, sighting] of sightings(photo, found, classes)) add(shown, amenity, sighting);
  }
  const called = new Map(
    classes.map((amenity, number) => {
      const names = claimed?.has(amenity) ? kinds[number].map((kind) => classes[kind]) : [];
      return [amenity, shown.has(amenity) ? shown.get(amenity) : best(shown, names)];
    }),
  );
  const isClaimed = (/** @type {string} */ amenity) =>
    claimed.has(amenity) ||
    kinds[classes.indexOf(amenity)].some((kind) => claimed.has(classes[kind]));
  const seen = classes.filter((amenity) => called.get(amenity));
  const missed = classes.filter((amenity) => claimed?.has(amenity) && !called.get(amenity));
  return [
    ...seen.map((amenity) => ({
      amenity,
      count: called.get(amenity).evidence.boxes.length,
      ...called.get(amenity),
      verdict: claimed && (isClaimed(amenity) ? "confirmed" : "not claimed"),
    })),
    ...missed.map((amenity) => ({
      amenity,
      count: 0,
      confidence: 0,
      evidence: null,
      verdict: "not seen",
    })),
  ];
}

/**
 * The amenities in a photo.
 *
 * @template Photo
 * @param {Photo} photo
 * @param {Detection[]} found
 * @param {string[]} classes
 * @returns {Map<string, Sighting<Photo>>}
 */
function sightings(photo, found, classes) {
  const seen = new Map();
  for (const { classId, score, box } of found) {
    const amenity = classes[classId];
    if (!seen.has(amenity)) seen.set(amenity, { photo, boxes: [box], score });
    else seen.get(amenity).boxes.push(box);
  }
  return seen;
}

/**
 * One more sighting of an amenity.
 *
 * @template Photo
 * @param {Map<string, {evidence: Sighting<Photo>, confidence: number}>} shown
 * @param {string} amenity
 * @param {Sighting<Photo>} sighting
 */
function add(shown, amenity, sighting) {
  const before = shown.get(amenity);
  shown.set(amenity, {
    evidence: !before || isBetter(sighting, before.evidence) ? sighting : before.evidence,
    confidence: Math.max(sighting.score, before?.confidence ?? 0),
  });
}

/**
 * What is known of the kind that is seen best, if any is.
 *
 * @template Photo
 * @param {Map<string, {evidence: Sighting<Photo>, confidence: number}>} shown
 * @param {string[]} names
 */
function best(shown, names) {
  const seen = names.filter((name) => shown.has(name)).map((name) => shown.get(name));
  return seen.reduce(
    (first, other) => (first && !isBetter(other.evidence, first.evidence) ? first : other),
    null,
  );
}

/**
 * Whether one sighting is better evidence than another.
 *
 * @template Photo
 * @param {Sighting<Photo>} one
 * @param {Sighting<Photo>} other
 */
function isBetter(one, other) {
  if (one.boxes.length !== other.boxes.length) return one.boxes.length > other.boxes.length;
  return one.score > other.score;
}

/** Of the larger side of what is shown; people want to see what stands around it. */
const MARGIN = 0.2;

/**
 * The part of a photo that shows something, with a margin, as `runtime/evidence.py` cuts it out.
 *
 * @param {number[][]} boxes in pixels of the photo
 * @param {number} width of the photo, in pixels
 * @param {number} height of the photo, in pixels
 * @returns {{left: number, top: number, width: number, height: number}}
 */
export function cutout(boxes, width, height) {
  const left = Math.min(...boxes.map((box) => box[0]));
  const top = Math.min(...boxes.map((box) => box[1]));
  const right = Math.max(...boxes.map((box) => box[2]));
  const bottom = Math.max(...boxes.map((box) => box[3]));
  const margin = MARGIN * Math.max(right - left, bottom - top);
  const outer = {
    left: Math.trunc(Math.max(left - margin, 0)),
    top: Math.trunc(Math.max(top - margin, 0)),
  };
  return {
    ...outer,
    // Whatever has no area still has a pixel.
    width: Math.max(1, Math.trunc(Math.min(right + margin, width)) - outer.left),
    height: Math.max(1, Math.trunc(Math.min(bottom + margin, height)) - outer.top),
  };
}
