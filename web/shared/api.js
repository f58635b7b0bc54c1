// The HTTP contract (docs: /docs, /openapi.json) as functions. Nothing here knows of pages or peer connections.

/**
 * @typedef {{x: number, y: number, width: number, height: number}} Rect canvas pixels, top left origin
 * @typedef {Rect & {source: string, participant: string, kind: string, z: number, target: Rect}} Tile
 * @typedef {{tick: number, rtp_time: number, settled: boolean, tiles: Tile[], hidden: string[]}} Tiles
 * @typedef {{id: string, sdp: string, type: 'answer', room: string, view: string, token: string}} JoinAnswer
 * @typedef {{name: string, sdp: string, type: 'offer', view?: string, role?: string,
 *            tracks?: Object<string, string>, token?: string}} JoinBody
 * @typedef {{id: string, name: string, role: string, state: string, joined_at: string, view: string, tier: string,
 *            limited_by: 'bandwidth' | 'choice' | null,
 *            audio: {codec: string | null, muted: boolean, muted_by: string | null, level_dbov: number, speaking: boolean},
 *            video: {codec: string | null, muted: boolean, muted_by: string | null, width: number, height: number,
 *                    fps: number, visible: boolean},
 *            screen: boolean, gain_db: number, pinned: boolean, hand_raised: boolean, loss: number,
 *            rtt_ms: number | null}} Participant
 * @typedef {{seq: number, type: string, room: string} & Object<string, any>} RoomEvent
 */

const REQUEST_TIMEOUT_MS = 10_000;
const PROBE_TIMEOUT_MS = 4_000;

/** A failure that the server explained: application/problem+json, RFC 9457. */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {{title?: string, detail?: string}} body
   * @param {number | null} retryAfterMs
   */
  constructor(status, body, retryAfterMs) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.name = 'Problem';
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The server could not be reached, or did not answer in time. */
export class Unreachable extends Error {
  /** @param {unknown} cause */
  constructor(cause) {
    super('The server cannot be reached.', { cause });
    this.name = 'Unreachable';
  }
}

/** @param {Response} response */
async function problemOf(response) {
  const seconds = Number(response.headers.get('Retry-After'));
  /** @type {{title?: string, detail?: string}} */
  let body = {};
  try {
    body = await response.json();
  } catch {
    body = { title: response.statusText }; // a proxy's HTML page, say: the status is all there is to tell
  }
  return new Problem(response.status, body, seconds > 0 ? seconds * 1000 : null);
}

/** Calls of one room with one right to make them. */
export class RoomApi {
  /**
   * @param {string} room a slug
   * @param {string | null} token a participant's own token, a join token, or the admin secret
   * @param {string} base the server's origin, '' for the page's own
   */
  constructor(room, token = null, base = '') {
    this.room = room;
    this.token = token;
    this.base = base;
  }

  /** @returns {string} */
  get path() {
    return `/v1/rooms/${encodeURIComponent(this.room)}`;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {unknown} [body]
   * @param {{keepalive?: boolean, timeout?: number}} [options] keepalive: it is sent although the page goes; timeout: ms
   * @returns {Promise<any>} the JSON body, null if there is none
   * @throws {Problem | Unreachable}
   */
  async call(method, path, body, { keepalive = false, timeout = REQUEST_TIMEOUT_MS } = {}) {
    /** @type {Record<string, string>} */
    const headers = { Accept: 'application/json' };
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    let response;
    try {
      response = await fetch(this.base + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: 'no-store',
        keepalive,
        signal: AbortSignal.timeout(timeout),
      });
    } catch (error) {
      throw new Unreachable(error);
    }
    if (!response.ok) throw await problemOf(response);
    return response.status === 204 ? null : response.json();
  }

  /**
   * @param {JoinBody} body
   * @returns {Promise<JoinAnswer>}
   */
  join(body) {
    return this.call('POST', `${this.path}/participants`, body);
  }

  /** @returns {Promise<Participant[]>} */
  participants() {
    return this.call('GET', `${this.path}/participants`);
  }

  /**
   * @param {string} view
   * @returns {Promise<Tiles>} as drawn last
   */
  tiles(view) {
    return this.call('GET', `${this.path}/views/${encodeURIComponent(view)}/tiles`);
  }

  /**
   * @param {string} id
   * @returns {Promise<Participant>}
   */
  participant(id) {
    return this.call('GET', `${this.path}/participants/${encodeURIComponent(id)}`);
  }

  /** Whether the server is there, and still knows the participant if one is named. @param {string | null} id */
  probe(id) {
    const path = id === null ? '/healthz' : `${this.path}/participants/${encodeURIComponent(id)}`;
    return this.call('GET', path, undefined, { timeout: PROBE_TIMEOUT_MS });
  }

  /**
   * @param {string} id
   * @param {Object<string, unknown>} change
   */
  patch(id, change) {
    return this.call('PATCH', `${this.path}/participants/${encodeURIComponent(id)}`, change);
  }

  /**
   * @param {string} id
   * @param {string[]} candidates each as in `a=candidate:`
   */
  addCandidates(id, candidates) {
    return this.call('PATCH', `${this.path}/participants/${encodeURIComponent(id)}/candidates`, { candidates });
  }

  /** @param {string} id */
  remove(id) {
    return this.call('DELETE', `${this.path}/participants/${encodeURIComponent(id)}`, undefined, { keepalive: true });
  }

  /** The room's events; a browser cannot set headers on a WebSocket, so the token goes as its subprotocol. */
  openEvents() {
    const url = new URL(`${this.base || location.origin}${this.path}/events`);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(url, this.token ? [`bearer.${this.token}`] : []);
  }
}
