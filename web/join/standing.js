// How we stand in the room: our own wishes told to the server, and what others decided about us.

import { Problem } from '../shared/api.js';
import { article } from './people.js';

/** @typedef {import('../shared/api.js').Participant} Participant */
/** @typedef {import('../shared/signalling.js').Call} Call */
/** @typedef {import('./own.js').OwnMedia} OwnMedia */

const SETTLED_MS = 600; // after our own change: what the server says then is no older than our wish

/**
 * Fires `word` (detail: string, for the user), `changed` (the hand), `watching` (detail: boolean, whether we may only
 * watch), `name` (detail: string), `view` (detail: string): set by somebody else.
 */
export class Standing extends EventTarget {
  /**
   * @param {Call} call
   * @param {OwnMedia} own
   * @param {{hand: boolean, self: () => Participant | undefined}} options self: we as the server's events have us
   */
  constructor(call, own, { hand, self }) {
    super();
    this.call = call;
    this.own = own;
    this.hand = hand;
    this.self = self;
    /** Wishes from before we were in. @type {Object<string, unknown>} */
    this.early = {};
    this.telling = 0; // how many of our own changes the server has not answered yet
    this.toldAt = -SETTLED_MS;
    this.reconciler = 0;
    /** As the server had them last: what differs now was changed by somebody. @type {string | null} */
    this.role = null;
    /** @type {string | null} */
    this.name = null;
    this.mediaTaken = true; // who joins as a viewer has a transport that takes no media
  }

  get watching() {
    return this.role === 'viewer';
  }

  /** A new transport is being made: the server may have forgotten us meanwhile. @param {boolean} sameOne */
  joined(sameOne) {
    if (!sameOne) {
      this.hand = false;
      this.name = null;
      this.role = null;
      this.early = {};
    }
    this.mediaTaken = !this.watching;
    const { muted, cameraOff } = this.own;
    const wishes = { ...this.early, ...(muted ? { audio_muted: true } : {}), ...(cameraOff ? { video_muted: true } : {}) };
    this.early = {};
    if (Object.keys(wishes).length) this.tell(wishes);
  }

  toggleHand() {
    this.hand = !this.hand;
    this.dispatchEvent(new Event('changed'));
    this.tell({ hand_raised: this.hand });
  }

  /** @param {Object<string, unknown>} change our own wish */
  tell(change) {
    const { id, token, api } = this.call;
    if (!id || !token) {
      this.early = { ...this.early, ...change };
      return;
    }
    this.telling += 1;
    api.patch(id, change)
      .catch((error) => {
        if (error instanceof Problem) this.#fire('word', error.message);
        else console.info('told again on coming back', error);
      })
      .finally(() => {
        this.telling -= 1;
        this.settle();
      });
  }

  /** Our own wish was answered just now. */
  settle() {
    this.toldAt = performance.now();
    this.look();
  }

  /** Looks at what the server says of us, once it is no older than our own wishes. */
  look() {
    window.clearTimeout(this.reconciler);
    if (this.telling || this.call.state === 'ended') return; // the answer asks again
    const wait = this.toldAt + SETTLED_MS - performance.now();
    if (wait > 0) this.reconciler = window.setTimeout(() => this.look(), wait);
    else this.#reconcile();
  }

  end() {
    window.clearTimeout(this.reconciler);
  }

  /** Another one's mute holds here; what only we know, the server is told. */
  #reconcile() {
    const self = this.self();
    if (!self || !this.call.token) return;
    this.#reconcileRole(self);
    this.#reconcileMicrophone(self);
    this.#reconcileCamera(self);
    if (self.hand_raised !== this.hand) this.#handSetByServer(self.hand_raised);
    if (this.name !== null && self.name !== this.name) this.#fire('name', self.name);
    this.name = self.name;
    if (self.view !== this.call.view) this.#fire('view', self.view);
  }

  /** @param {Participant} self */
  #reconcileMicrophone({ audio: { muted, muted_by: by } }) {
    const { own } = this;
    if (!muted && own.muted) this.tell({ audio_muted: true });
    if (!muted || own.muted) return;
    if (by === 'self') return this.tell({ audio_muted: false });
    own.setMuted(true);
    this.#fire('word', `You were muted by ${article(by ?? 'moderator')}.`);
  }

  /** @param {Participant} self */
  #reconcileCamera({ video: { muted, muted_by: by } }) {
    const { own } = this;
    if (!muted && own.cameraOff) this.tell({ video_muted: true });
    if (!muted || own.cameraOff) return;
    if (by === 'self') return this.tell({ video_muted: false });
    void own.cameraGoesOff({ tell: false });
    this.#fire('word', `Your camera was turned off by ${article(by ?? 'moderator')}.`);
  }

  /** @param {boolean} up */
  #handSetByServer(up) {
    this.hand = up;
    this.#fire('word', up ? 'Your hand was raised for you.' : 'Your hand was taken down.');
    this.dispatchEvent(new Event('changed'));
  }

  /** @param {Participant} self */
  #reconcileRole({ role }) {
    const before = this.role;
    this.role = role;
    if (before === role || (before === null && role !== 'viewer')) return;
    this.mediaTaken &&= before !== null;
    this.#fire('watching', this.watching);
    if (role === 'viewer') this.#onlyWatch();
    else if (before === 'viewer') this.#takePartAgain();
    else this.#fire('word', role === 'moderator' ? 'You are a moderator now.' : 'You are no longer a moderator.');
  }

  /** Nobody would see or hear it: nothing is filmed or heard any more. */
  #onlyWatch() {
    this.own.setMuted(true);
    if (!this.own.cameraOff) void this.own.cameraGoesOff({ tell: false });
    this.#fire('word', 'You only watch now: nobody sees or hears you.');
  }

  #takePartAgain() {
    this.#fire('word', 'You take part again. Turn on your microphone and camera when you like.');
    if (!this.mediaTaken) this.call.transport?.close('lost'); // comes back with one that takes our media
  }

  /** @param {'word' | 'watching' | 'name' | 'view'} type @param {unknown} detail */
  #fire(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
