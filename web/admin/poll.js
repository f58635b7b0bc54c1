// Work that is done again and again while somebody can see it.

/** Runs `work`, and again `ms` after it ended; not while the page is hidden, at once when it is seen again. */
export class Poll {
  #timer = 0;
  #running = false;
  #started = false;
  #seen = () => this.now();

  /** @param {() => Promise<unknown>} work must not throw @param {number} ms */
  constructor(work, ms) {
    this.work = work;
    this.ms = ms;
  }

  start() {
    if (this.#started) return;
    this.#started = true;
    document.addEventListener('visibilitychange', this.#seen);
    this.now();
  }

  stop() {
    this.#started = false;
    window.clearTimeout(this.#timer);
    document.removeEventListener('visibilitychange', this.#seen);
  }

  /** Once out of turn. What is under way is not started twice. */
  now() {
    window.clearTimeout(this.#timer);
    if (!this.#started || this.#running || document.visibilityState === 'hidden') return;
    void this.#run();
  }

  async #run() {
    this.#running = true;
    try {
      await this.work();
    } finally {
      this.#running = false;
      window.clearTimeout(this.#timer);
      if (this.#started) this.#timer = window.setTimeout(() => this.now(), this.ms);
    }
  }
}
