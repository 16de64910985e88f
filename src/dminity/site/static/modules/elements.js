/** Elements of the page, made in a line. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element.
 *
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} content
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...content) {
  return filled(document.createElement(tag), attributes, content);
}

/**
 * An element of a drawing.
 *
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {Node[]} content
 * @returns {SVGElement}
 */
export function drawn(tag, attributes = {}, ...content) {
  return filled(document.createElementNS(SVG, tag), attributes, content);
}

/**
 * @template {Element} Made
 * @param {Made} made
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} content
 * @returns {Made}
 */
function filled(made, attributes, content) {
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...content);
  return made;
}

/**
 * @param {number} score 0-1
 * @returns {string}
 */
export function percent(score) {
  return `${Math.round(score * 100)}%`;
}

/**
 * @param {number} count
 * @param {string} one what one of them is called
 * @param {string} many what several are called
 * @returns {string} as 1 photo, 2 photos
 */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
