/** Photos that a visitor chooses, takes, drops or pastes. */

/** @typedef {{name: string, file: Blob}} Named a file, and its name, with its folders if dropped */

/** What is taken for a photo in a folder: `PHOTOS` in runtime/inputs.py, and what Safari reads. */
const PHOTO = /\.(jpe?g|jpe|png|webp|gif|tiff?|bmp|mpo|avif|jp2|ppm|pgm|hei[cf])$/i;

/**
 * By name, as the commands have it.
 *
 * @template {{name: string}} T
 * @param {T[]} named
 * @returns {T[]}
 */
function sorted(named) {
  return named.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/**
 * Files that were chosen or pasted.
 *
 * @param {Iterable<File>} files
 * @returns {Named[]}
 */
function named(files) {
  return sorted([...files].map((file) => ({ name: file.name || "pasted picture", file })));
}

/**
 * Files and folders that were dropped; of folders, what is called like a photo and is not hidden.
 *
 * @param {DataTransfer} dropped
 * @returns {Promise<Named[]>}
 */
async function droppedFiles(dropped) {
  // They are to be had in this turn only.
  const files = [...dropped.items].filter(({ kind }) => kind === "file");
  const entries = files.map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return named(dropped.files);
  return (await Promise.all(sorted(entries).map(within))).flat();
}

/**
 * A file, or all files of a folder; what the browser may not read is an empty file.
 *
 * @param {FileSystemEntry} entry
 * @returns {Promise<Named[]>}
 */
async function within(entry) {
  try {
    return await readable(entry);
  } catch {
    return [{ name: entry.fullPath.slice(1), file: new Blob() }];
  }
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<Named[]>}
 */
async function readable(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ name: entry.fullPath.slice(1), file }];
  }
  const inside = sorted(await entries(entry)).filter(({ name }) => !name.startsWith("."));
  const photos = inside.filter(({ isFile, name }) => isFile && PHOTO.test(name));
  const folders = inside.filter(({ isDirectory }) => isDirectory);
  return (await Promise.all([...photos, ...folders].map(within))).flat();
}

/**
 * What is in a folder; browsers tell a hundred at a time.
 *
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<FileSystemEntry[]>}
 */
async function entries(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    const more = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!more.length) return found;
    found.push(...more);
  }
}

/**
 * Hand over whatever comes by a button, the clipboard or the mouse.
 *
 * @param {(files: Named[]) => void} take
 */
export function listenForFiles(take) {
  for (const id of ["choose", "camera"]) {
    document.getElementById(id).addEventListener("change", ({ target }) => {
      take(named(target.files));
      // The same file may be chosen again.
      target.value = "";
    });
  }
  document.addEventListener("paste", ({ clipboardData }) => {
    if (clipboardData?.files.length) take(named(clipboardData.files));
  });
  listenForDrops(take);
}

/** @param {(files: Named[]) => void} take */
function listenForDrops(take) {
  const sign = document.getElementById("dropping");
  const holdsFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    sign.hidden = false;
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) sign.hidden = true;
  });
  document.addEventListener("drop", async (event) => {
    sign.hidden = true;
    if (!holdsFiles(event)) return;
    event.preventDefault();
    take(await droppedFiles(event.dataTransfer));
  });
}
