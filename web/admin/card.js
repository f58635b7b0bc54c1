import { roomPath } from './client.js';
import { el, icon, say } from './dom.js';
import { LivingPicture } from './snapshots.js';

/** @typedef {import('./feed.js').RoomDocument} RoomDocument */

const PICTURE_WIDTH = 480;

/** A room as a living picture. */
export class RoomCard extends HTMLElement {
  /** @param {RoomDocument} room @param {{end: () => void, copy: () => void}} actions */
  constructor(room, actions) {
    super();
    this.room = room;
    this.image = el('img', { alt: '', decoding: 'async' });
    this.picture = new LivingPicture(this.image, () => roomPath(room.id, `/snapshot.jpg?width=${PICTURE_WIDTH}`));
    this.count = el('span', { class: 'badge over' });
    this.locked = el('span', { class: 'badge over', hidden: true }, icon('lock'), el('span', { class: 'aloud' }, 'locked'));
    this.layout = el('span', { class: 'quiet' });
    this.names = el('p', { class: 'names' });
    this.append(
      el('a', { class: 'card-picture', href: `#/rooms/${room.id}`, 'aria-label': `Open room ${room.id}` }, this.image),
      el('div', { class: 'card-badges' }, this.count, this.locked),
      el('div', { class: 'card-words' }, el('h2', { dir: 'auto' }, room.id), this.layout, this.names),
      el('div', { class: 'card-actions' }, this.#copyButton(actions.copy), this.#endButton(actions.end)),
    );
  }

  /** @param {() => void} copy */
  #copyButton(copy) {
    const label = `Copy the join link of ${this.room.id}`;
    return el('button', { type: 'button', class: 'small', onclick: copy, 'aria-label': label }, icon('link'), 'Join link');
  }

  /** @param {() => void} end */
  #endButton(end) {
    const label = `End room ${this.room.id}`;
    return el('button', { type: 'button', class: 'small danger', onclick: end, 'aria-label': label }, icon('end'), 'End');
  }

  connectedCallback() {
    this.picture.start();
  }

  disconnectedCallback() {
    queueMicrotask(() => {
      if (!this.isConnected) this.picture.stop(); // else it was only moved
    });
  }

  /** @param {RoomDocument} room */
  update(room) {
    this.room = room;
    const { width, height } = room.canvas;
    say(this.layout, `${room.layout} · ${width}×${height}`);
    this.locked.hidden = !room.locked;
    if (!room.participants) this.showPeople([]);
    else if (!this.count.textContent) say(this.count, `${room.participants} here`);
  }

  /** @param {{name: string, role: string}[]} people */
  showPeople(people) {
    const inside = people.filter(({ role }) => role !== 'viewer');
    const watching = people.length - inside.length;
    say(this.count, `${inside.length} ${inside.length === 1 ? 'person' : 'people'}${watching ? `, ${watching} watching` : ''}`);
    this.names.replaceChildren(...(inside.length ? nameList(inside) : ['Nobody is here.']));
  }
}

/** Each in its own direction and cut on its own. @param {{name: string}[]} people */
function nameList(people) {
  const shown = people.slice(0, 6).map(({ name }) => el('bdi', { class: 'chip' }, name));
  return people.length > 6 ? [...shown, el('span', { class: 'chip' }, `+${people.length - 6}`)] : shown;
}

customElements.define('mx-room-card', RoomCard);
