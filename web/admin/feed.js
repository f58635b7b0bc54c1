// One room as it is now: its events over a WebSocket that comes back, and what events do not tell, asked now and then.

import { Problem, RoomApi } from '../shared/api.js';
import { backOff } from '../shared/machine.js';
import { roomPath } from './client.js';
import { Poll } from './poll.js';

/**
 * @typedef {{id: string, name: string, role: 'viewer' | 'participant' | 'moderator', joined_at: string,
 *   state: 'connecting' | 'connected' | 'disconnected', view: string, tier: string,
 *   audio: {codec: string | null, muted: boolean, muted_by: string | null, level_dbov: number, speaking: boolean},
 *   video: {codec: string | null, muted: boolean, width: number, height: number, fps: number, visible: boolean},
 *   screen: boolean, gain_db: number, pinned: boolean, hand_raised: boolean, loss: number, rtt_ms: number | null}} Person
 * @typedef {{name: string, layout: string, order: (string | null)[], pinned: string[], fit: 'crop' | 'letterbox',
 *   show_names: boolean, background: string, glide_ms: number,
 *   canvas: {width: number, height: number, fps: number}}} View
 * @typedef {{id: string, layout: string, locked: boolean, participants: number, max_participants: number,
 *   created_at: string, active_speaker: string | null, canvas: View['canvas'], views: string[]}} RoomDocument
 * @typedef {{id: string, participant: string, kind: string, name: string, live: boolean, visible: boolean}} Source
 * @typedef {import('../shared/api.js').RoomEvent} RoomEvent
 */

const PEOPLE_MS = 2_000;
const VIEWS_MS = 5_000;
const SOON_MS = 120; // one question for a burst of events

/** Fires `people`, `views`, `event` (detail: RoomEvent), `connected` (detail: boolean), `gone`. */
export class RoomFeed extends EventTarget {
  /** @param {import('./client.js').Client} client @param {string} room */
  constructor(client, room) {
    super();
    this.client = client;
    this.room = room;
    /** @type {RoomDocument | null} */
    this.document = null;
    /** @type {Map<string, Person>} */
    this.people = new Map();
    /** @type {View[]} */
    this.views = [];
    /** @type {Source[]} everything with a tile, in the order of the seats */
    this.sources = [];
    /** Our own viewer, which is nobody's business. @type {string | null} */
    this.self = null;
    /** @type {import('../shared/api.js').Tiles | null} of the main view */
    this.tiles = null;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.attempt = 0;
    this.timer = 0;
    this.soon = 0;
    this.closed = false;
    this.peoplePoll = new Poll(() => this.#ask(() => this.#readPeople()), PEOPLE_MS);
    this.viewsPoll = new Poll(() => this.#ask(() => this.#readViews()), VIEWS_MS);
  }

  open() {
    this.#connect();
    this.peoplePoll.start();
    this.viewsPoll.start();
  }

  close() {
    this.closed = true;
    this.peoplePoll.stop();
    this.viewsPoll.stop();
    window.clearTimeout(this.timer);
    window.clearTimeout(this.soon);
    this.socket?.close();
  }

  /** Those whom the room is about: neither this page's own viewer nor anybody who never was in. */
  get present() {
    return [...this.people.values()].filter(({ id }) => id !== this.self);
  }

  get main() {
    return this.views.find(({ name }) => name === 'main') ?? null;
  }

  /** An answer that says how a participant is now. @param {Person} person */
  took(person) {
    if (this.people.has(person.id)) this.people.set(person.id, person);
    this.#fire('people');
  }

  /** An answer that says how a view is now. @param {View} view */
  tookView(view) {
    this.views = this.views.map((one) => (one.name === view.name ? view : one));
    this.#fire('views');
  }

  /** Asks for the views now. */
  refresh() {
    this.viewsPoll.now();
  }

  #connect() {
    if (this.closed) return;
    const socket = new RoomApi(this.room).openEvents();
    this.socket = socket;
    socket.onmessage = ({ data }) => this.#event(JSON.parse(data));
    socket.onclose = () => this.#lost(socket);
  }

  /** @param {WebSocket} socket */
  #lost(socket) {
    if (this.closed || this.socket !== socket) return;
    this.#fire('connected', false);
    this.peoplePoll.now(); // tells whether the room has gone
    this.timer = window.setTimeout(() => this.#connect(), backOff(this.attempt, Math.random()));
    this.attempt += 1;
  }

  /** @param {RoomEvent} event */
  #event(event) {
    if (this.closed) return;
    this.#apply(event);
    this.#fire('event', event);
  }

  /** @param {RoomEvent} event */
  #apply(event) {
    switch (event.type) {
      case 'snapshot':
        this.attempt = 0;
        this.#fire('connected', true);
        this.document = event.document;
        this.tiles = event.tiles;
        this.people = new Map(event.participants.map((/** @type {Person} */ one) => [one.id, one]));
        this.#fire('people');
        this.#refreshSoon();
        break;
      case 'participant_joined':
      case 'participant_changed':
        this.people.set(event.participant.id, event.participant);
        this.#fire('people');
        this.#refreshSoon();
        break;
      case 'participant_left':
        this.people.delete(event.participant.id);
        this.#fire('people');
        this.#refreshSoon();
        break;
      case 'speaking_started':
      case 'speaking_stopped':
        this.#speaking(event.participant, event.type === 'speaking_started');
        break;
      case 'layout_changed':
        if (event.view === 'main') this.tiles = /** @type {any} */ (event);
        this.#refreshSoon();
        break;
      case 'room_finished':
        this.#gone();
    }
  }

  /** @param {string} id @param {boolean} speaking */
  #speaking(id, speaking) {
    const person = this.people.get(id);
    if (!person) return;
    this.people.set(id, { ...person, audio: { ...person.audio, speaking } });
    this.#fire('people');
  }

  #refreshSoon() {
    window.clearTimeout(this.soon);
    this.soon = window.setTimeout(() => this.viewsPoll.now(), SOON_MS);
  }

  async #readPeople() {
    /** @type {Person[]} */
    const found = await this.client.read(roomPath(this.room, '/participants'));
    this.people = new Map(found.map((one) => [one.id, one]));
    this.#fire('people');
  }

  async #readViews() {
    const path = (/** @type {string} */ more) => roomPath(this.room, more);
    const reads = [this.client.read(path('')), this.client.read(path('/views')), this.client.read(path('/sources'))];
    const [document, views, sources] = await Promise.all(reads);
    this.document = document;
    this.views = views;
    this.sources = sources.filter((/** @type {Source} */ { kind, live }) => kind === 'camera' || (kind === 'screen' && live));
    this.#fire('views');
  }

  /** @param {() => Promise<void>} read */
  async #ask(read) {
    try {
      await read();
    } catch (error) {
      if (error instanceof Problem && error.status === 404) this.#gone();
      else if (!(error instanceof Problem) && !(error instanceof Error && error.name === 'Unreachable')) throw error;
      // else the server is away or busy, which the page's head tells: the next turn asks again
    }
  }

  #gone() {
    if (this.closed) return;
    this.close();
    this.#fire('gone');
  }

  /** @param {string} type @param {unknown} [detail] */
  #fire(type, detail) {
    if (!this.closed || type === 'gone') this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
