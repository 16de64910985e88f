/**
 * Keeps every file of the page, so that it works without a network after the first visit.
 *
 * `FILES`, each path with the checksum of its content, is put before these lines when the site is
 * made. A file is kept under its path and checksum: a new version fetches only what has changed,
 * and is taken over when all of it is there.
 */

const SCOPE = registration.scope;
// Other sites of this origin have caches of their own.
const CACHE = `dminity ${SCOPE}`;
// What sees the photos. The policy in the page's head does not hold for workers: theirs is a header,
// which plain hosts do not send.
const WORKER = "modules/detector.js";
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";

/**
 * The address under which a file is kept.
 *
 * @param {string} path
 * @returns {string}
 */
function kept(path) {
  return new URL(`${path}?${encodeURIComponent(FILES[path])}`, SCOPE).href;
}

/**
 * Fetch a file that is not kept yet; a server's mixture of two versions is refused.
 *
 * @param {Cache} cache
 * @param {string} path
 */
async function keep(cache, path) {
  if (await cache.match(kept(path))) return;
  const options = { cache: "no-cache", integrity: FILES[path] };
  const response = await fetch(new URL(path, SCOPE), options);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  const headers = new Headers(response.headers);
  if (path === WORKER) headers.set("Content-Security-Policy", POLICY);
  // A new one: some hosts lead index.html to its folder, and browsers take no such answer for a page.
  await cache.put(kept(path), new Response(response.body, { headers }));
}

/** Keep all files, then take over. */
async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all(Object.keys(FILES).map((path) => keep(cache, path)));
  await self.skipWaiting();
}

/** Forget what other versions kept, and serve the pages that are open. */
async function activate() {
  const cache = await caches.open(CACHE);
  const current = new Set(Object.keys(FILES).map(kept));
  for (const { url } of await cache.keys()) {
    if (!current.has(url)) await cache.delete(url);
  }
  await self.clients.claim();
}

/**
 * A file that is kept, or what the network has.
 *
 * @param {Request} request
 * @param {string} path
 * @returns {Promise<Response>}
 */
async function answer(request, path) {
  const cache = await caches.open(CACHE);
  return (await cache.match(kept(path))) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || !`${origin}${pathname}`.startsWith(SCOPE)) return;
  const path = `${origin}${pathname}`.slice(SCOPE.length) || "index.html";
  if (Object.hasOwn(FILES, path)) event.respondWith(answer(event.request, path));
});
