// Menus that a button opens: arrow keys, Home, End, Escape; the focus goes in and comes back.

/**
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} menu role=menu with the attribute `popover`, its items role=menuitem or menuitemradio
 */
export function bindMenu(button, menu) {
  button.setAttribute('aria-haspopup', 'menu');
  button.setAttribute('aria-expanded', 'false');
  button.popoverTargetElement = menu;
  menu.addEventListener('toggle', (event) => {
    const open = /** @type {ToggleEvent} */ (event).newState === 'open';
    button.setAttribute('aria-expanded', String(open));
    if (open) opened(menu, button.checkVisibility() ? button : lastAnchor);
    else if (nowhere(menu)) (button.checkVisibility() ? button : lastAnchor)?.focus();
    if (button.checkVisibility()) lastAnchor = button;
  });
  menu.addEventListener('keydown', (event) => moveFocus(menu, event));
  menu.addEventListener('click', (event) => {
    if (event.target instanceof Element && event.target.closest('[role^=menuitem]')) menu.hidePopover();
  });
}

/** The button of the last menu that had one to be seen: a menu opened out of another one goes back to it. */
/** @type {HTMLElement | null} */
let lastAnchor = null;

/** @param {HTMLElement} menu that was closed @returns {boolean} whether the focus was lost with it */
function nowhere(menu) {
  const { activeElement } = document;
  return activeElement === null || activeElement === document.body || menu.contains(activeElement);
}

/** @param {HTMLElement} menu @param {HTMLElement | null} anchor above which it stands; null: at the right */
function opened(menu, anchor) {
  const box = anchor?.getBoundingClientRect() ?? { left: innerWidth, top: innerHeight - 76 };
  const left = Math.max(8, Math.min(box.left, innerWidth - menu.offsetWidth - 8));
  menu.style.left = `${left}px`;
  menu.style.bottom = `${innerHeight - box.top + 8}px`;
  (menu.querySelector('[aria-checked=true]') ?? items(menu)[0])?.focus();
}

/** @param {HTMLElement} menu @returns {any[]} those that are to be seen */
function items(menu) {
  return [...menu.querySelectorAll('[role^=menuitem]')].filter((item) => item.checkVisibility());
}

/** @param {HTMLElement} menu @param {KeyboardEvent} event */
function moveFocus(menu, event) {
  const all = items(menu);
  const at = all.indexOf(document.activeElement);
  /** @type {Record<string, number>} */
  const targets = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
  if (event.key === 'Tab') menu.hidePopover();
  if (!(event.key in targets)) return;
  event.preventDefault();
  all.at(targets[event.key] % all.length)?.focus();
}
