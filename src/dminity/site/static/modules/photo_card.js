/** A photo on the page, with a box around each amenity in it. */

import { element, percent } from "./elements.js";

/** @typedef {import("./home.js").Photo} Photo */
/** @typedef {import("./detections.js").Detection} Detection */

/** Steps of the golden ratio around the color wheel keep neighboring classes apart. */
const GOLDEN_RATIO = 0.618034;
const STATES = { waiting: "Waiting …", looking: "Looking …" };

/**
 * A card, which shows how far its photo is.
 *
 * @param {Photo} photo
 * @param {() => void} remove
 * @returns {HTMLElement}
 */
export function photoCard(photo, remove) {
  const button = element("button", { type: "button", class: "remove" }, "×");
  button.setAttribute("aria-label", `Remove ${photo.name}`);
  button.addEventListener("click", remove);
  const figure = element(
    "figure",
    {},
    element("div", { class: "frame" }),
    element("figcaption", {}, element("span", { class: "name" }, photo.name), button),
    element("p", { class: "found" }),
  );
  const card = element("li", { id: `photo-${photo.number}`, class: "card", tabindex: "-1" }, figure);
  showState(card, photo);
  return card;
}

/**
 * Say how far a photo is; when it is seen, show it.
 *
 * @param {HTMLElement} card
 * @param {Photo} photo
 */
export function showState(card, photo) {
  card.dataset.state = photo.state;
  const frame = card.querySelector(".frame");
  if (photo.state !== "seen") {
    frame.replaceChildren(element("p", { class: "state" }, STATES[photo.state] ?? ""));
    return;
  }
  const picture = element("img", { src: photo.picture, alt: photo.name, decoding: "async" });
  picture.width = photo.width;
  picture.height = photo.height;
  const over = element("div", { class: "over" }, picture, element("div", { class: "boxes" }));
  over.style.aspectRatio = `${photo.width} / ${photo.height}`;
  over.style.setProperty("--ratio", String(photo.width / photo.height));
  frame.replaceChildren(over);
}

/**
 * Show what is found in a photo.
 *
 * @param {HTMLElement} card
 * @param {Photo} photo
 * @param {Detection[]} found
 * @param {string[]} classes
 */
export function showBoxes(card, photo, found, classes) {
  const boxes = card.querySelector(".boxes");
  // The worse first: of two that overlap, the better one is on top.
  boxes.replaceChildren(...found.toReversed().map((one) => box(one, photo, classes)));
  const names = inWords(found, classes);
  card.querySelector(".found").textContent = names || "nothing that is sure enough";
  card.querySelector("img").alt = `${photo.name}, in which is seen: ${names || "nothing"}`;
}

/**
 * A box with its name, which the line below the photo says to those who do not see it.
 *
 * @param {Detection} detection
 * @param {Photo} photo
 * @param {string[]} classes
 * @returns {HTMLElement}
 */
function box({ classId, score, box: [left, top, right, bottom] }, photo, classes) {
  const caption = element("span", {}, `${classes[classId]} ${percent(score)}`);
  const made = element("div", { class: "box", "aria-hidden": "true" }, caption);
  made.dataset.class = classes[classId];
  made.dataset.corners = [left, top, right, bottom].join(" ");
  made.dataset.score = String(score);
  const share = (length, whole) => `${(100 * length) / whole}%`;
  made.style.left = share(left, photo.width);
  made.style.top = share(top, photo.height);
  made.style.width = share(right - left, photo.width);
  made.style.height = share(bottom - top, photo.height);
  made.style.setProperty("--hue", String(Math.round((classId * GOLDEN_RATIO * 360) % 360)));
  // Where there is no room above and to the right, the name stands elsewhere.
  made.classList.toggle("high", top < 0.09 * photo.height);
  made.classList.toggle("far", left > 0.6 * photo.width);
  return made;
}

/**
 * @param {Detection[]} found
 * @param {string[]} classes
 * @returns {string} as Bed 92%, Sink 81%
 */
function inWords(found, classes) {
  return found.map(({ classId, score }) => `${classes[classId]}\u00a0${percent(score)}`).join(", ");
}
