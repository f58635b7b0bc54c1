// The studio's way to the server: reads, which go by silently, and actions, which are noted so that they can be shown.

import { Problem, RoomApi, Unreachable } from '../shared/api.js';
import { HIDDEN_SECRET } from './curl.js';

/** @typedef {import('./curl.js').Call} Call */

const MAX_CALLS = 50;

/**
 * Fires `call` (the list of calls changed), `failed` (detail: Error), `locked` (the server wants to know who asks),
 * `reachable` (detail: boolean, whenever it changes).
 */
export class Client extends EventTarget {
  #api = new RoomApi('', null);

  constructor() {
    super();
    /** @type {Call[]} newest first, at most MAX_CALLS */
    this.calls = [];
    /** Whether the server asks for no secret here. */
    this.open = false;
    this.reachable = true;
  }

  /**
   * @param {string} path
   * @returns {Promise<any>}
   * @throws {Problem | Unreachable}
   */
  async read(path) {
    return this.#send('GET', path);
  }

  /**
   * What an admin did: one call.
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @returns {Promise<any>} the answer, true where it has no body, null if it failed: then `failed` was fired
   */
  async act(method, path, body) {
    return this.#noted({ method, path, body, outcome: '…', ok: null }, () => this.#send(method, path, body));
  }

  /** Whether it was the right one. @param {string} secret @returns {Promise<boolean>} */
  async signIn(secret) {
    const call = { method: 'POST', path: '/v1/session', body: HIDDEN_SECRET, outcome: '…', ok: null };
    return (await this.#noted(call, () => this.#send('POST', '/v1/session', { secret }), false)) !== null;
  }

  /** Whether nobody is asked for a secret: tried without the cookie. */
  async learnWhetherOpen() {
    const answer = await fetch('/v1/rooms', { credentials: 'omit', cache: 'no-store' });
    this.open = answer.ok;
  }

  /** @param {Call} call @param {() => Promise<any>} send @param {boolean} loud whether a failure is told by `failed` */
  async #noted(call, send, loud = true) {
    this.calls = [call, ...this.calls].slice(0, MAX_CALLS);
    this.dispatchEvent(new Event('call'));
    try {
      const value = await send();
      Object.assign(call, { outcome: 'done', ok: true });
      return value ?? true;
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
      Object.assign(call, { outcome: error instanceof Problem ? String(error.status) : 'no answer', ok: false });
      if (loud) this.dispatchEvent(new CustomEvent('failed', { detail: error }));
      return null;
    } finally {
      this.dispatchEvent(new Event('call'));
    }
  }

  /** @param {string} method @param {string} path @param {unknown} [body] */
  async #send(method, path, body) {
    try {
      const value = await this.#api.call(method, path, body);
      this.#heard(true);
      return value;
    } catch (error) {
      this.#heard(!(error instanceof Unreachable));
      if (error instanceof Problem && error.status === 401) this.dispatchEvent(new Event('locked'));
      throw error;
    }
  }

  /** @param {boolean} reachable */
  #heard(reachable) {
    if (reachable === this.reachable) return;
    this.reachable = reachable;
    this.dispatchEvent(new CustomEvent('reachable', { detail: reachable }));
  }
}

/** @param {string} room @param {string} more */
export function roomPath(room, more = '') {
  return `/v1/rooms/${encodeURIComponent(room)}${more}`;
}
