// One stay in a room: the call, our own tracks, and what of the room's events this page shows.

import { Problem } from '../shared/api.js';
import { Call } from '../shared/signalling.js';
import { openOne } from './media.js';
import { forgetSession, holdIdentity, rememberSession } from './memory.js';

/** @typedef {import('./lobby.js').Entry} Entry */
/** @typedef {import('./stage.js').Stage} Stage */
/** @typedef {import('../shared/api.js').Tiles} Tiles */
/** @typedef {import('../shared/api.js').RoomEvent} RoomEvent */
/** @typedef {{id: string, token: string}} Identity */

/** Fires `over` (detail: {reason: string | null, status: number}). */
export class Meeting extends EventTarget {
  /**
   * @param {Stage} stage
   * @param {Entry} entry
   * @param {{raw: boolean, identity?: Identity | null, view?: string}} options
   */
  constructor(stage, entry, { raw, identity = null, view = 'main' }) {
    super();
    this.stage = stage;
    this.entry = entry;
    this.raw = raw;
    this.muted = entry.muted || !entry.media.audio;
    this.cameraOff = entry.cameraOff || !entry.media.video;
    this.audio = entry.media.audio;
    this.video = entry.media.video;
    if (this.cameraOff) this.#stopCamera();
    /** @type {Tiles | null} */
    this.tiles = null;
    this.canvas = { width: 1280, height: 720 };
    this.heldId = identity?.id ?? null;
    this.call = new Call({
      room: entry.room,
      name: entry.name,
      key: entry.key,
      view,
      id: identity?.id,
      token: identity?.token,
      tracks: { audio: this.audio, video: this.video },
    });
    this.#listen();
  }

  start() {
    if (this.audio) this.audio.enabled = !this.muted;
    this.stage.show(this.entry.room);
    this.stage.showControls(this.muted, this.cameraOff);
    this.stage.showSelf(this.video);
    this.call.join();
  }

  #listen() {
    this.call.addEventListener('state', (event) => this.#stateChanged(/** @type {CustomEvent} */ (event).detail));
    this.call.addEventListener('stream', (event) => void this.stage.play(/** @type {CustomEvent} */ (event).detail));
    this.call.addEventListener('joined', () => this.#joined());
    this.call.addEventListener('event', (event) => this.#roomEvent(/** @type {CustomEvent} */ (event).detail));
    this.controls = new AbortController();
    const { signal } = this.controls;
    this.stage.addEventListener('mic', () => void this.toggleMute(), { signal });
    this.stage.addEventListener('camera', () => void this.toggleCamera(), { signal });
    this.stage.addEventListener('leave', () => void this.call.leave(), { signal });
  }

  /** @param {{state: import('../shared/machine.js').CallState, reason: string | null}} change */
  #stateChanged({ state, reason }) {
    if (state === 'joining' && !this.tiles) this.stage.banner('Connecting…');
    if (state === 'live') this.stage.banner(null);
    if (state === 'waiting') this.stage.banner(`${reason ?? 'The connection was lost.'} Coming back…`, true);
    if (state === 'ended') this.#over(reason);
  }

  /** @param {string | null} reason */
  #over(reason) {
    forgetSession();
    this.controls?.abort();
    this.audio?.stop();
    this.video?.stop();
    this.stage.hidden = true;
    this.stage.banner(null);
    this.stage.placeSelf(null, this.canvas);
    this.dispatchEvent(new CustomEvent('over', { detail: { reason, status: this.call.endStatus ?? 0 } }));
  }

  #joined() {
    this.#remember();
    const { id } = this.call;
    if (id && id !== this.heldId) void holdIdentity(id);
    this.heldId = id;
    if (this.muted || this.cameraOff) this.#tellServer({ audio_muted: this.muted, video_muted: this.cameraOff });
  }

  #remember() {
    const { id, token } = this.call;
    if (!id || !token) return;
    const { room, name } = this.entry;
    rememberSession({ room, id, token, name, muted: this.muted, cameraOff: this.cameraOff });
  }

  /** @param {RoomEvent} event */
  #roomEvent(event) {
    if (event.type === 'snapshot') this.#snapshot(event);
    if (event.type === 'layout_changed' && event.view === this.call.view) this.#showTiles(/** @type {any} */ (event));
    if (event.type === 'participant_changed') this.#selfChanged(event.participant);
  }

  /** @param {RoomEvent} event the first of each connection */
  #snapshot({ document: room, participants, tiles }) {
    this.canvas = room.canvas;
    if (tiles.view === this.call.view) this.#showTiles(tiles);
    for (const one of participants) this.#selfChanged(one);
  }

  /** @param {Tiles} tiles */
  #showTiles(tiles) {
    this.tiles = tiles;
    const own = tiles.tiles.find(({ participant, kind }) => participant === this.call.id && kind === 'camera');
    this.stage.placeSelf(own ?? null, this.canvas);
  }

  /** A moderator's mute holds here at once. @param {import('../shared/api.js').Participant | undefined} self */
  #selfChanged(self) {
    if (self?.id !== this.call.id || !self?.audio?.muted || this.muted) return;
    if (self.audio.muted_by === 'self') return; // our own wish, taken back since
    this.#setMuted(true);
    this.stage.toast('You were muted by a moderator.');
  }

  /** @param {boolean} muted */
  #setMuted(muted) {
    this.muted = muted;
    if (this.audio) this.audio.enabled = !muted; // at once; the server hears of it after
    this.stage.showControls(this.muted, this.cameraOff);
    this.#remember();
  }

  async toggleMute() {
    if (this.muted && !this.audio) {
      const { audio, problem } = await openOne('audio', { raw: this.raw });
      if (!audio) return this.stage.toast(problem ?? 'There is no microphone.');
      this.audio = audio;
      await this.call.setTrack('audio', audio);
    }
    this.#setMuted(!this.muted);
    return this.#tellServer({ audio_muted: this.muted });
  }

  async toggleCamera() {
    if (this.cameraOff) await this.#cameraOn();
    else await this.#cameraGoesOff();
    this.stage.showControls(this.muted, this.cameraOff);
    this.stage.showSelf(this.video);
    this.#remember();
  }

  async #cameraOn() {
    const { video, problem } = await openOne('video', { raw: this.raw });
    if (!video) return this.stage.toast(problem ?? 'There is no camera.');
    this.video = video;
    this.cameraOff = false;
    await this.call.setTrack('video', video);
    return this.#tellServer({ video_muted: false });
  }

  async #cameraGoesOff() {
    this.cameraOff = true;
    this.#stopCamera();
    this.#tellServer({ video_muted: true });
    await this.call.setTrack('video', null);
  }

  /** Stopped, not only blanked, so that the camera's light goes out. */
  #stopCamera() {
    this.video?.stop();
    this.video = null;
  }

  /** @param {Object<string, unknown>} change */
  #tellServer(change) {
    if (!this.call.id || !this.call.token) return; // not in yet: told on joining
    this.call.api.patch(this.call.id, change).catch((error) => {
      if (error instanceof Problem) this.stage.toast(error.message);
      else console.info('told again on coming back', error);
    });
  }
}
