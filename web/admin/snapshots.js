import { Poll } from './poll.js';

const TIMEOUT_MS = 5_000;

/** An image that shows a room as it is, while it can be seen: snapshots, one after another. */
export class LivingPicture {
  #poll;
  #address = '';
  #observer = new IntersectionObserver((entries) => this.#seen(entries.some(({ isIntersecting }) => isIntersecting)));

  /**
   * @param {HTMLImageElement} image gets the class `live` once it shows something, `stale` when no news comes
   * @param {() => string} path of the snapshot
   * @param {number} ms between two
   */
  constructor(image, path, ms = 2_000) {
    this.image = image;
    this.path = path;
    this.#poll = new Poll(() => this.#refresh(), ms);
  }

  start() {
    this.#observer.observe(this.image);
  }

  stop() {
    this.#observer.disconnect();
    this.#poll.stop();
    this.image.removeAttribute('src');
    this.image.classList.remove('live', 'stale');
    URL.revokeObjectURL(this.#address);
  }

  /** @param {boolean} visible */
  #seen(visible) {
    if (visible) this.#poll.start();
    else this.#poll.stop();
  }

  async #refresh() {
    try {
      const answer = await fetch(this.path(), { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (answer.ok) this.#show(await answer.blob());
      this.image.classList.toggle('stale', !answer.ok);
    } catch {
      this.image.classList.add('stale'); // the page says elsewhere that the server is away; the next turn tries again
    }
  }

  /** @param {Blob} picture */
  #show(picture) {
    const old = this.#address;
    this.#address = URL.createObjectURL(picture);
    this.image.src = this.#address;
    this.image.classList.add('live');
    URL.revokeObjectURL(old);
  }
}
