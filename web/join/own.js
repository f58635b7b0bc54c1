// One's own microphone, camera and screen in a call: on, off, another device.

import { openOne } from './media.js';
import { openScreen } from './screen.js';

/** @typedef {import('../shared/transport.js').Line} Line */
/** @typedef {Record<string, boolean>} Change for the server */

const SCREEN_PAUSE_MS = 900; // after a share the server leaves its stragglers out until they stay away

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
    this.audio = media.audio;
    this.video = media.video;
    /** @type {MediaStreamTrack | null} */
    this.screen = null;
    /** @type {MediaStreamTrack | null} */
    this.screenAudio = null;
    this.muted = muted || !media.audio;
    this.cameraOff = cameraOff || !media.video;
    this.over = false;
    this.screenFreeAt = 0;
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
    if (this.muted && !this.audio && !(await this.#open('audio'))) return;
    this.setMuted(!this.muted);
    this.#tell({ audio_muted: this.muted });
  }

  async toggleCamera() {
    if (!this.cameraOff) return this.cameraGoesOff({ tell: true });
    if (!(await this.#open('video'))) return;
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

  /** Takes the device that is chosen now. @param {'audio' | 'video'} kind */
  async changeDevice(kind) {
    if (!this[kind]) return; // it is opened with the device of then
    this[kind]?.stop(); // first: many cameras cannot be opened twice
    const opened = await this.#open(kind);
    if (!opened && kind === 'video') await this.cameraGoesOff({ tell: true });
    else if (!opened) await this.#lostMicrophone();
    this.#changed();
  }

  async toggleScreen() {
    if (this.screen) return this.stopScreen();
    try {
      const shared = await openScreen();
      if (!shared) return;
      await new Promise((resolve) => { setTimeout(resolve, this.screenFreeAt - performance.now()); });
      if (this.over || this.screen) return stop(shared.video, shared.audio);
      this.screen = shared.video;
      this.screenAudio = shared.audio;
      this.screen.addEventListener('ended', () => void this.stopScreen()); // by the browser's own bar
      this.#changed();
      await Promise.all([this.send('screen', this.screen), this.send('screenAudio', this.screenAudio)]);
    } catch (error) {
      this.#word(error instanceof Error ? error.message : String(error));
    }
  }

  async stopScreen() {
    if (!this.screen) return;
    stop(this.screen, this.screenAudio);
    this.screen = this.screenAudio = null;
    this.screenFreeAt = performance.now() + SCREEN_PAUSE_MS;
    this.#changed();
    await Promise.all([this.send('screen', null), this.send('screenAudio', null)]);
    this.#tell({ screen: false }); // at once, and not when its packets stay away
  }

  /** The call is over: nothing is filmed or heard any more. */
  end() {
    this.over = true;
    stop(this.audio, this.video, this.screen, this.screenAudio);
  }

  /** @param {'audio' | 'video'} kind @returns {Promise<boolean>} */
  async #open(kind) {
    const opened = await openOne(kind, { raw: this.raw });
    const track = opened[kind];
    if (!track) {
      this.#word(opened.problem ?? (kind === 'audio' ? 'There is no microphone.' : 'There is no camera.'));
      return false;
    }
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

  /** @param {'audio' | 'video'} kind @param {MediaStreamTrack | null} track that may be unplugged */
  #mind(kind, track) {
    track?.addEventListener('ended', () => {
      if (this[kind] !== track || this.over) return;
      this.#word(kind === 'audio' ? 'The microphone went away.' : 'The camera went away.');
      void (kind === 'audio' ? this.#lostMicrophone() : this.cameraGoesOff({ tell: true }));
    });
  }

  async #lostMicrophone() {
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

/** @param {(MediaStreamTrack | null)[]} tracks */
function stop(...tracks) {
  for (const track of tracks) track?.stop();
}
