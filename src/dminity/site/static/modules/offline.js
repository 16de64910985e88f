/** The page without a network: see service-worker.js. */

/**
 * Have all files kept, if this browser does that; wait until the files of a first visit are there.
 *
 * @returns {Promise<void>}
 */
export async function keptOffline() {
  const workers = navigator.serviceWorker;
  // Private windows, and pages that come neither by https nor from this machine, have none.
  if (!workers) return;
  try {
    const registration = await workers.register("service-worker.js");
    const first = registration.installing ?? registration.waiting;
    if (!workers.controller && first) await settled(first);
  } catch {
    // Without it, the page needs a network, and works.
  }
}

/**
 * Wait until a worker has all files, or has given up.
 *
 * @param {ServiceWorker} worker
 * @returns {Promise<void>}
 */
function settled(worker) {
  return new Promise((resolve) => {
    const check = () => {
      if (["activated", "redundant"].includes(worker.state)) resolve();
    };
    worker.addEventListener("statechange", check);
    check();
  });
}
