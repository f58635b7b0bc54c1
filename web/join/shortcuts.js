// Keys of the meeting. Single letters, so they can be switched off (WCAG 2.1.4), and none while something is typed.

/** @typedef {'mic' | 'camera' | 'screen' | 'hand' | 'people' | 'full' | 'help' | 'escape'} Action */

/** @type {Readonly<Record<string, Action>>} */
const KEYS = Object.freeze({
  m: 'mic', v: 'camera', s: 'screen', h: 'hand', p: 'people', f: 'full', '?': 'help', Escape: 'escape',
});
const TYPING = 'input:not([type=checkbox]), textarea, select, [contenteditable]';

/**
 * @param {KeyboardEvent} event
 * @param {boolean} letters whether the user wants the letters
 * @returns {Action | null}
 */
export function actionOf(event, letters) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return null;
  const { target } = event;
  if (target instanceof Element && (target.matches(TYPING) || target.closest('dialog[open], :popover-open'))) return null;
  const action = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key] ?? null;
  return letters || action === 'escape' ? action : null;
}
