import { partsOf } from '../shared/parts.js';
import { roomPath } from './client.js';
import { el, say } from './dom.js';
import { LivingPicture } from './snapshots.js';
import { Viewer } from './viewer.js';

/** @typedef {import('./studio.js').Studio} Studio */
/** @typedef {import('./feed.js').RoomFeed} RoomFeed */

const SNAPSHOT_MS = 1_000;
const RETRY_MS = 6_000; // a full room takes no viewer: snapshots do meanwhile
const HIDDEN_MS = 4_000; // a page that nobody looks at receives nothing

/** The room's picture, live where that works, else as snapshots. */
export class Live extends HTMLElement {
  /** @type {RoomFeed | null} */
  feed = null;
  /** @type {Viewer | null} */
  viewer = null;
  view = 'main';
  timer = 0;

  connectedCallback() {
    this.parts = partsOf(this);
    const { image, listen, view } = this.parts;
    this.snapshots = new LivingPicture(image, () => this.#snapshotPath(), SNAPSHOT_MS);
    listen.addEventListener('click', () => this.#listen(this.parts?.video.muted));
    view.addEventListener('change', () => this.#choose(view.value));
    document.addEventListener('visibilitychange', () => this.#visibility());
    window.addEventListener('pagehide', () => this.#drop());
  }

  /** @param {RoomFeed} feed */
  bind(feed) {
    this.feed = feed;
    this.view = 'main';
    feed.addEventListener('views', () => this.#renderViews());
    feed.addEventListener('connected', () => this.#again());
    this.#listen(false);
    this.#state('Connecting…');
    this.snapshots?.start();
    this.#open();
  }

  unbind() {
    this.feed = null;
    window.clearTimeout(this.timer);
    this.#drop();
    this.snapshots?.stop();
  }

  #snapshotPath() {
    const { room = '' } = this.feed ?? {};
    return roomPath(room, `/snapshot.jpg?view=${encodeURIComponent(this.view)}&width=960`);
  }

  #open() {
    if (!this.feed || this.viewer || document.visibilityState === 'hidden') return;
    window.clearTimeout(this.timer);
    const viewer = new Viewer(this.feed.room, this.view);
    this.viewer = viewer;
    viewer.addEventListener('joined', (event) => {
      if (this.feed && this.viewer === viewer) this.feed.self = /** @type {CustomEvent} */ (event).detail;
    });
    viewer.addEventListener('picture', (event) => this.#show(/** @type {CustomEvent} */ (event).detail));
    viewer.addEventListener('lost', (event) => this.#lost(viewer, /** @type {CustomEvent} */ (event).detail));
    void viewer.open();
  }

  /** @param {MediaStream} stream */
  #show(stream) {
    const { video, image } = this.parts ?? {};
    video.srcObject = stream;
    video.onloadeddata = () => {
      video.hidden = false;
      image.hidden = true;
      this.snapshots?.stop();
      this.#state('Live');
    };
    video.play().catch((/** @type {unknown} */ reason) => console.info('the picture does not play', reason));
  }

  /** @param {Viewer} viewer @param {string} reason */
  #lost(viewer, reason) {
    if (this.viewer !== viewer || !this.feed) return;
    this.#toSnapshots(`Snapshots. ${reason}`);
    this.timer = window.setTimeout(() => this.#open(), RETRY_MS);
  }

  /** @param {string} state */
  #toSnapshots(state) {
    const { video, image } = this.parts ?? {};
    this.viewer = null;
    video.hidden = true;
    video.srcObject = null;
    image.hidden = false;
    this.snapshots?.start();
    this.#state(state);
  }

  #drop() {
    this.viewer?.close();
    this.#toSnapshots('Paused');
  }

  /** The server is back, or the page is seen again. */
  #again() {
    if (this.feed && !this.viewer) this.#open();
  }

  #visibility() {
    window.clearTimeout(this.timer);
    if (document.visibilityState === 'visible') this.#again();
    else if (this.feed) this.timer = window.setTimeout(() => this.#drop(), HIDDEN_MS);
  }

  /** @param {boolean} on */
  #listen(on) {
    const { video, listen } = this.parts ?? {};
    video.muted = !on;
    listen.setAttribute('aria-pressed', String(on));
    if (on) video.play().catch((/** @type {unknown} */ reason) => console.info('the sound does not play', reason));
  }

  /** Another view is one call while we watch live, and another address for snapshots. @param {string} view */
  #choose(view) {
    this.view = view;
    if (this.viewer?.id) this.dispatchEvent(new CustomEvent('watch', { detail: { id: this.viewer.id, view } }));
  }

  #renderViews() {
    const select = this.parts?.view;
    const names = ['main', 'auto-speaker', 'auto-grid', 'low'];
    for (const { name } of this.feed?.views ?? []) if (!names.includes(name)) names.push(name);
    const shown = [...select.options].map((/** @type {HTMLOptionElement} */ { value }) => value);
    if (names.join() !== shown.join()) select.replaceChildren(...names.map((name) => el('option', { value: name }, name)));
    select.value = this.view;
  }

  /** @param {string} text */
  #state(text) {
    const { state } = this.parts ?? {};
    say(state, text);
    state.classList.toggle('good', text === 'Live');
  }
}

customElements.define('mx-live', Live);
