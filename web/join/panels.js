// What opens over or beside the meeting: people, view, more, devices, the keyboard's page.

import { bindMenu } from '../shared/menus.js';
import { choose, fill } from './devices.js';
import { preference, setPreference } from './memory.js';
import { canShare } from './screen.js';

/** @typedef {import('./stage.js').Stage} Stage */
/** @typedef {import('./people.js').People} People */

/** Fires `view` (detail: string), `device` (detail: 'camera' | 'microphone' | 'speaker'), `people` (detail: {open}). */
export class Panels extends EventTarget {
  /** @param {Stage} stage */
  constructor(stage) {
    super();
    this.stage = stage;
    this.people = /** @type {People} */ (stage.querySelector('mx-people'));
    const { parts } = stage;
    bindMenu(parts.view, parts['view-menu']);
    bindMenu(parts.more, parts['more-menu']);
    for (const item of this.#views) item.addEventListener('click', () => this.#tell('view', item.dataset.view));
    this.#item('open-view', () => parts['view-menu'].showPopover());
    this.#item('open-screen', () => stage.dispatchEvent(new Event('screen')));
    this.#item('devices', () => void this.#openDevices());
    this.#item('full', () => void this.toggleFullScreen());
    this.#item('picture', () => void this.#togglePicture());
    this.#item('keyboard', () => this.openHelp());
    parts.screen.hidden = parts['open-screen'].hidden = !canShare;
    parts.full.hidden = !document.fullscreenEnabled;
    parts.picture.hidden = !document.pictureInPictureEnabled;
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

  async toggleFullScreen() {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await this.stage.main.requestFullscreen();
    } catch (error) {
      console.info('no full screen', error);
    }
  }

  async #togglePicture() {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await this.stage.parts.composite.requestPictureInPicture();
    } catch (error) {
      this.stage.toast('The browser gives no small window now.');
      console.info('no picture in picture', error);
    }
  }

  async #openDevices() {
    const { cameras, microphones, speakers, tones, nothing } = this.stage.parts;
    await Promise.all([fill(cameras, 'camera'), fill(microphones, 'microphone'), fill(speakers, 'speaker')]);
    nothing.hidden = ![cameras, microphones, speakers].every((one) => one.closest('label').hidden);
    tones.value = preference('tones') ?? 'on';
    this.stage.parts['devices-dialog'].showModal();
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
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
    if (document.pictureInPictureElement) void document.exitPictureInPicture().catch(() => undefined);
  }

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
