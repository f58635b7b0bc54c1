import { partsOf } from '../shared/parts.js';
import { roomPath } from './client.js';
import { el, icon, say, sync } from './dom.js';

/** @typedef {import('./studio.js').Studio} Studio */
/** @typedef {import('./feed.js').RoomFeed} RoomFeed */
/** @typedef {import('./feed.js').View} View */

const BUILT_IN = ['main', 'auto-speaker', 'auto-grid', 'low'];

/** The room's further pictures: what they show, how many watch them, one more, one less. */
export class Views extends HTMLElement {
  /** @type {Studio | null} */
  studio = null;
  /** @type {RoomFeed | null} */
  feed = null;
  /** @type {Map<string, HTMLLIElement>} */
  items = new Map();

  connectedCallback() {
    this.parts = partsOf(this);
    this.parts['view-form'].addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#add();
    });
  }

  /** @param {RoomFeed} feed */
  async bind(feed) {
    this.feed = feed;
    feed.addEventListener('views', () => this.#render());
    feed.addEventListener('people', () => this.#render());
    try {
      const names = (await this.studio?.layouts()) ?? [];
      this.parts?.['view-layout'].replaceChildren(...names.map((name) => el('option', { value: name }, name)));
    } catch (error) {
      console.info('the layouts could not be read; the form offers the one it has', error);
    }
  }

  unbind() {
    this.feed = null;
  }

  #render() {
    sync(
      this.parts?.views,
      this.items,
      (this.feed?.views ?? []).map((view) => [view.name, view]),
      ({ name }) => this.#item(name),
      (item, view) => this.#update(item, view),
    );
  }

  /** @param {string} name */
  #item(name) {
    const label = `Delete the view ${name}`;
    const act = () => void this.#delete(name);
    const button = el('button', { type: 'button', class: 'small square danger', 'aria-label': label, title: label, onclick: act }, icon('end'));
    button.hidden = BUILT_IN.includes(name);
    return el('li', {}, el('strong', {}, name), el('span', { class: 'quiet grow' }), button);
  }

  /** @param {HTMLLIElement} item @param {View} view */
  #update(item, { name, layout, canvas }) {
    const watchers = [...(this.feed?.people.values() ?? [])].filter(({ view }) => view === name).length;
    const words = `${layout} · ${canvas.width}×${canvas.height} · ${watchers} ${watchers === 1 ? 'watches' : 'watch'}`;
    say(item.children[1], words);
  }

  async #add() {
    const { 'view-name': name, 'view-layout': layout } = this.parts ?? {};
    const feed = this.feed;
    if (!feed) return;
    const path = roomPath(feed.room, `/views/${encodeURIComponent(name.value)}`);
    const view = await this.studio?.client.act('PUT', path, { layout: layout.value });
    if (!view) return;
    name.value = '';
    feed.refresh();
  }

  /** @param {string} name */
  async #delete(name) {
    const feed = this.feed;
    if (!feed) return;
    await this.studio?.client.act('DELETE', roomPath(feed.room, `/views/${encodeURIComponent(name)}`));
    feed.refresh();
  }
}

customElements.define('mx-views', Views);
