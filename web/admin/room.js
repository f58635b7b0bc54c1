import { partsOf } from '../shared/parts.js';
import { roomPath } from './client.js';
import { say } from './dom.js';
import { RoomFeed } from './feed.js';

/** @typedef {import('./studio.js').Studio} Studio */

const PANELS = ['mx-live', 'mx-layouts', 'mx-views', 'mx-people', 'mx-costs', 'mx-events'];

/** One room: its picture, its layout, its people, what it costs, what happens. Fires `gone` (detail: room id). */
export class Room extends HTMLElement {
  joinLink = '';

  connectedCallback() {
    this.parts = partsOf(this);
    /** @type {Studio | null} */
    this.studio = null;
    /** @type {RoomFeed | null} */
    this.feed = null;
    this.panels = PANELS.map((name) => /** @type {any} */ (this.querySelector(name)));
    const { lock, 'copy-link': copy, invite, end } = this.parts;
    lock.addEventListener('click', () => void this.#lock());
    copy.addEventListener('click', () => void this.studio?.copyJoinLink(this.joinLink));
    invite.addEventListener('click', () => this.feed && this.studio?.invitation.show(this.feed.room, this.joinLink));
    end.addEventListener('click', () => this.feed && void this.studio?.endRoom(this.feed.room));
    this.panels[0].addEventListener('watch', (/** @type {CustomEvent} */ { detail: { id, view } }) => {
      if (this.feed) void this.studio?.change(this.feed, id, { view });
    });
  }

  /** @param {Studio} studio */
  use(studio) {
    this.studio = studio;
    for (const panel of this.panels ?? []) panel.studio = studio;
  }

  /** @param {string} room */
  show(room) {
    this.hide();
    this.hidden = false;
    const feed = new RoomFeed(/** @type {Studio} */ (this.studio).client, room);
    this.feed = feed;
    const { title, open, lock } = this.parts ?? {};
    say(title, room);
    lock.disabled = true;
    open.href = `/?room=${encodeURIComponent(room)}`;
    this.joinLink = new URL(open.href, location.href).href;
    feed.addEventListener('people', () => this.#renderHead());
    feed.addEventListener('views', () => this.#renderHead());
    feed.addEventListener('gone', () => this.dispatchEvent(new CustomEvent('gone', { detail: room })));
    feed.addEventListener('connected', (event) => {
      this.parts?.away.toggleAttribute('hidden', /** @type {CustomEvent} */ (event).detail);
    });
    for (const panel of this.panels ?? []) void panel.bind(feed);
    feed.open();
    void this.#learnLink(feed);
  }

  /** Before it is asked for: browsers let a page copy only at once after a click. @param {RoomFeed} feed */
  async #learnLink(feed) {
    const link = await this.studio?.joinLink(feed.room);
    if (link && this.feed === feed) this.joinLink = link;
  }

  hide() {
    this.hidden = true;
    for (const panel of this.panels ?? []) panel.unbind();
    this.feed?.close();
    this.feed = null;
    this.studio?.invitation.close();
  }

  #renderHead() {
    const feed = this.feed;
    const document = feed?.document;
    if (!feed || !document) return;
    const { facts, lock, 'lock-words': words, 'lock-icon': symbol } = this.parts ?? {};
    const people = feed.present.filter(({ role }) => role !== 'viewer').length;
    const { width, height, fps } = document.canvas;
    say(facts, `${people} ${people === 1 ? 'person' : 'people'} · ${feed.main?.layout ?? document.layout} · ${width}×${height} at ${fps}/s`);
    lock.disabled = false;
    lock.setAttribute('aria-pressed', String(document.locked));
    say(words, document.locked ? 'Unlock' : 'Lock');
    symbol.setAttribute('href', document.locked ? '#lock' : '#unlock');
  }

  async #lock() {
    const { feed } = this;
    if (!feed?.document) return;
    const document = await this.studio?.client.act('PATCH', roomPath(feed.room), { locked: !feed.document.locked });
    if (document) feed.document = document;
    this.#renderHead();
  }
}

customElements.define('mx-room', Room);
