import { partsOf } from '../shared/parts.js';
import { say, sync } from './dom.js';
import { PersonRow } from './person.js';

/** @typedef {import('./studio.js').Studio} Studio */
/** @typedef {import('./feed.js').RoomFeed} RoomFeed */
/** @typedef {import('./feed.js').Person} Person */

/** Who is in the room. Their coming and going, speaking aside, is told aloud. */
export class People extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    /** @type {Studio | null} */
    this.studio = null;
    /** @type {RoomFeed | null} */
    this.feed = null;
    /** @type {Map<string, PersonRow>} */
    this.rows = new Map();
  }

  /** @param {RoomFeed} feed */
  bind(feed) {
    this.feed = feed;
    feed.addEventListener('people', () => this.#render());
    feed.addEventListener('event', (event) => this.#tell(/** @type {CustomEvent} */ (event).detail));
    this.#render();
  }

  unbind() {
    this.feed = null;
    this.#show([]);
  }

  #render() {
    const { feed } = this;
    if (feed) this.#show(feed.present.toSorted((a, b) => Number(b.hand_raised) - Number(a.hand_raised) || a.joined_at.localeCompare(b.joined_at)));
  }

  /** @param {Person[]} people */
  #show(people) {
    const { list, none, speakers } = this.parts ?? {};
    none.hidden = people.length > 0;
    const talking = people.filter(({ audio }) => audio.speaking && !audio.muted).map(({ name }) => name);
    say(speakers, talking.length ? `Speaking: ${talking.join(', ')}` : 'Nobody speaks');
    sync(
      list,
      /** @type {Map<string, PersonRow>} */ (this.rows),
      people.map((person) => [person.id, person]),
      (person) => this.#row(person),
      (row, person) => row.update(person),
    );
  }

  /** @param {Person} person */
  #row(person) {
    const feed = /** @type {RoomFeed} */ (this.feed);
    const studio = /** @type {Studio} */ (this.studio);
    return new PersonRow(person, {
      change: (change) => void studio.change(feed, person.id, change),
      remove: () => void studio.remove(feed, feed.people.get(person.id) ?? person),
    });
  }

  /** @param {import('./feed.js').RoomEvent} event */
  #tell({ type, participant }) {
    if (type !== 'participant_joined' && type !== 'participant_left') return;
    if (participant.id === this.feed?.self || participant.role === 'viewer') return;
    say(this.parts?.news, `${participant.name} ${type === 'participant_joined' ? 'joined' : 'left'}.`);
  }
}

customElements.define('mx-people', People);
