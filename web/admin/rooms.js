import { partsOf } from '../shared/parts.js';
import { RoomCard } from './card.js';
import { roomPath } from './client.js';
import { el, say, sync } from './dom.js';
import { Poll } from './poll.js';

/** @typedef {import('./feed.js').RoomDocument} RoomDocument */
/** @typedef {import('./studio.js').Studio} Studio */

const ROOMS_MS = 3_000;

/** All rooms, and the form for a new one. */
export class Rooms extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    /** @type {Studio | null} */
    this.studio = null;
    /** @type {Map<string, RoomCard>} */
    this.cards = new Map();
    this.poll = new Poll(() => this.#refresh(), ROOMS_MS);
    const { create, dialog, form, cancel } = this.parts;
    create.addEventListener('click', () => this.#openForm());
    cancel.addEventListener('click', () => dialog.close());
    form.addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#create();
    });
  }

  show() {
    this.hidden = false;
    this.poll?.start();
    void this.#readLayouts();
  }

  hide() {
    this.hidden = true;
    this.poll?.stop();
    this.#render([]);
  }

  async #refresh() {
    try {
      const rooms = await /** @type {Studio} */ (this.studio).client.read('/v1/rooms');
      if (this.hidden) return;
      this.#render(rooms);
      await this.#people(rooms);
    } catch (error) {
      console.info('the rooms could not be read; the next turn asks again', error); // the page's head tells why
    }
  }

  /** @param {RoomDocument[]} rooms */
  #render(rooms) {
    const { cards: container, none, count } = this.parts ?? {};
    none.hidden = rooms.length > 0;
    say(count, rooms.length === 1 ? '1 room' : `${rooms.length} rooms`);
    const wanted = rooms
      .toSorted((a, b) => b.participants - a.participants || a.id.localeCompare(b.id))
      .map((room) => /** @type {[string, RoomDocument]} */ ([`${room.id} ${room.created_at}`, room]));
    sync(container, /** @type {Map<string, RoomCard>} */ (this.cards), wanted, (room) => this.#card(room), (card, room) => card.update(room));
  }

  /** @param {RoomDocument} room */
  #card(room) {
    const studio = /** @type {Studio} */ (this.studio);
    return new RoomCard(room, { copy: () => void studio.copyJoinLink(room.id), end: () => void this.#end(room.id) });
  }

  /** Who is in the rooms that can be seen. @param {RoomDocument[]} rooms */
  async #people(rooms) {
    for (const { id, created_at: created, participants } of rooms) {
      const card = this.cards?.get(`${id} ${created}`);
      if (!participants || !card || !inSight(card)) continue;
      card.showPeople(await /** @type {Studio} */ (this.studio).client.read(roomPath(id, '/participants')));
    }
  }

  /** @param {string} room */
  async #end(room) {
    if (await /** @type {Studio} */ (this.studio).endRoom(room)) this.poll?.now();
  }

  #openForm() {
    const { dialog, form, id } = this.parts ?? {};
    form.reset();
    dialog.showModal();
    id.focus();
  }

  async #readLayouts() {
    const { dialog, layout } = this.parts ?? {};
    try {
      const layouts = await /** @type {Studio} */ (this.studio).layouts();
      if (!dialog.open) layout.replaceChildren(...layouts.map((name) => el('option', { value: name }, name)));
    } catch (error) {
      console.info('the layouts could not be read; the form offers the one it has', error);
    }
  }

  async #create() {
    const { dialog, submit } = this.parts ?? {};
    submit.disabled = true;
    const room = await /** @type {Studio} */ (this.studio).client.act('POST', '/v1/rooms', this.#body());
    submit.disabled = false;
    if (!room) return;
    dialog.close();
    location.hash = `#/rooms/${room.id}`;
  }

  #body() {
    const { id, layout, width, height, fps, max, locked } = this.parts ?? {};
    return {
      ...(id.value ? { id: id.value } : {}),
      layout: layout.value,
      canvas: { width: width.valueAsNumber, height: height.valueAsNumber, fps: fps.valueAsNumber },
      ...(max.value ? { max_participants: max.valueAsNumber } : {}),
      ...(locked.checked ? { locked: true } : {}),
    };
  }
}

/** @param {Element} element */
function inSight(element) {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < window.innerHeight;
}

customElements.define('mx-rooms', Rooms);
