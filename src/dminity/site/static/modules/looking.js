/** The worker that looks at photos, as the page talks to it. */

/** @typedef {import("./detector.js").Model} Model */
/** @typedef {import("./detector.js").Seen} Seen */
/**
 * @typedef {object} Watch what is done as a photo is looked at
 * @property {() => void} begun
 * @property {(seen: Seen) => void} seen
 * @property {(reason: string) => void} failed
 */

export class Looking {
  /** @type {Map<number, Watch>} */
  #waiting = new Map();
  #worker = new Worker(new URL("./detector.js", import.meta.url), { type: "module" });
  #next = 0;

  /** @type {Promise<Model>} The model, once it is there; rejected with what is wrong. */
  ready;

  constructor() {
    this.ready = new Promise((resolve, reject) => {
      this.#worker.onerror = (event) => {
        event.preventDefault();
        this.#failAll(event.message || "this browser cannot start it");
        reject(new Error(event.message || "this browser cannot start it"));
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
    const id = this.#next++;
    this.#waiting.set(id, watch);
    this.#worker.postMessage({ id, file });
  }

  /** Forget all photos that wait. */
  forget() {
    this.#waiting.clear();
  }

  /** @param {{id: number, begun?: boolean, seen?: Seen, failed?: string}} message */
  #tell({ id, begun, seen, failed }) {
    const watch = this.#waiting.get(id);
    if (begun) {
      watch?.begun();
      return;
    }
    this.#waiting.delete(id);
    if (seen) watch?.seen(seen);
    else watch?.failed(failed);
  }

  /** @param {string} reason */
  #failAll(reason) {
    for (const watch of this.#waiting.values()) watch.failed(`it cannot be looked at (${reason})`);
    this.#waiting.clear();
  }
}
