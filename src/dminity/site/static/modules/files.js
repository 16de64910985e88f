/** Photos that a visitor drops, pastes or chooses. */

/** @typedef {{name: string, file: Blob}} Named a file, and its name, with its folders if dropped */

/**
 * By name, as the commands have it.
 *
 * @param {Named[]} files
 * @returns {Named[]}
 */
function sorted(files) {
  return files.toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/**
 * Files that were chosen or pasted.
 *
 * @param {Iterable<File>} files
 * @returns {Named[]}
 */
export function named(files) {
  return sorted([...files].map((file) => ({ name: file.name || "pasted picture", file })));
}

/**
 * Files and folders that were dropped. Hidden files of folders are passed over.
 *
 * @param {DataTransfer} dropped
 * @returns {Promise<Named[]>}
 */
export async function droppedFiles(dropped) {
  // They are to be had in this turn only.
  const files = [...dropped.items].filter(({ kind }) => kind === "file");
  const entries = files.map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return named(dropped.files);
  return sorted((await Promise.all(entries.map(within))).flat());
}

/**
 * A file, or all files of a folder.
 *
 * @param {FileSystemEntry} entry
 * @returns {Promise<Named[]>}
 */
async function within(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ name: entry.fullPath.slice(1), file }];
  }
  const inside = (await entries(entry)).filter(({ name }) => !name.startsWith("."));
  return (await Promise.all(inside.map(within))).flat();
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
