// Making elements. Text is always text: nothing here, and nothing that uses it, parses markup.

/** @typedef {string | number | Node | null | false | undefined} Child */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} properties attributes; `onclick` and its like take functions; false and null leave out
 * @param {...Child} children strings become text
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  give(element, properties);
  element.append(...shown(children));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} tag
 * @param {Record<string, any>} properties
 * @param {...Child} children
 */
export function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  give(element, properties);
  element.append(...shown(children));
  return element;
}

/** One of the page's symbols. @param {string} name */
export function icon(name) {
  return svg('svg', { class: 'icon', 'aria-hidden': 'true', focusable: 'false' }, svg('use', { href: `#${name}` }));
}

/** Sets a text only where it differs: screen readers and selections are not disturbed. @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {Record<string, any>} properties */
function give(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? '' : String(value));
  }
}

/** @param {Child[]} children @returns {(string | Node)[]} */
function shown(children) {
  return children
    .filter((child) => child !== null && child !== false && child !== undefined)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/**
 * Brings a container's children into line with a list, keeping (and so keeping focus in) those that stay.
 * @template T
 * @template {Element} E
 * @param {Element} container
 * @param {Map<string, E>} made by key; kept up to date
 * @param {[string, T][]} wanted keys and values, in order
 * @param {(value: T, key: string) => E} make
 * @param {(element: E, value: T) => void} update
 */
export function sync(container, made, wanted, make, update) {
  const keys = new Set(wanted.map(([key]) => key));
  for (const [key, element] of made) {
    if (keys.has(key)) continue;
    element.remove();
    made.delete(key);
  }
  wanted.forEach(([key, value], index) => {
    const element = made.get(key) ?? make(value, key);
    made.set(key, element);
    if (container.children[index] !== element) container.insertBefore(element, container.children[index] ?? null);
    update(element, value);
  });
}
