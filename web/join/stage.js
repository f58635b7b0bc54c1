import { placeIn } from '../shared/geometry.js';
import { partsOf, showToggle } from '../shared/parts.js';

/** @typedef {import('../shared/api.js').Tile} Tile */

const IDLE_MS = 3_000;
const TOAST_MS = 5_000;
const BORDER = 4; // canvas pixels of a tile that the server's border for who speaks may take

/** The meeting: the composite, one's own picture over one's own tile, the controls. Fires `mic`, `camera`, `leave`. */
export class Stage extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    this.canvas = { width: 1280, height: 720 };
    /** @type {Tile | null} */
    this.ownTile = null;
    this.idleTimer = 0;
    this.toastTimer = 0;
    for (const name of ['mic', 'camera', 'leave']) {
      this.parts[name].addEventListener('click', () => this.dispatchEvent(new Event(name)));
    }
    this.parts.sound.addEventListener('click', () => void this.#play());
    for (const type of ['pointermove', 'pointerdown', 'keydown']) this.addEventListener(type, () => this.#awake());
    new ResizeObserver(() => this.#placeSelf()).observe(this.parts.composite);
  }

  get #main() {
    return /** @type {HTMLElement} */ (this.firstElementChild);
  }

  /** @param {string} room */
  show(room) {
    this.hidden = false;
    this.parts['room-name'].textContent = room;
    this.#awake();
    this.parts.mic.focus({ preventScroll: true });
  }

  /** @param {MediaStream} stream */
  async play(stream) {
    this.parts.composite.srcObject = stream;
    await this.#play();
  }

  /** With sound if the browser lets us, else without it and with a button. */
  async #play() {
    const { composite, sound } = this.parts;
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

  /** @param {MediaStreamTrack | null} track */
  showSelf(track) {
    this.parts['self-video'].srcObject = track ? new MediaStream([track]) : null;
    this.#placeSelf();
  }

  /**
   * @param {Tile | null} tile our own, null while we have none
   * @param {{width: number, height: number}} canvas
   */
  placeSelf(tile, canvas) {
    this.ownTile = tile;
    this.canvas = canvas;
    this.#placeSelf();
  }

  #placeSelf() {
    const { self, composite } = this.parts;
    self.hidden = !this.ownTile || !this.parts['self-video'].srcObject;
    if (self.hidden || !this.ownTile) return;
    const box = { width: composite.clientWidth, height: composite.clientHeight };
    const rect = placeIn(this.ownTile.target ?? this.ownTile, box, this.canvas, BORDER);
    self.style.left = `${rect.x}px`;
    self.style.top = `${rect.y}px`;
    self.style.width = `${rect.width}px`;
    self.style.height = `${rect.height}px`;
  }

  /** @param {boolean} muted @param {boolean} cameraOff */
  showControls(muted, cameraOff) {
    showToggle(this.parts.mic, 'mic', muted);
    showToggle(this.parts.camera, 'camera', cameraOff);
  }

  /** A word on what is going on, until it is over. @param {string | null} text @param {boolean} lost */
  banner(text, lost = false) {
    this.parts.banner.hidden = text === null;
    this.parts['banner-text'].textContent = text ?? '';
    this.#main.classList.toggle('lost', lost);
  }

  /** A word that goes by itself. @param {string} text */
  toast(text) {
    window.clearTimeout(this.toastTimer);
    this.parts.toast.textContent = text;
    this.parts.toast.hidden = false;
    this.toastTimer = window.setTimeout(() => (this.parts.toast.hidden = true), TOAST_MS);
  }

  #awake() {
    window.clearTimeout(this.idleTimer);
    this.#main.classList.remove('idle');
    this.idleTimer = window.setTimeout(() => this.#main.classList.add('idle'), IDLE_MS);
  }
}

customElements.define('mx-stage', Stage);
