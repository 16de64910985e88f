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
 * What is shown of each amenity. An item that says the same is left alone: its picture would be
 * unpacked again with each photo, and a link lose the focus.
 *
 * @type {Map<string, {said: string, item: HTMLElement}>}
 */
const items = new Map();

/**
 * Show the list.
 *
 * @param {Listed[]} listed
 */
export function showList(listed) {
  const seen = listed.filter(({ evidence }) => evidence);
  const unseen = listed.filter(({ evidence }) => !evidence);
  const wanted = seen.map(kept);
  const same = wanted.length === list.children.length;
  if (!same || wanted.some((item, at) => item !== list.children[at])) {
    list.replaceChildren(...wanted);
  }
  nothing.hidden = seen.length > 0;
  missedPart.hidden = unseen.length === 0;
  missed.replaceChildren(...unseen.map(({ amenity }) => element("li", {}, amenity)));
}

/**
 * The item of an amenity; a new one if there is something else to say.
 *
 * @param {Listed} listed
 * @returns {HTMLElement}
 */
function kept(listed) {
  const { amenity, confidence, verdict, evidence } = listed;
  const said = JSON.stringify([confidence, verdict, evidence.photo.number, evidence.boxes]);
  if (items.get(amenity)?.said !== said) items.set(amenity, { said, item: made(listed) });
  return items.get(amenity).item;
}

/**
 * @param {Listed} listed
 * @returns {HTMLElement}
 */
function made({ amenity, count, confidence, evidence, verdict }) {
  const { photo, boxes } = evidence;
  const link = element("a", { href: `#photo-${photo.number}` }, picture(amenity, photo, boxes));
  const facts = `at least ${count} · ${percent(confidence)} sure`;
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
