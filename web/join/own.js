// One's own microphone and camera in a call: on, off, another device, unplugged.

import { allowed, openOne } from './media.js';

/** @typedef {import('../shared/transport.js').Line} Line */
/** @typedef {Record<string, boolean>} Change for the server */
/** @typedef {'audio' | 'video'} Kind */

const WORDS = Object.freeze({ audio: 'microphone', video: 'camera' });

/** Fires `changed`, `tell` (detail: Change), `word` (detail: string, for the user). */
export class OwnMedia extends EventTarget {
  /**
   * @param {import('./lobby.js').Entry} entry
   * @param {{raw: boolean, send: (line: Line, track: MediaStreamTrack | null) => Promise<void>}} options
   */
  constructor({ media, muted, cameraOff }, { raw, send }) {
    super();
    this.raw = raw;
    this.send = send;
    this.audio = living(media.audio);
    this.video = living(media.video);
    this.muted = muted || !this.audio;
    this.cameraOff = cameraOff || !this.video;
    this.over = false;
    /** Devices are opened one after the other. @type {Record<Kind, Promise<unknown>>} */
    this.turns = { audio: Promise.resolve(), video: Promise.resolve() };
    /** Kinds whose button was pressed and is not answered yet: a second press of a double click asks nothing more. */
    this.asked = new Set();
    if (this.cameraOff) this.#stopCamera();
    if (this.audio) this.audio.enabled = !this.muted;
    this.#mind('audio', this.audio);
    this.#mind('video', this.video);
  }

  /** At once; the server hears of it after. @param {boolean} muted */
  setMuted(muted) {
    this.muted = muted;
    if (this.audio) this.audio.enabled = !muted;
    this.#changed();
  }

  async toggleMute() {
    if (this.muted && !this.audio && !(await this.#askFor('audio'))) return;
    this.setMuted(!this.muted);
    this.#tell({ audio_muted: this.muted });
  }

  async toggleCamera() {
    if (!this.cameraOff) return this.cameraGoesOff({ tell: true });
    if (!(await this.#askFor('video'))) return;
    this.cameraOff = false;
    this.#changed();
    this.#tell({ video_muted: false });
  }

  /** @param {{tell: boolean}} options tell: it is our own wish, of which the server does not know yet */
  async cameraGoesOff({ tell }) {
    this.cameraOff = true;
    this.#stopCamera();
    this.#changed();
    if (tell) this.#tell({ video_muted: true });
    await this.send('video', null);
  }

  /** Takes the device that is chosen now. @param {Kind} kind */
  changeDevice(kind) {
    return this.#inTurn(kind, async () => {
      if (!this[kind]) return; // it is opened with the device of then
      this[kind]?.stop(); // first: many cameras cannot be opened twice
      if (!(await this.#open(kind))) return this.#without(kind);
      if (kind === 'video' && this.cameraOff) return this.cameraGoesOff({ tell: false }); // switched off meanwhile
      this.#changed();
    });
  }

  /** The call is over: nothing is filmed or heard any more. */
  end() {
    this.over = true;
    stop(this.audio, this.video);
  }

  /** @param {Kind} kind @returns {Promise<boolean>} */
  async #askFor(kind) {
    if (this.asked.has(kind)) return false;
    this.asked.add(kind);
    try {
      return await this.#inTurn(kind, () => this.#open(kind));
    } finally {
      this.asked.delete(kind);
    }
  }

  /** @template T @param {Kind} kind @param {() => Promise<T>} act @returns {Promise<T>} */
  #inTurn(kind, act) {
    const turn = this.turns[kind].then(act);
    this.turns[kind] = turn.catch(() => undefined); // who asked for it hears of its failure
    return turn;
  }

  /** @param {Kind} kind @returns {Promise<boolean>} */
  async #open(kind) {
    const opened = await openOne(kind, { raw: this.raw });
    const track = opened[kind];
    if (!track) this.#word(opened.problem ?? `There is no ${WORDS[kind]}.`);
    return track !== null && this.#use(kind, track);
  }

  /** @param {Kind} kind @param {MediaStreamTrack} track @returns {Promise<boolean>} false: it came too late */
  async #use(kind, track) {
    if (this.over) {
      stop(track);
      return false;
    }
    this[kind] = track;
    if (kind === 'audio') track.enabled = !this.muted;
    this.#mind(kind, track);
    await this.send(kind, track);
    return true;
  }

  /** @param {Kind} kind @param {MediaStreamTrack | null} track that may be unplugged, or no longer be allowed */
  #mind(kind, track) {
    track?.addEventListener('ended', () => {
      if (this[kind] === track && !this.over) void this.#inTurn(kind, () => this.#wentAway(kind, track));
    });
  }

  /** Another device takes over, if there is one and nobody has to be asked. @param {Kind} kind @param {MediaStreamTrack} gone */
  async #wentAway(kind, gone) {
    const another = (await allowed(kind)) ? (await openOne(kind, { raw: this.raw }))[kind] : null;
    if (this[kind] !== gone || this.over) return stop(another); // switched off meanwhile
    if (!another) {
      this.#word(`The ${WORDS[kind]} went away.`);
      return this.#without(kind);
    }
    await this.#use(kind, another);
    this.#word(`The ${WORDS[kind]} went away. ${another.label ? `“${another.label}”` : 'Another one'} is used now.`);
    this.#changed();
  }

  /** @param {Kind} kind */
  async #without(kind) {
    if (kind === 'video') return this.cameraGoesOff({ tell: true });
    this.audio = null;
    this.setMuted(true);
    this.#tell({ audio_muted: true });
    await this.send('audio', null);
  }

  /** Stopped, not only blanked, so that the camera's light goes out. */
  #stopCamera() {
    stop(this.video);
    this.video = null;
  }

  #changed() {
    this.dispatchEvent(new Event('changed'));
  }

  /** @param {Change} change */
  #tell(change) {
    this.dispatchEvent(new CustomEvent('tell', { detail: change }));
  }

  /** @param {string} text */
  #word(text) {
    this.dispatchEvent(new CustomEvent('word', { detail: text }));
  }
}

/** One that was unplugged in the lobby is none. @param {MediaStreamTrack | null} track */
function living(track) {
  return track?.readyState === 'live' ? track : null;
}

/** @param {(MediaStreamTrack | null)[]} tracks */
function stop(...tracks) {
  for (const track of tracks) track?.stop();
}
