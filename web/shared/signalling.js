// A call that lasts: joins, notices a loss, comes back as the same participant, and knows when it is over.

import { Problem, RoomApi } from './api.js';
import { iceServers } from './ice.js';
import { backOff, connectDeadline, next } from './machine.js';
import { Prober } from './prober.js';
import { Transport } from './transport.js';
import { Watch } from './watch.js';

/** @typedef {import('./machine.js').CallState} CallState */
/** @typedef {import('./machine.js').CallInput} CallInput */
/** @typedef {import('./transport.js').LocalTracks} LocalTracks */
/** @typedef {import('./transport.js').Line} Line */
/** @typedef {import('./transport.js').CameraEncoding} CameraEncoding */
/** @typedef {import('./api.js').RoomEvent} RoomEvent */
/** @typedef {{room: string, name: string, view?: string, token?: string | null, id?: string | null,
 *             key?: string | null, tracks: LocalTracks}} CallOptions */

const FINAL = new Set([400, 403, 406, 410, 413, 422, 423]);
const FORGOTTEN = new Set([401, 404]);

/**
 * Fires `state` (detail: {state, reason}), `stream` (detail: MediaStream), `joined` (detail: {id, token}),
 * `event` (detail: RoomEvent), `network` (detail: {online}), `interrupted` (detail: whether nothing comes at the moment).
 */
export class Call extends EventTarget {
  /** @param {CallOptions} options */
  constructor(options) {
    super();
    this.options = options;
    this.tracks = { ...options.tracks };
    /** @type {CallState} */
    this.state = 'idle';
    /** @type {string | null} */
    this.id = options.id ?? null;
    /** @type {string | null} */
    this.token = options.token ?? null;
    this.view = options.view ?? 'main';
    this.api = new RoomApi(options.room, options.key ?? null);
    /** @type {Transport | null} */
    this.transport = null;
    /** @type {WebSocket | null} */
    this.events = null;
    this.attempt = 0;
    this.timer = 0;
    this.deadline = 0;
    /** @type {CameraEncoding | undefined} */
    this.encoding = undefined;
    /** @type {Watch | null} */
    this.watch = null;
    /** @type {Prober | null} */
    this.prober = null;
    this.page = new AbortController();
    const { signal } = this.page;
    window.addEventListener('online', () => this.#networkChanged(true), { signal });
    window.addEventListener('offline', () => this.#networkChanged(false), { signal });
    window.addEventListener('pagehide', () => this.transport?.close(), { signal });
    window.addEventListener('pageshow', ({ persisted }) => persisted && this.#lost('The page was asleep.'), { signal });
    const { connection } = /** @type {any} */ (navigator); // from Wi-Fi to the phone's network, say: another address
    connection?.addEventListener?.('change', () => void this.watch?.hint(), { signal });
  }

  get pc() {
    return this.transport?.pc ?? null;
  }

  join() {
    if (this.#move('join')) void this.#connect();
  }

  /** Ends the call by the user's wish and tells the server. */
  async leave() {
    const { id } = this;
    const told = id && this.token ? this.api.remove(id) : Promise.resolve();
    this.#end(null);
    await told.catch((error) => console.info('leaving was not heard by the server', error));
  }

  /**
   * @param {Line} line
   * @param {MediaStreamTrack | null} track what is sent from now on, over reconnections too
   */
  async setTrack(line, track) {
    this.tracks[line] = track;
    await this.transport?.replace(line, track);
  }

  /** @param {CameraEncoding} encoding how the camera is sent from now on, over reconnections too */
  scaleCamera(encoding) {
    this.encoding = encoding;
    this.transport?.scale(encoding);
  }

  /** Watches another view of the room; kept over reconnections. @param {string} view @throws {Problem} */
  async setView(view) {
    if (this.id && this.token) await this.api.patch(this.id, { view });
    this.view = view;
  }

  /**
   * @param {CallInput} input
   * @param {string | null} reason for the user
   * @returns {boolean} whether the state changed
   */
  #move(input, reason = null) {
    const state = next(this.state, input);
    if (state === this.state) return false;
    this.state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, reason } }));
    return true;
  }

  async #connect() {
    const transport = new Transport(this.tracks, this.encoding);
    this.transport = transport;
    transport.addEventListener('stream', () => this.#tell('stream', transport.stream));
    transport.addEventListener('up', () => this.#up());
    transport.addEventListener('shaky', () => void this.watch?.hint());
    transport.addEventListener('lost', () => this.#lost('The connection was lost.'));
    this.deadline = window.setTimeout(() => transport.close('lost'), connectDeadline(this.attempt));
    try {
      transport.use(await iceServers(this.api));
      const sdp = await transport.offer();
      const answer = await this.api.join(this.#joinBody(sdp, transport.kinds()));
      if (this.transport !== transport) return void this.#cameTooLate(answer);
      this.#joined(answer);
      await transport.answer(answer.sdp, (candidates) => void this.#trickle(answer.id, candidates));
    } catch (error) {
      if (this.transport === transport) this.#failed(error);
    }
  }

  /** The user left while the server took us in: it should not keep a seat for us. @param {import('./api.js').JoinAnswer} answer */
  #cameTooLate({ id, token }) {
    if (this.state !== 'ended') return; // a newer attempt, as the same participant
    new RoomApi(this.options.room, token).remove(id).catch((error) => console.info('the seat is free in a moment', error));
  }

  /** @param {string} sdp @param {Record<string, string>} tracks @returns {import('./api.js').JoinBody} */
  #joinBody(sdp, tracks) {
    const { name } = this.options;
    return { name, sdp, type: 'offer', view: this.view, tracks, ...(this.token ? { token: this.token } : {}) };
  }

  /** @param {import('./api.js').JoinAnswer} answer */
  #joined(answer) {
    this.id = answer.id;
    this.token = answer.token;
    this.view = answer.view;
    this.api = new RoomApi(this.options.room, answer.token);
    this.#tell('joined', { id: answer.id, token: answer.token });
    this.#openEvents();
  }

  /** @param {string} id @param {string[]} candidates */
  async #trickle(id, candidates) {
    try {
      await this.api.addCandidates(id, candidates);
    } catch (error) {
      console.info('candidates were not taken; the server learns them from our checks', error);
    }
  }

  #up() {
    window.clearTimeout(this.deadline);
    this.attempt = 0;
    if (!this.#move('up') || !this.transport) return;
    const watch = new Watch(this.transport, () => this.api.probe(this.id));
    this.watch = watch;
    watch.addEventListener('interrupted', (event) => this.#tell('interrupted', /** @type {CustomEvent} */ (event).detail));
    watch.addEventListener('answered', (event) => this.#answered(/** @type {CustomEvent} */ (event).detail));
    watch.addEventListener('gone', () => this.#lost('The connection was lost.', 0));
  }

  /** What the server said when it was asked for us in a silence. @param {Problem | null} problem */
  #answered(problem) {
    if (problem && this.#refused(problem)) return;
    if (this.events?.readyState !== WebSocket.OPEN) this.#openEvents(); // it may hang in a network that was not there
  }

  /** Whether we are out by what the server says; an overloaded one says nothing of us. @param {Problem} problem */
  #refused(problem) {
    if (!FINAL.has(problem.status) && !FORGOTTEN.has(problem.status)) return false;
    this.#failed(problem);
    return true;
  }

  /** @param {boolean} online */
  #networkChanged(online) {
    this.#tell('network', { online });
    if (!online) return;
    this.attempt = Math.min(this.attempt, 1);
    if (this.state === 'live') void this.watch?.hint();
    else if (this.state === 'joining' && this.token) this.#lost('The network changed.', 0); // begun on the old one
    else if (this.state === 'waiting') this.#seek();
  }

  /** @param {unknown} error */
  #failed(error) {
    if (error instanceof Problem && FINAL.has(error.status)) return this.#end(error.message);
    if (error instanceof Problem && FORGOTTEN.has(error.status) && !this.#forgetIdentity()) {
      return this.#end(error.status === 401 ? 'This server asks for a key.' : error.message, error.status);
    }
    if (!(error instanceof Error)) throw error;
    return this.#lost(error.message, error instanceof Problem ? error.retryAfterMs : null);
  }

  /** An identity that the server no longer knows: come in as somebody new. False if there was none to forget. */
  #forgetIdentity() {
    if (!this.token) return false;
    this.token = null;
    this.id = null;
    this.api = new RoomApi(this.options.room, this.options.key ?? null);
    return true;
  }

  /** @param {string} reason @param {number | null} retryAfterMs */
  #lost(reason, retryAfterMs = null) {
    this.#drop();
    if (!this.#move('lost', reason)) return;
    const wait = retryAfterMs ?? backOff(this.attempt, Math.random());
    this.attempt += 1;
    this.timer = window.setTimeout(() => this.#seek(), wait);
  }

  /** Joins as soon as the server answers at all: an offer is not made into a network that is not there. */
  #seek() {
    window.clearTimeout(this.timer);
    this.prober?.stop();
    this.prober = new Prober(() => this.api.probe(null), () => this.#retry());
    this.prober.hurry();
  }

  #retry() {
    if (this.#move('retry')) void this.#connect();
  }

  #drop() {
    window.clearTimeout(this.deadline);
    window.clearTimeout(this.timer);
    this.prober?.stop();
    this.watch?.stop();
    this.watch = null;
    this.transport?.close();
    this.transport = null;
    const socket = this.events;
    this.events = null;
    socket?.close();
  }

  /** @param {string | null} reason null: the user's own wish @param {number} [status] */
  #end(reason, status = 0) {
    this.#drop();
    this.page.abort();
    this.endStatus = status;
    this.#move('end', reason);
  }

  #openEvents() {
    this.events?.close();
    const socket = this.api.openEvents();
    this.events = socket;
    socket.onmessage = ({ data }) => this.#event(JSON.parse(data));
    socket.onclose = () => {
      if (this.events === socket) void this.#eventsClosed(socket);
    };
  }

  /** The server went, or the network, or only this socket. @param {WebSocket} socket */
  async #eventsClosed(socket) {
    const problem = await this.api.probe(this.id).then(() => null, (error) => error);
    if (this.events !== socket) return;
    if (problem instanceof Problem && this.#refused(problem)) return;
    void this.watch?.hint();
    this.timer = window.setTimeout(() => this.events === socket && this.#openEvents(), backOff(2, Math.random()));
  }

  /** @param {RoomEvent} event */
  #event(event) {
    this.#tell('event', event);
    if (event.type === 'room_finished') this.#end('The meeting was ended for everybody.');
    if (event.type === 'participant_left' && event.participant.id === this.id) this.#left(event.reason);
  }

  /** @param {string} reason */
  #left(reason) {
    if (reason === 'removed') this.#end('You were removed from the meeting.');
    else if (reason === 'left') this.#end('You left the meeting.'); // by this identity's own token, elsewhere
    else if (reason !== 'finished') this.#lost('The connection was lost.'); // room_finished follows
  }

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
