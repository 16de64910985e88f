/** A home: its photos, what is found in them, and what its owner claims. */

import { SHOWN_SCORE, fromThresholds, mostSpecific } from "./detections.js";
import { listHome } from "./listing.js";

/** @typedef {import("./detector.js").Model} Model */
/**
 * @typedef {object} Photo
 * @property {number} number which tells it from others of its name
 * @property {string} name
 * @property {"waiting" | "looking" | "seen" | "failed"} state
 * @property {string} reason why it could not be read
 * @property {number} width in pixels, once it is seen
 * @property {number} height
 * @property {import("./detections.js").Detection[]} found best first, from the lowest score on
 * @property {string} picture address of the copy that is shown
 */

export class Home {
  /** @type {Model | null} */
  model = null;
  /** @type {Photo[]} */
  photos = [];
  /** @type {number | null} 0-1, for all boxes, in place of the model's thresholds and SHOWN_SCORE */
  minScore = null;
  /** @type {Set<string>} */
  claimed = new Set();
  #next = 1;

  /**
   * @param {string} name
   * @returns {Photo}
   */
  add(name) {
    const photo = {
      number: this.#next++,
      name,
      state: "waiting",
      reason: "",
      width: 0,
      height: 0,
      found: [],
      picture: "",
    };
    this.photos.push(photo);
    return photo;
  }

  /** @param {Photo} photo */
  remove(photo) {
    this.photos = this.photos.filter((other) => other !== photo);
    if (photo.picture) URL.revokeObjectURL(photo.picture);
  }

  /** Remove all photos. */
  clear() {
    for (const photo of this.photos) this.remove(photo);
  }

  /**
   * @param {Photo["state"]} state
   * @returns {Photo[]}
   */
  that(state) {
    return this.photos.filter((photo) => photo.state === state);
  }

  /**
   * What is shown of a photo.
   *
   * @param {Photo} photo
   */
  shown(photo) {
    const { minScore, model } = this;
    const thresholds =
      minScore === null
        ? { best: model.thresholds, others: SHOWN_SCORE }
        : { best: model.classes.map(() => minScore), others: minScore };
    return mostSpecific(fromThresholds(photo.found, thresholds), model.kinds);
  }

  /** The photos that were looked at, with what is shown of them. */
  looked() {
    return this.that("seen").map((photo) => ({ photo, found: this.shown(photo) }));
  }

  /** What the home has; without a claim nobody asks for verdicts. */
  list() {
    if (!this.model) return [];
    const claimed = this.claimed.size ? this.claimed : null;
    return listHome(this.looked(), this.model.classes, this.model.kinds, claimed);
  }
}
