// One's own screen in a call: shared, ended by us, by the browser's own bar, or by somebody else.

import { article } from './people.js';
import { openScreen } from './screen.js';

/** @typedef {import('../shared/transport.js').Line} Line */
/** @typedef {import('../shared/api.js').Tiles} Tiles */

const PAUSE_MS = 900; // after a share the server leaves its stragglers out until they stay away
const STEADY_MS = 5_000; // a transport so old: what it shows is this share, and not what an older one left behind
const MISSING_MS = 3_000; // a tile that was there and is away so long was taken away

/** Fires `changed`, `tell` (detail: a change for the server), `word` (detail: string, for the user). */
export class ScreenShare extends EventTarget {
  /** @param {(line: Line, track: MediaStreamTrack | null) => Promise<void>} send */
  constructor(send) {
    super();
    this.send = send;
    /** @type {MediaStreamTrack | null} */
    this.video = null;
    /** @type {MediaStreamTrack | null} */
    this.audio = null;
    this.asking = false;
    this.over = false;
    this.freeAt = 0;
    this.seen = false;
    this.seenAt = 0;
  }

  get on() {
    return this.video !== null;
  }

  async toggle() {
    if (this.on) return this.stop();
    if (this.asking) return; // the browser's question is open
    this.asking = true;
    try {
      await this.#begin();
    } catch (error) {
      this.#fire('word', error instanceof Error ? error.message : String(error));
    } finally {
      this.asking = false;
    }
  }

  async #begin() {
    const shared = await openScreen();
    if (!shared) return;
    await new Promise((resolve) => { setTimeout(resolve, this.freeAt - performance.now()); });
    if (this.over) return halt(shared.video, shared.audio);
    this.video = shared.video;
    this.audio = shared.audio;
    this.seen = false;
    this.video.addEventListener('ended', () => void (this.video === shared.video && this.stop())); // the browser's bar
    if (shared.video.readyState === 'ended') return this.stop(); // during the pause above
    this.dispatchEvent(new Event('changed'));
    await Promise.all([this.send('screen', this.video), this.send('screenAudio', this.audio)]);
  }

  /** By our own wish. */
  async stop() {
    if (!this.on) return;
    await this.#take();
    this.#fire('tell', { screen: false }); // at once, and not when its packets stay away
  }

  /** Somebody else ended it at the server: nothing more is captured. @param {string} who */
  async endedBy(who) {
    if (!this.on || who === 'self') return;
    this.#fire('word', `Your screen share was ended by ${article(who)}.`);
    await this.#take();
  }

  /**
   * Whether the room still shows it: a share whose tile went away was ended, whatever the reason.
   * @param {Tiles} tiles of a view that the room draws
   * @param {string} source its id
   * @param {{connectedAt: number, now: number}} times ms; connectedAt: of the transport, Infinity while there is none
   */
  look({ tiles, hidden }, source, { connectedAt, now }) {
    if (!this.on || now - connectedAt < STEADY_MS) this.seen = false;
    else if (hidden.includes(source) || tiles.some((tile) => tile.source === source)) this.seen = true;
    else if (this.seen && now - this.seenAt > MISSING_MS) return void this.#endedByServer();
    else return;
    this.seenAt = now;
  }

  async #endedByServer() {
    this.#fire('word', 'Your screen is no longer shown to the others: the share has ended.');
    await this.#take();
  }

  /** The call is over. */
  end() {
    this.over = true;
    halt(this.video, this.audio);
  }

  async #take() {
    halt(this.video, this.audio);
    this.video = this.audio = null;
    this.freeAt = performance.now() + PAUSE_MS;
    this.dispatchEvent(new Event('changed'));
    await Promise.all([this.send('screen', null), this.send('screenAudio', null)]);
  }

  /** @param {'tell' | 'word'} type @param {unknown} detail */
  #fire(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @param {(MediaStreamTrack | null)[]} tracks */
function halt(...tracks) {
  for (const track of tracks) track?.stop();
}
