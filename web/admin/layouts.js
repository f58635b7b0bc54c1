import { partsOf } from '../shared/parts.js';
import { el, icon, say, sync } from './dom.js';

/** @typedef {import('./studio.js').Studio} Studio */
/** @typedef {import('./feed.js').RoomFeed} RoomFeed */
/** @typedef {import('./feed.js').Source} Source */

const DRAWING = { width: 320, max: 49 };

/** Layouts picked from their drawings, how pictures fill their tiles, and who sits where. */
export class Layouts extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    /** @type {Studio | null} */
    this.studio = null;
    /** @type {RoomFeed | null} */
    this.feed = null;
    /** @type {string[]} */
    this.names = [];
    /** @type {Map<string, HTMLButtonElement>} */
    this.buttons = new Map();
    /** @type {Map<string, HTMLLIElement>} */
    this.seats = new Map();
    const { crop, letterbox, 'show-names': names, background, 'reset-order': reset } = this.parts;
    crop.addEventListener('click', () => this.#lay({ fit: 'crop' }));
    letterbox.addEventListener('click', () => this.#lay({ fit: 'letterbox' }));
    names.addEventListener('change', () => this.#lay({ show_names: names.checked }));
    background.addEventListener('change', () => this.#lay({ background: background.value }));
    reset.addEventListener('click', () => this.#lay({ order: [] }));
  }

  /** @param {RoomFeed} feed */
  async bind(feed) {
    this.feed = feed;
    feed.addEventListener('views', () => this.#render());
    try {
      this.names = await /** @type {Studio} */ (this.studio).layouts();
    } catch (error) {
      console.info('the layouts could not be read; those of the room are shown', error);
    }
    this.#render();
  }

  unbind() {
    this.feed = null;
  }

  /** @param {Partial<import('./feed.js').View>} change */
  #lay(change) {
    if (this.feed) void this.studio?.layOut(this.feed, change);
  }

  #render() {
    const main = this.feed?.main;
    if (!main || !this.feed) return;
    const names = this.names?.includes(main.layout) ? this.names : [...(this.names ?? []), main.layout];
    const tiles = Math.min(this.feed.sources.length, DRAWING.max);
    const height = Math.max(160, Math.round((DRAWING.width * main.canvas.height) / main.canvas.width / 2) * 2);
    const more = `sources=${Math.max(1, tiles)}&width=${DRAWING.width}&height=${Math.min(height, 640)}`;
    sync(
      this.parts?.drawings,
      /** @type {Map<string, HTMLButtonElement>} */ (this.buttons),
      names.map((name) => [name, name]),
      (name) => this.#button(name),
      (button, name) => this.#update(button, name, name === main.layout, more),
    );
    this.#renderOptions(main);
    this.#renderSeats(main.order);
  }

  /** @param {string} name */
  #button(name) {
    const drawing = el('img', { alt: '', width: 320, height: 180 });
    const button = el('button', { type: 'button', class: 'layout' }, drawing, el('span', {}, name));
    button.addEventListener('click', () => this.#lay({ layout: name }));
    return button;
  }

  /** @param {HTMLButtonElement} button @param {string} name @param {boolean} current @param {string} more */
  #update(button, name, current, more) {
    button.setAttribute('aria-pressed', String(current));
    const address = `/v1/layouts/${encodeURIComponent(name)}/preview.svg?${more}`;
    const drawing = button.querySelector('img');
    if (drawing && drawing.getAttribute('src') !== address) drawing.setAttribute('src', address);
  }

  /** @param {import('./feed.js').View} main */
  #renderOptions(main) {
    const { crop, letterbox, 'show-names': names, background, options } = this.parts ?? {};
    options.disabled = false;
    crop.setAttribute('aria-pressed', String(main.fit === 'crop'));
    letterbox.setAttribute('aria-pressed', String(main.fit === 'letterbox'));
    names.checked = main.show_names;
    if (document.activeElement !== background) background.value = main.background;
  }

  // ---- who sits where

  /** @param {(string | null)[]} order */
  #renderSeats(order) {
    const { seats, 'seats-box': box, 'reset-order': reset } = this.parts ?? {};
    const sources = this.#ordered();
    box.hidden = sources.length < 2;
    reset.disabled = order.length === 0;
    sync(
      seats,
      /** @type {Map<string, HTMLLIElement>} */ (this.seats),
      sources.map((source) => [source.id, source]),
      (source) => this.#seat(source),
      (item, source) => this.#updateSeat(item, source, sources),
    );
  }

  /** As they are seen now: by the order that was set, then as the tiles are, then by seat. @returns {Source[]} */
  #ordered() {
    const sources = this.feed?.sources ?? [];
    const set = this.feed?.main?.order ?? [];
    const tiles = (this.feed?.tiles?.tiles ?? []).toSorted((a, b) => a.target.y - b.target.y || a.target.x - b.target.x);
    const seen = [...set.filter((id) => id !== null), ...tiles.map(({ source }) => source)];
    const rank = (/** @type {Source} */ { id }) => (seen.includes(id) ? seen.indexOf(id) : seen.length);
    return sources.toSorted((a, b) => rank(a) - rank(b));
  }

  /** @param {Source} source */
  #seat({ id }) {
    const button = (/** @type {string} */ name, /** @type {number} */ by) =>
      el('button', { type: 'button', class: 'small square', onclick: () => this.#move(id, by) }, icon(name));
    const item = el('li', { draggable: 'true' }, el('bdi', {}), el('span', { class: 'quiet' }), button('up', -1), button('down', 1));
    item.addEventListener('dragstart', (event) => event.dataTransfer?.setData('text/plain', id));
    item.addEventListener('dragover', (event) => event.preventDefault());
    item.addEventListener('drop', (event) => {
      event.preventDefault();
      this.#drop(event.dataTransfer?.getData('text/plain') ?? '', id);
    });
    return item;
  }

  /** @param {HTMLLIElement} item @param {Source} source @param {Source[]} all */
  #updateSeat(item, source, all) {
    const [name, kind, up, down] = /** @type {HTMLElement[]} */ ([...item.children]);
    say(name, source.name);
    say(kind, source.kind === 'screen' ? 'screen' : '');
    const place = all.findIndex(({ id }) => id === source.id);
    up.setAttribute('aria-label', `Move ${source.name} earlier`);
    down.setAttribute('aria-label', `Move ${source.name} later`);
    up.setAttribute('aria-disabled', String(place === 0)); // not `disabled`: the focus would be lost with it
    down.setAttribute('aria-disabled', String(place === all.length - 1));
  }

  /** @param {string} id @param {number} by */
  #move(id, by) {
    const order = this.#ordered().map((source) => source.id);
    const from = order.indexOf(id);
    const to = from + by;
    if (to < 0 || to >= order.length) return;
    [order[from], order[to]] = [order[to], order[from]];
    this.#lay({ order });
  }

  /** @param {string} id @param {string} onto */
  #drop(id, onto) {
    const order = this.#ordered().map((source) => source.id);
    const to = order.indexOf(onto);
    if (id === onto || !order.includes(id)) return;
    const without = order.filter((one) => one !== id);
    without.splice(to, 0, id);
    this.#lay({ order: without });
  }
}

customElements.define('mx-layouts', Layouts);
