/** The page: what its visitor does, and what is shown of it. */

import { element, counted, percent } from "./elements.js";
import { droppedFiles, named } from "./files.js";
import { boxesAsCsv, boxesAsJson, listAsJson } from "./formats.js";
import { Home } from "./home.js";
import { showList } from "./home_list.js";
import { Looking } from "./looking.js";
import { keptOffline } from "./offline.js";
import { photoCard, showBoxes, showState } from "./photo_card.js";

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
      begun: () => changed(photo, { state: "looking" }),
      seen: ({ width, height, found, picture }) => {
        const shown = { width, height, found, picture: URL.createObjectURL(picture) };
        changed(photo, { state: "seen", ...shown });
      },
      failed: (reason) => changed(photo, { state: "failed", reason }),
    });
  }
}

/**
 * One more is known of a photo.
 *
 * @param {Photo} photo
 * @param {Partial<Photo>} news
 */
function changed(photo, news) {
  const card = cards.get(photo);
  // It was removed in the meantime.
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
async function clear() {
  home.clear();
  cards.clear();
  byId("photos").replaceChildren();
  byId("choose").focus();
  draw();
  (await looking).forget();
}

/** Show all that depends on several photos, once for many changes. */
function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    byId("results").hidden = home.photos.length === home.that("failed").length;
    document.body.classList.toggle("begun", home.photos.length > 0);
    showList(home.list());
    showFailed(home.that("failed"));
    showProgress();
  });
}

/** @param {Photo[]} failed */
function showFailed(failed) {
  const list = byId("failed");
  list.hidden = failed.length === 0;
  // Lines that stand are left alone, so that they are not read out again.
  const lines = failed.map(({ name, reason }) => `${name}: ${reason}`);
  if (lines.length < list.children.length) list.replaceChildren();
  for (const line of lines.slice(list.children.length)) list.append(element("li", {}, line));
}

/** How many photos were looked at. */
function showProgress() {
  const total = home.photos.length;
  const failed = home.that("failed").length;
  const done = home.that("seen").length + failed;
  const bar = byId("bar");
  bar.hidden = done === total;
  bar.max = total || 1;
  bar.value = done;
  if (!home.model) return;
  const amenities = home.list().filter(({ evidence }) => evidence).length;
  const unread = failed ? ` ${failed} could not be read.` : "";
  if (!total) say("Ready.");
  else if (done < total) say(`${done} of ${counted(total, "photo")} looked at …`);
  else {
    const found = counted(amenities, "amenity", "amenities");
    say(`${counted(total - failed, "photo")} looked at, ${found} found.${unread}`);
  }
}

/** @param {string} text */
function say(text) {
  const status = byId("status");
  if (status.textContent !== text) status.textContent = text;
}

/** Take over a score from the slider, or go back to the model's own thresholds. */
function setScore(score) {
  home.minScore = score;
  byId("own").hidden = score === null;
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

/**
 * Let the visitor save a text.
 *
 * @param {string} name
 * @param {string} type
 * @param {string} text
 */
function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address));
}

/** Fetch the demo's rooms, as if they were chosen. */
async function addRooms() {
  const files = ROOMS.map(async (name) => {
    const response = await fetch(`rooms/${name}.jpg`);
    return { name: `${name}.jpg`, file: await response.blob() };
  });
  add(await Promise.all(files));
}

/** Photos come by a button, the clipboard, or the mouse. */
function listenForPhotos() {
  for (const id of ["choose", "camera"]) {
    byId(id).addEventListener("change", ({ target }) => {
      add(named(target.files));
      // The same file may be chosen again.
      target.value = "";
    });
  }
  byId("demo").addEventListener("click", addRooms);
  document.addEventListener("paste", ({ clipboardData }) => {
    if (clipboardData?.files.length) add(named(clipboardData.files));
  });
  const holdsFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  const dropping = byId("dropping");
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    dropping.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) dropping.hidden = true;
  });
  document.addEventListener("drop", async (event) => {
    dropping.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    add(await droppedFiles(event.dataTransfer));
  });
}

/** What is done with what was found. */
function listenForWishes() {
  byId("clear").addEventListener("click", clear);
  byId("score").addEventListener("input", ({ target }) => setScore(target.valueAsNumber / 100));
  byId("own").addEventListener("click", () => {
    byId("score").focus();
    setScore(null);
  });
  const failed = () => home.that("failed");
  byId("list-json").addEventListener("click", () => {
    const text = listAsJson(home.list(), home.that("seen").length, failed());
    download("home.json", "application/json", text);
  });
  byId("boxes-json").addEventListener("click", () => {
    const text = boxesAsJson(home.looked(), failed(), home.model.classes);
    download("boxes.json", "application/json", text);
  });
  byId("boxes-csv").addEventListener("click", () => {
    download("boxes.csv", "text/csv", boxesAsCsv(home.looked(), home.model.classes));
  });
}

/** Begin. */
async function start() {
  listenForPhotos();
  listenForWishes();
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
