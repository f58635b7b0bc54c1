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
 * Shows a two-state button: pressed means off.
 * @param {HTMLButtonElement} button
 * @param {'mic' | 'camera'} icon
 * @param {boolean} off
 */
export function showToggle(button, icon, off) {
  const words = { mic: ['Mute microphone', 'Unmute microphone'], camera: ['Turn camera off', 'Turn camera on'] };
  const word = words[icon][off ? 1 : 0];
  button.setAttribute('aria-pressed', String(off));
  button.setAttribute('aria-label', word);
  button.title = word;
  button.querySelector('use')?.setAttribute('href', `#${icon}${off ? '-off' : ''}`);
}
