/** The worker that looks at photos, as the page talks to it. */

/** @typedef {import("./detector.js").Model} Model */
/** @typedef {import("./detector.js").Seen} Seen */
/**
 * @typedef {object} Watch what is done as a photo is looked at
 * @property {() => boolean} wanted whether it still is to be looked at
 * @property {() => void} begun
 * @property {(seen: Seen) => void} seen
 * @property {(reason: string) => void} failed
 */

/** One photo is in the worker at a time: those that are removed meanwhile never get there. */
export class Looking {
  /** @type {Map<number, {file: Blob, watch: Watch}>} in the order in which they came */
  #waiting = new Map();
  #worker = new Worker(new URL("./detector.js", import.meta.url), { type: "module" });
  #next = 0;
  /** @type {number | null} the number of the photo that the worker has */
  #current = null;
  /** @type {string | null} why the worker is none */
  #broken = null;

  /** @type {Promise<Model>} The model, once it is there; rejected with what is wrong. */
  ready;

  constructor() {
    this.ready = new Promise((resolve, reject) => {
      this.#worker.onerror = (event) => {
        event.preventDefault();
        this.#broken = event.message || "this browser cannot start it";
        this.#failAll();
        reject(new Error(this.#broken));
      };
      this.#worker.onmessage = ({ data }) => {
        if (data.ready) resolve(data.ready);
        else if (data.broken) reject(new Error(data.broken));
        else this.#tell(data);
      };
    });
  }

  /**
   * Look at a photo when its turn comes.
   *
   * @param {Blob} file
   * @param {Watch} watch
   */
  look(file, watch) {
    this.#waiting.set(this.#next++, { file, watch });
    if (this.#broken) this.#failAll();
    else this.#send();
  }

  /** Give the worker the next photo, unless it has one. */
  #send() {
    if (this.#current !== null) return;
    for (const [id, { file, watch }] of this.#waiting) {
      if (watch.wanted()) {
        this.#current = id;
        this.#worker.postMessage({ id, file });
        return;
      }
      this.#waiting.delete(id);
    }
  }

  /** @param {{id: number, begun?: boolean, seen?: Seen, failed?: string}} message */
  #tell({ id, begun, seen, failed }) {
    const watch = this.#waiting.get(id)?.watch;
    if (begun) {
      watch?.begun();
      return;
    }
    this.#waiting.delete(id);
    this.#current = null;
    if (seen) watch?.seen(seen);
    else watch?.failed(failed);
    this.#send();
  }

  /** Say of all photos that wait that they cannot be looked at. */
  #failAll() {
    for (const { watch } of this.#waiting.values()) {
      watch.failed(`it cannot be looked at (${this.#broken})`);
    }
    this.#waiting.clear();
  }
}
