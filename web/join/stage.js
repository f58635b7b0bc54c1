import { partsOf, setText, showToggle } from '../shared/parts.js';
import { routeSound } from './devices.js';
import { LastPicture } from './hold.js';

/** @typedef {import('../shared/api.js').Tile} Tile */
/** @typedef {{width: number, height: number, fit?: string}} Canvas */

const IDLE_MS = 3_000;
const TOAST_MS = 6_000;
const SAID_MS = 4_000;
const BORDER = 4; // canvas pixels of a tile that the server's border for who speaks may take
const BUTTONS = Object.freeze(['mic', 'camera', 'screen', 'hand', 'leave', 'people']);
const SENDING = Object.freeze(['mic', 'camera', 'screen', 'open-screen', 'hand']); // what who only watches has no use for

/**
 * The meeting's picture and bar: the composite, one's own picture over one's own tile, words on what is going on.
 * Fires an event by the name of each button of BUTTONS.
 */
export class Stage extends HTMLElement {
  /** @type {Record<string, any>} */
  parts = {};
  /** @type {Canvas} */
  canvas = { width: 1280, height: 720 };
  /** @type {Tile | null} */
  ownTile = null;
  idleTimer = 0;
  toastTimer = 0;
  saidTimer = 0;
  speaking = false;
  last = /** @type {LastPicture} */ (/** @type {unknown} */ (null)); // from connectedCallback on
  /** The connection is up again, its picture is not there yet. */
  arriving = false;

  connectedCallback() {
    this.parts = partsOf(this);
    this.last = new LastPicture(this.parts.composite, this.parts.held);
    this.last.addEventListener('released', () => this.arriving && this.arrived());
    for (const name of BUTTONS) this.parts[name].addEventListener('click', () => this.dispatchEvent(new Event(name)));
    this.parts.sound.addEventListener('click', () => void this.#play());
    for (const type of ['pointermove', 'pointerdown', 'keydown']) this.addEventListener(type, () => this.#awake());
  }

  get main() {
    return /** @type {HTMLElement} */ (this.firstElementChild);
  }

  /** @param {string} room */
  show(room) {
    this.hidden = false;
    setText(this.parts['room-name'], room);
    setText(this.parts.heading, `Meeting ${room}`);
    this.#awake();
    this.parts.mic.focus({ preventScroll: true });
  }

  /** @param {MediaStream} stream */
  async play(stream) {
    this.parts.composite.srcObject = stream;
    this.last.await();
    await this.#play();
  }

  /** With sound if the browser lets us, else without it and with a button. */
  async #play() {
    const { composite, sound } = this.parts;
    void routeSound(composite);
    try {
      composite.muted = false;
      await composite.play();
      sound.hidden = true;
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return; // replaced by a newer stream
      composite.muted = true;
      sound.hidden = false;
      await composite.play().catch((/** @type {unknown} */ reason) => console.warn('the composite does not play', reason));
    }
  }

  /** The connection is lost: the picture stays as it was. @param {string} text what is going on */
  hold(text) {
    this.arriving = false;
    this.last.keep();
    this.banner(text, true);
  }

  /** The connection is up: the word on it goes once there is a new picture. */
  arrived() {
    this.arriving = this.last.held;
    if (this.arriving) this.last.expect();
    else this.banner(null);
  }

  /** Nothing is left of the meeting that was. */
  clear() {
    this.hidden = true;
    this.arriving = false;
    this.last.release();
    this.banner(null);
    this.showSelf(null);
    this.placeSelf(null, this.canvas);
  }

  /** @param {MediaStreamTrack | null} track */
  showSelf(track) {
    const video = this.parts['self-video'];
    if ((video.srcObject?.getTracks()[0] ?? null) !== track) video.srcObject = track ? new MediaStream([track]) : null;
    this.#placeSelf();
  }

  /**
   * @param {Tile | null} tile our own, null while we have none
   * @param {Canvas} canvas
   */
  placeSelf(tile, canvas) {
    this.ownTile = tile;
    this.canvas = canvas;
    this.parts.frame.style.setProperty('--ratio', String(canvas.width / canvas.height));
    this.#placeSelf();
  }

  #placeSelf() {
    const { self } = this.parts;
    self.hidden = !this.ownTile || !this.parts['self-video'].srcObject;
    if (self.hidden || !this.ownTile) return;
    const { x, y, width, height } = this.ownTile.target ?? this.ownTile;
    const { canvas } = this;
    const inset = this.speaking ? BORDER : 0;
    self.style.left = `${((x + inset) / canvas.width) * 100}%`;
    self.style.top = `${((y + inset) / canvas.height) * 100}%`;
    self.style.width = `${((width - 2 * inset) / canvas.width) * 100}%`;
    self.style.height = `${((height - 2 * inset) / canvas.height) * 100}%`;
    self.classList.toggle('whole', canvas.fit === 'letterbox');
  }

  /** The server's border for who speaks is left to be seen. @param {boolean} speaking */
  showSpeaking(speaking) {
    if (speaking === this.speaking) return;
    this.speaking = speaking;
    this.#placeSelf();
  }

  /** @param {{muted: boolean, cameraOff: boolean, sharing: boolean, hand: boolean}} own */
  showControls({ muted, cameraOff, sharing, hand }) {
    const { mic, camera, screen, hand: handButton } = this.parts;
    showToggle(mic, 'mic', muted);
    showToggle(camera, 'camera', cameraOff);
    screen.setAttribute('aria-pressed', String(sharing));
    screen.title = sharing ? 'Stop sharing the screen (s)' : 'Share the screen (s)';
    handButton.setAttribute('aria-pressed', String(hand));
    handButton.title = hand ? 'Lower your hand (h)' : 'Raise your hand (h)';
    this.parts.sharing.hidden = !sharing;
  }

  /** Who only watches has nothing to send. @param {boolean} watching */
  showWatching(watching) {
    for (const name of SENDING) this.parts[name].disabled = watching;
  }

  /** @param {import('./quality.js').Quality} quality @param {string} word @param {string} numbers */
  showQuality(quality, word, numbers) {
    const { quality: chip } = this.parts;
    chip.dataset.quality = quality;
    chip.title = numbers;
    setText(this.parts['quality-word'], word);
  }

  /** @param {number} count @param {number} hands that went up since the panel was last looked at */
  showCount(count, hands) {
    const { people } = this.parts;
    setText(this.parts.count, String(count));
    this.parts.unread.hidden = hands === 0;
    const more = hands === 0 ? '' : hands === 1 ? ', a hand went up' : `, ${hands} hands went up`;
    people.setAttribute('aria-label', `People, ${count}${more}`);
  }

  /** A word on what is going on, until it is over. @param {string | null} text @param {boolean} lost */
  banner(text, lost = false) {
    this.parts.banner.hidden = text === null;
    setText(this.parts['banner-text'], text ?? '');
    this.main.classList.toggle('lost', lost);
  }

  /** A word that goes by itself, seen and read out. @param {string} text */
  toast(text) {
    window.clearTimeout(this.toastTimer);
    this.parts.toast.textContent = text;
    this.parts.toast.hidden = false;
    this.say(text);
    this.toastTimer = window.setTimeout(() => (this.parts.toast.hidden = true), TOAST_MS);
  }

  /** Read out only. @param {string} text */
  say(text) {
    const { live } = this.parts;
    window.clearTimeout(this.saidTimer);
    live.textContent = live.textContent ? `${live.textContent} ${text}`.slice(-400) : text;
    this.saidTimer = window.setTimeout(() => (live.textContent = ''), SAID_MS);
  }

  #awake() {
    window.clearTimeout(this.idleTimer);
    this.main.classList.remove('idle');
    this.idleTimer = window.setTimeout(() => this.main.classList.add('idle'), IDLE_MS);
  }
}

customElements.define('mx-stage', Stage);
