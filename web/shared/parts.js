// Small help for custom elements whose markup stands in the page.

/**
 * The descendants with a data-part, by name.
 * @param {HTMLElement} root
 * @returns {Record<string, any>}
 */
export function partsOf(root) {
  /** @type {Record<string, HTMLElement>} */
  const parts = {};
  for (const element of root.querySelectorAll('[data-part]')) {
    const part = /** @type {HTMLElement} */ (element);
    parts[part.dataset.part ?? ''] = part;
  }
  return parts;
}

/**
 * A round button of the microphone or the camera: its name says what a click does, its colour that it is off.
 * @param {HTMLButtonElement} button
 * @param {'mic' | 'camera'} icon
 * @param {boolean} off
 */
export function showToggle(button, icon, off) {
  const words = { mic: ['Mute microphone', 'Unmute microphone'], camera: ['Turn camera off', 'Turn camera on'] };
  const word = words[icon][off ? 1 : 0];
  button.toggleAttribute('data-off', off);
  button.setAttribute('aria-label', word);
  button.title = word;
  showIcon(button, `${icon}${off ? '-off' : ''}`);
}

/** @param {HTMLElement} owner with one <svg><use> in it @param {string} icon id of a <symbol> of the page */
export function showIcon(owner, icon) {
  const use = owner.querySelector('use');
  if (use?.getAttribute('href') !== `#${icon}`) use?.setAttribute('href', `#${icon}`);
}

/** A symbol of the page as an element. @param {string} name id of a <symbol> */
export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `#${name}`);
  svg.setAttribute('aria-hidden', 'true');
  svg.append(use);
  return svg;
}

/** @param {Element} element @param {string} text written only if it is another one: live regions and selections stay */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A name in a sentence: its direction of writing ends with it. @param {string} name */
export function isolated(name) {
  return `\u2068${name}\u2069`;
}
