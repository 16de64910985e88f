/** The page: what its visitor does, and what is shown of it. */

import { offerDownloads } from "./downloads.js";
import { counted, element, percent } from "./elements.js";
import { listenForFiles } from "./files.js";
import { Home } from "./home.js";
import { showList } from "./home_list.js";
import { Looking } from "./looking.js";
import { keptOffline } from "./offline.js";
import { photoCard, showBoxes, showState } from "./photo_card.js";
import { say, showProgress } from "./progress.js";

/** @typedef {import("./home.js").Photo} Photo */
/** @typedef {import("./files.js").Named} Named */

/** As `site/demo_rooms.py` names them. */
const ROOMS = ["kitchen", "living-room", "bedroom", "bathroom", "garden"];

const home = new Home();
/** @type {Map<Photo, HTMLElement>} */
const cards = new Map();
// Kept offline first: what the detector needs is then fetched once, not twice.
const looking = keptOffline().then(() => new Looking());
const byId = (id) => document.getElementById(id);
let drawing = false;

/**
 * Look at files.
 *
 * @param {Named[]} files
 */
async function add(files) {
  const photos = files.map(({ name, file }) => ({ photo: home.add(name), file }));
  for (const { photo } of photos) {
    cards.set(photo, photoCard(photo, () => remove(photo)));
    byId("photos").append(cards.get(photo));
  }
  draw();
  const detector = await looking;
  for (const { photo, file } of photos) {
    if (!cards.has(photo)) continue;
    detector.look(file, {
      wanted: () => cards.has(photo),
      begun: () => changed(photo, { state: "looking" }),
      seen: ({ width, height, found, picture }) => {
        // It was removed in the meantime.
        if (!cards.has(photo)) return;
        const shown = { width, height, found, picture: URL.createObjectURL(picture) };
        changed(photo, { state: "seen", ...shown });
      },
      failed: (reason) => changed(photo, { state: "failed", reason }),
    });
  }
}

/**
 * More is known of a photo.
 *
 * @param {Photo} photo
 * @param {Partial<Photo>} news
 */
function changed(photo, news) {
  const card = cards.get(photo);
  if (!card) return;
  Object.assign(photo, news);
  if (photo.state === "failed") card.remove();
  else showState(card, photo);
  if (photo.state === "seen") showBoxes(card, photo, home.shown(photo), home.model.classes);
  draw();
}

/** @param {Photo} photo */
function remove(photo) {
  const card = cards.get(photo);
  const next = card.nextElementSibling ?? card.previousElementSibling;
  home.remove(photo);
  cards.delete(photo);
  card.remove();
  // Whoever uses a keyboard goes on from here.
  (next?.querySelector(".remove") ?? byId("choose")).focus();
  draw();
}

/** Remove all photos. */
function clear() {
  home.clear();
  cards.clear();
  byId("photos").replaceChildren();
  byId("choose").focus();
  draw();
}

/** Show all that depends on several photos, once for many changes. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    byId("results").hidden = home.photos.length === 0;
    document.body.classList.toggle("begun", home.photos.length > 0);
    const listed = home.list();
    showList(listed);
    showProgress(home, listed.filter(({ evidence }) => evidence).length);
  });
}

/** Take over a score from the slider for all boxes, or go back to what decides by itself. */
function setScore(score) {
  home.minScore = score;
  byId("own").hidden = score === null;
  if (score === null) byId("score").value = byId("score").defaultValue;
  const text = score === null ? "automatic" : `${percent(score)} or more`;
  byId("score-shown").textContent = text;
  byId("score").setAttribute("aria-valuetext", text);
  for (const { photo, found: shown } of home.looked()) {
    showBoxes(cards.get(photo), photo, shown, home.model.classes);
  }
  draw();
}

/** A box to tick for each amenity. */
function offerClaims() {
  for (const amenity of home.model.classes) {
    const box = element("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      if (box.checked) home.claimed.add(amenity);
      else home.claimed.delete(amenity);
      draw();
    });
    byId("claims").append(element("label", {}, box, amenity));
  }
}

/** Fetch the demo's rooms, as if they were chosen. */
async function addRooms() {
  const files = ROOMS.map(async (name) => {
    const response = await fetch(`rooms/${name}.jpg`);
    return { name: `${name}.jpg`, file: await response.blob() };
  });
  try {
    add(await Promise.all(files));
  } catch {
    say("The demo rooms cannot be fetched: there is no network.");
  }
}

/** Buttons, and the slider. */
function listenForWishes() {
  byId("demo").addEventListener("click", addRooms);
  byId("clear").addEventListener("click", clear);
  byId("score").addEventListener("input", ({ target }) => setScore(target.valueAsNumber / 100));
  byId("own").addEventListener("click", () => {
    byId("score").focus();
    setScore(null);
  });
}

/** Begin. */
async function start() {
  listenForFiles(add);
  listenForWishes();
  offerDownloads(home);
  say("Getting ready. The first visit fetches 5 MB, once.");
  try {
    home.model = await (await looking).ready;
  } catch (error) {
    say(`The detector could not be started: ${error.message}. Reload the page to try again.`);
    return;
  }
  const { classes, variant } = home.model;
  byId("about").textContent = `The detector, ${variant}, knows ${counted(classes.length, "amenity", "amenities")}.`;
  document.body.dataset.ready = "";
  offerClaims();
  setScore(null);
}

start();
