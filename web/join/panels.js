// What opens over or beside the meeting: people, view, more, devices, the keyboard's page, other windows.

import { bindMenu } from '../shared/menus.js';
import { choose, fill } from './devices.js';
import { preference, setPreference } from './memory.js';
import { canShare } from './screen.js';
import { Windows } from './windows.js';

/** @typedef {import('./stage.js').Stage} Stage */
/** @typedef {import('./people.js').People} People */

/** Fires `view` (detail: string), `device` (detail: 'camera' | 'microphone' | 'speaker'), `people` (detail: {open}). */
export class Panels extends EventTarget {
  /** @param {Stage} stage */
  constructor(stage) {
    super();
    this.stage = stage;
    /** The device that is open, '' if none is: whoever opens devices says so here. @type {(kind: 'audio' | 'video') => string} */
    this.inUse = () => '';
    this.people = /** @type {People} */ (stage.querySelector('mx-people'));
    this.windows = new Windows(stage);
    const { parts } = stage;
    bindMenu(parts.view, parts['view-menu']);
    bindMenu(parts.more, parts['more-menu']);
    for (const item of this.#views) item.addEventListener('click', () => this.#tell('view', item.dataset.view));
    this.#item('open-view', () => parts['view-menu'].showPopover());
    this.#item('open-screen', () => stage.dispatchEvent(new Event('screen')));
    this.#item('devices', () => void this.#openDevices());
    this.#item('keyboard', () => this.openHelp());
    parts.screen.hidden = parts['open-screen'].hidden = !canShare;
    stage.addEventListener('people', () => this.togglePeople());
    this.people.addEventListener('close', () => this.togglePeople(false));
    this.#devices();
    this.#shortcutsWish();
  }

  get #views() {
    return /** @type {NodeListOf<HTMLElement>} */ (this.stage.querySelectorAll('[data-view]'));
  }

  /** @param {string} name @param {() => void} act */
  #item(name, act) {
    this.stage.parts[name].addEventListener('click', act);
  }

  /** @param {string} view that is watched */
  showView(view) {
    for (const item of this.#views) item.setAttribute('aria-checked', String(item.dataset.view === view));
  }

  get peopleOpen() {
    return !this.people.hidden;
  }

  /** @param {boolean} open */
  togglePeople(open = !this.peopleOpen) {
    if (open === this.peopleOpen) return;
    const hadFocus = this.people.contains(document.activeElement);
    this.people.hidden = !open;
    this.stage.parts.people.setAttribute('aria-expanded', String(open));
    if (open) this.people.parts.close.focus();
    else if (hadFocus) this.stage.parts.people.focus();
    this.#tell('people', { open });
  }

  openHelp() {
    this.stage.parts['keyboard-dialog'].showModal();
  }

  get shortcuts() {
    return preference('shortcuts') !== 'off';
  }

  async #openDevices() {
    const { tones, 'devices-dialog': dialog } = this.stage.parts;
    if (dialog.open) return;
    tones.value = preference('tones') ?? 'on';
    await this.#fillDevices();
    if (!dialog.open) dialog.showModal(); // a second click may have come meanwhile
  }

  async #fillDevices() {
    const { cameras, microphones, speakers, nothing } = this.stage.parts;
    await Promise.all([
      fill(cameras, 'camera', this.inUse('video')),
      fill(microphones, 'microphone', this.inUse('audio')),
      fill(speakers, 'speaker'),
    ]);
    nothing.hidden = ![cameras, microphones, speakers].every((one) => one.closest('label').hidden);
  }

  /** One came or went, or another one is in use. */
  devicesChanged() {
    if (this.stage.parts['devices-dialog'].open) void this.#fillDevices();
  }

  #devices() {
    const { cameras, microphones, speakers, tones } = this.stage.parts;
    const roles = /** @type {const} */ ([['camera', cameras], ['microphone', microphones], ['speaker', speakers]]);
    for (const [role, select] of roles) {
      select.addEventListener('change', () => {
        choose(role, select.value);
        this.#tell('device', role);
      });
    }
    tones.addEventListener('change', () => setPreference('tones', tones.value));
  }

  #shortcutsWish() {
    const box = this.stage.parts.shortcuts;
    box.checked = this.shortcuts;
    box.addEventListener('change', () => setPreference('shortcuts', box.checked ? 'on' : 'off'));
  }

  /** Closed, as a meeting begins and as it ends. */
  reset() {
    this.togglePeople(false);
    for (const dialog of this.stage.querySelectorAll('dialog')) dialog.close();
    for (const menu of this.stage.querySelectorAll('[popover]:popover-open')) /** @type {HTMLElement} */ (menu).hidePopover();
    this.windows.reset();
  }

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
