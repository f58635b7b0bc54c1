import { partsOf, setText, showToggle } from '../shared/parts.js';
import { choose, fill, routeSound } from './devices.js';
import { LevelMeter } from './level.js';
import { alreadyAllowed, INSECURE, openBoth, openOne } from './media.js';

/** @typedef {import('./media.js').Media} Media */
/** @typedef {{name: string, room: string, key: string | null, media: Media, muted: boolean, cameraOff: boolean}} Entry */

/** What is typed as a room, as a slug: `[a-z0-9][a-z0-9-]{0,62}`. @param {string} text */
export function slug(text) {
  const plain = text.normalize('NFKD').toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return plain.replace(/^-+/, '').slice(0, 63).replace(/-+$/, '') || 'main';
}

const DOUBLE_CLICK_MS = 500;

/** The way in. Fires `enter` (detail: Entry). */
export class Lobby extends HTMLElement {
  /** @type {Record<string, any>} */
  parts = {};
  raw = false;
  muted = false;
  cameraOff = false;
  /** @type {Media | null} */
  media = null;
  /** @type {Promise<Media> | null} */
  opening = null;
  /** Devices are opened one after the other, and none after the call has them. */
  choosing = Promise.resolve();
  /** What is missing was said: the next click on Join goes in without it. */
  warned = false;
  /** @type {LevelMeter | null} */
  meter = null;

  connectedCallback() {
    this.parts = partsOf(this);
    this.meter = new LevelMeter(this.parts.level);
    const { form, mic, camera, ask, microphones, cameras, speakers } = this.parts;
    form.addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#enter();
    });
    mic.addEventListener('click', () => void this.#toggle('mic'));
    camera.addEventListener('click', () => void this.#toggle('camera'));
    ask.addEventListener('click', () => void this.openMedia());
    cameras.addEventListener('change', () => void this.#choose('camera', cameras.value));
    microphones.addEventListener('change', () => void this.#choose('microphone', microphones.value));
    speakers.addEventListener('change', () => choose('speaker', speakers.value));
    navigator.mediaDevices?.addEventListener?.('devicechange', () => this.media && void this.#devicesChanged());
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
    this.#takeClicks(open ? 0 : DOUBLE_CLICK_MS);
    this.#draw();
    if (!navigator.mediaDevices) this.#missing(INSECURE);
    else if (open) void this.#openIfAllowed();
  }

  /** After a meeting the second half of a double click on Leave would join it again. @param {number} ms from now on */
  #takeClicks(ms) {
    const { join } = this.parts;
    join.disabled = ms > 0;
    if (ms > 0) window.setTimeout(() => (join.disabled = false), ms);
  }

  async #openIfAllowed() {
    if ((await alreadyAllowed()) && !this.hidden) await this.openMedia();
  }

  /** @param {string} text */
  notice(text) {
    setText(this.parts.notice, text);
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
        this.#missing(media.problem);
        this.opening = null; // the next click asks again
      } else {
        this.warned = false;
        this.notice('');
      }
      this.#draw();
      this.meter?.watch(this.hidden ? null : media.audio);
      void this.#fillDevices();
      return media;
    });
    return this.opening;
  }

  /** @param {string} problem */
  #missing(problem) {
    this.notice(problem);
    this.warned = true;
  }

  /** The media is the call's from now on; coming back here opens it anew. */
  release() {
    this.media = null;
    this.opening = null;
    this.warned = false;
    this.meter?.stop();
    this.parts.preview.srcObject = null;
  }

  async #enter() {
    const { join } = this.parts;
    join.disabled = true;
    const first = !this.warned;
    const media = this.warned && this.media ? this.media : await this.openMedia();
    await this.choosing;
    if (first && media.problem) {
      join.disabled = false; // said first; whoever clicks again joins without it
      this.#draw();
      return;
    }
    this.notice('');
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
    const track = which === 'mic' ? this.media?.audio : this.media?.video;
    if (!track) {
      await this.openMedia(); // the first click is the user's wish to be seen
      return;
    }
    if (which === 'mic') this.muted = !this.muted;
    else this.cameraOff = !this.cameraOff;
    this.#draw();
  }

  /** @param {'camera' | 'microphone'} role @param {string} id */
  #choose(role, id) {
    choose(role, id);
    return this.#reopen(role === 'camera' ? 'video' : 'audio');
  }

  /** @param {'audio' | 'video'} kind */
  #reopen(kind) {
    this.choosing = this.choosing.then(() => this.#openAnother(kind));
    return this.choosing;
  }

  /** @param {'audio' | 'video'} kind */
  async #openAnother(kind) {
    const { media } = this;
    if (!media) return;
    media[kind]?.stop();
    const opened = await openOne(kind, { raw: this.raw });
    media[kind] = opened[kind];
    this.notice(opened.problem ?? '');
    if (kind === 'audio') this.meter?.watch(media.audio);
    this.#draw();
  }

  /** What was unplugged is followed by another one. */
  async #devicesChanged() {
    for (const kind of /** @type {const} */ (['audio', 'video'])) {
      if (this.media?.[kind]?.readyState === 'ended') await this.#reopen(kind);
    }
    await this.#fillDevices();
  }

  async #fillDevices() {
    const { cameras, microphones, speakers } = this.parts;
    await Promise.all([
      fill(cameras, 'camera', this.media?.video?.getSettings().deviceId),
      fill(microphones, 'microphone', this.media?.audio?.getSettings().deviceId),
      fill(speakers, 'speaker'),
    ]);
    void routeSound(this.parts.preview);
  }

  #draw() {
    const { preview, hint, ask, mic, camera, join, level } = this.parts;
    const { media } = this;
    const video = this.cameraOff ? null : media?.video;
    if (media?.audio) media.audio.enabled = !this.muted;
    if (media?.video) media.video.enabled = !this.cameraOff;
    if ((preview.srcObject?.getTracks()[0] ?? null) !== (video ?? null)) {
      preview.srcObject = video ? new MediaStream([video]) : null;
    }
    preview.hidden = !video;
    hint.hidden = Boolean(video);
    setText(hint, media ? 'Your camera is off' : 'See yourself before others do');
    ask.hidden = Boolean(media?.video || media?.audio) || !navigator.mediaDevices;
    level.hidden = !media?.audio;
    setText(join, this.warned ? WITHOUT[missingOf(media)] : 'Join');
    showToggle(mic, 'mic', this.muted || Boolean(media && !media.audio));
    showToggle(camera, 'camera', this.cameraOff || Boolean(media && !media.video));
  }
}

const WITHOUT = Object.freeze({
  nothing: 'Join',
  both: 'Join without camera and microphone',
  camera: 'Join without camera',
  microphone: 'Join without microphone',
});

/** @param {Media | null} media @returns {keyof typeof WITHOUT} */
function missingOf(media) {
  if (!media?.audio && !media?.video) return 'both';
  if (!media.video) return 'camera';
  return media.audio ? 'nothing' : 'microphone';
}

customElements.define('mx-lobby', Lobby);
