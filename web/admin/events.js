import { partsOf } from '../shared/parts.js';
import { el, say } from './dom.js';

/** @typedef {import('./feed.js').RoomFeed} RoomFeed */
/** @typedef {import('./feed.js').RoomEvent} RoomEvent */

const MAX_EVENTS = 200; // the oldest goes

/** @type {[string, (type: string) => boolean][]} */
const GROUPS = [
  ['people', (type) => type.startsWith('participant_')],
  ['speaking', (type) => type.startsWith('speaking_') || type === 'active_speaker'],
  ['layout', (type) => type === 'layout_changed'],
];

/** The room's events as they come, newest first. */
export class Events extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    /** @type {RoomFeed | null} */
    this.feed = null;
    const { search, 'clear-events': clear } = this.parts;
    search.addEventListener('input', () => this.#filter());
    for (const group of this.#boxes()) group.addEventListener('change', () => this.#filter());
    clear.addEventListener('click', () => this.#clear());
  }

  /** @returns {HTMLInputElement[]} */
  #boxes() {
    return ['people', 'speaking', 'layout', 'other'].map((name) => this.parts?.[`show-${name}`]);
  }

  /** @param {RoomFeed} feed */
  bind(feed) {
    this.feed = feed;
    this.#clear();
    feed.addEventListener('event', (event) => this.#add(/** @type {CustomEvent} */ (event).detail));
  }

  unbind() {
    this.feed = null;
  }

  #clear() {
    this.parts?.log.replaceChildren();
    this.#count();
  }

  /** @param {RoomEvent} event */
  #add(event) {
    const { log } = this.parts ?? {};
    const item = el(
      'li',
      { 'data-group': groupOf(event.type) },
      el('time', { datetime: event.time }, new Date(event.time).toLocaleTimeString()),
      el('span', { class: 'event-type' }, event.type),
      el('bdi', {}, this.#words(event)),
      el('span', { class: 'quiet number' }, `#${event.seq}`),
    );
    log.prepend(item);
    item.hidden = !this.#wanted(item);
    while (log.children.length > MAX_EVENTS) log.lastElementChild?.remove();
    this.#count();
  }

  /** @param {RoomEvent} event */
  #words({ type, participant, reason, tiles, view, participants }) {
    const name = typeof participant === 'string' ? this.feed?.people.get(participant)?.name ?? participant : participant?.name;
    if (type === 'snapshot') return `${participants.length} in the room`;
    if (type === 'layout_changed') return `${view}: ${tiles.length} ${tiles.length === 1 ? 'tile' : 'tiles'}`;
    return [name, reason].filter(Boolean).join(' · ');
  }

  #filter() {
    for (const item of this.parts?.log.children ?? []) item.hidden = !this.#wanted(item);
    this.#count();
  }

  /** @param {HTMLElement} item */
  #wanted(item) {
    const text = this.parts?.search.value.trim().toLowerCase();
    const box = this.parts?.[`show-${item.dataset.group}`];
    return box.checked && (!text || (item.textContent ?? '').toLowerCase().includes(text));
  }

  #count() {
    const { log, 'event-count': count } = this.parts ?? {};
    const items = /** @type {HTMLElement[]} */ ([...log.children]);
    const shown = items.filter(({ hidden }) => !hidden).length;
    say(count, shown === items.length ? `${shown}` : `${shown} of ${items.length}`);
  }
}

/** @param {string} type */
function groupOf(type) {
  return GROUPS.find(([, belongs]) => belongs(type))?.[0] ?? 'other';
}

customElements.define('mx-events', Events);
