/** How far the page is, in a line and a bar, and which files could not be read. */

import { counted } from "./elements.js";

/** @typedef {import("./home.js").Home} Home */
/** @typedef {import("./home.js").Photo} Photo */

const status = document.getElementById("status");
const bar = document.getElementById("bar");
const list = document.getElementById("failed");

/**
 * Say something, also to those who listen to the page.
 *
 * @param {string} text
 */
export function say(text) {
  if (status.textContent !== text) status.textContent = text;
}

/**
 * How many photos were looked at, and what came of it.
 *
 * @param {Home} home
 * @param {number} amenities how many were found
 */
export function showProgress(home, amenities) {
  const total = home.photos.length;
  const failed = home.that("failed");
  const seen = home.that("seen").length;
  const done = seen + failed.length;
  bar.hidden = done === total;
  bar.max = total || 1;
  bar.value = done;
  showFailed(failed);
  if (!home.model) return;
  const unread = failed.length ? ` ${failed.length} could not be read.` : "";
  const found = counted(amenities, "amenity", "amenities");
  if (!total) say("Ready.");
  else if (done < total) say(`${done} of ${counted(total, "photo")} looked at …`);
  else say(`${counted(seen, "photo")} looked at, ${found} found.${unread}`);
}

/** @param {Photo[]} failed */
function showFailed(failed) {
  list.hidden = failed.length === 0;
  // Lines that stand are left alone, so that they are not read out again.
  const lines = failed.map(({ name, reason }) => `${name}: ${reason}`);
  if (lines.length < list.children.length) list.replaceChildren();
  for (const line of lines.slice(list.children.length)) {
    const item = document.createElement("li");
    item.textContent = line;
    list.append(item);
  }
}
