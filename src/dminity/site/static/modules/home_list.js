/** What the home has, with the evidence of each amenity cut out of its photo. */

import { counted, drawn, element, percent } from "./elements.js";
import { cutout } from "./listing.js";

/** @typedef {import("./home.js").Photo} Photo */
/** @typedef {import("./listing.js").Listed<Photo>} Listed */

const list = document.getElementById("listed");
const missedPart = document.getElementById("missed-part");
const missed = document.getElementById("missed");
const nothing = document.getElementById("nothing");

/**
 * Show the list.
 *
 * @param {Listed[]} listed
 */
export function showList(listed) {
  const seen = listed.filter(({ evidence }) => evidence);
  const unseen = listed.filter(({ evidence }) => !evidence);
  list.replaceChildren(...seen.map(item));
  nothing.hidden = seen.length > 0;
  missedPart.hidden = unseen.length === 0;
  missed.replaceChildren(...unseen.map(({ amenity }) => element("li", {}, amenity)));
}

/**
 * @param {Listed} listed
 * @returns {HTMLElement}
 */
function item({ amenity, atLeast, confidence, evidence, verdict }) {
  const { photo, boxes } = evidence;
  const link = element("a", { href: `#photo-${photo.number}` }, picture(amenity, photo, boxes));
  const facts = `at least ${atLeast} · ${percent(confidence)} sure`;
  const text = element(
    "div",
    {},
    element("strong", {}, amenity),
    element("span", { class: "soft" }, facts),
    element("span", { class: "soft name" }, photo.name),
  );
  if (verdict) {
    const kind = verdict.replace(" ", "-");
    text.append(element("span", { class: `verdict ${kind}` }, verdict));
  }
  return element("li", {}, link, text);
}

/**
 * The part of a photo that shows an amenity.
 *
 * @param {string} amenity
 * @param {Photo} photo
 * @param {number[][]} boxes
 * @returns {SVGElement}
 */
function picture(amenity, photo, boxes) {
  const part = cutout(boxes, photo.width, photo.height);
  const { left, top, width, height } = part;
  const whole = { width: String(photo.width), height: String(photo.height) };
  const label = `${amenity} in ${photo.name}: ${counted(boxes.length, "box", "boxes")}`;
  return drawn(
    "svg",
    { viewBox: `${left} ${top} ${width} ${height}`, role: "img", "aria-label": label },
    drawn("image", { href: photo.picture, ...whole, preserveAspectRatio: "none" }),
  );
}
