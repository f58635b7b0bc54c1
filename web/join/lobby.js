import { partsOf, showToggle } from '../shared/parts.js';
import { alreadyAllowed, openBoth } from './media.js';

/** @typedef {import('./media.js').Media} Media */
/** @typedef {{name: string, room: string, key: string | null, media: Media, muted: boolean, cameraOff: boolean}} Entry */

/** What is typed as a room, as a slug: `[a-z0-9][a-z0-9-]{0,62}`. @param {string} text */
export function slug(text) {
  const plain = text.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return plain.replace(/^-+/, '').slice(0, 63).replace(/-+$/, '') || 'main';
}

/** The way in. Fires `enter` (detail: Entry). */
export class Lobby extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    this.raw = false;
    this.muted = false;
    this.cameraOff = false;
    /** @type {Media | null} */
    this.media = null;
    /** @type {Promise<Media> | null} */
    this.opening = null;
    this.parts.form.addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#enter();
    });
    this.parts.mic.addEventListener('click', () => void this.#toggle('mic'));
    this.parts.camera.addEventListener('click', () => void this.#toggle('camera'));
  }

  /**
   * @param {{name: string, room: string | null, raw: boolean, open?: boolean}} options room: null lets the user say;
   *   open: the camera at once if that asks no question
   */
  show({ name, room, raw, open = true }) {
    this.hidden = false;
    this.raw = raw;
    this.parts.name.value ||= name;
    this.parts['room-row'].hidden = room !== null;
    if (room !== null) this.parts.room.value = room;
    this.parts.title.textContent = room === null ? 'Join a meeting' : `Join “${room}”`;
    this.parts.join.disabled = false;
    this.#draw();
    if (open) void alreadyAllowed().then((allowed) => allowed && !this.hidden && this.openMedia());
  }

  /** @param {string} text */
  notice(text) {
    this.parts.notice.textContent = text;
  }

  askForKey() {
    this.parts['key-row'].hidden = false;
    this.parts.key.focus();
  }

  /** Opens camera and microphone once, however often it is asked. @returns {Promise<Media>} */
  openMedia() {
    this.opening ??= openBoth({ raw: this.raw }).then((media) => {
      this.media = media;
      if (media.problem) {
        this.notice(media.problem);
        this.opening = null; // the next click asks again
      }
      this.#draw();
      return media;
    });
    return this.opening;
  }

  /** The media is the call's from now on; coming back here opens it anew. */
  release() {
    this.media = null;
    this.opening = null;
    this.parts.preview.srcObject = null;
  }

  async #enter() {
    this.notice('');
    this.parts.join.disabled = true;
    const media = await this.openMedia();
    /** @type {Entry} */
    const entry = {
      name: this.parts.name.value.trim() || 'Guest',
      room: slug(this.parts.room.value),
      key: this.parts.key.value || null,
      media,
      muted: this.muted,
      cameraOff: this.cameraOff,
    };
    this.dispatchEvent(new CustomEvent('enter', { detail: entry }));
  }

  /** @param {'mic' | 'camera'} which */
  async #toggle(which) {
    if (!this.media) {
      await this.openMedia(); // the first click is the user's wish to be seen
      return;
    }
    if (which === 'mic') this.muted = !this.muted;
    else this.cameraOff = !this.cameraOff;
    this.#draw();
  }

  #draw() {
    const { preview, hint, mic, camera } = this.parts;
    const video = this.cameraOff ? null : this.media?.video;
    if (this.media?.audio) this.media.audio.enabled = !this.muted;
    if (this.media?.video) this.media.video.enabled = !this.cameraOff;
    preview.srcObject = video ? new MediaStream([video]) : null;
    preview.hidden = !video;
    hint.hidden = Boolean(video);
    hint.textContent = this.media ? 'Your camera is off' : 'Camera and microphone open when you join';
    showToggle(mic, 'mic', this.muted || Boolean(this.media && !this.media.audio));
    showToggle(camera, 'camera', this.cameraOff || Boolean(this.media && !this.media.video));
  }
}

customElements.define('mx-lobby', Lobby);
