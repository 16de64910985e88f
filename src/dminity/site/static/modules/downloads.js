/** What a visitor can save of a home. */

import { element } from "./elements.js";
import { boxesAsCsv, boxesAsJson, listAsJson } from "./formats.js";

/** @typedef {import("./home.js").Home} Home */

const JSON_TYPE = "application/json";

/**
 * Let the buttons do what they say.
 *
 * @param {Home} home
 */
export function offerDownloads(home) {
  offer("list-json", "home.json", JSON_TYPE, () =>
    listAsJson(home.list(), home.that("seen").length, home.that("failed")),
  );
  offer("boxes-json", "boxes.json", JSON_TYPE, () =>
    boxesAsJson(home.looked(), home.that("failed"), home.model?.classes ?? []),
  );
  offer("boxes-csv", "boxes.csv", "text/csv", () =>
    boxesAsCsv(home.looked(), home.model?.classes ?? []),
  );
}

/**
 * @param {string} button its id
 * @param {string} name of the file
 * @param {string} type of its content
 * @param {() => string} text what is in it
 */
function offer(button, name, type, text) {
  document.getElementById(button).addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([text()], { type }));
    element("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address));
  });
}
