// Watches over one transport: does anything still come, and if not, is it the network or only the transport's way?

import { verdict } from './patience.js';
import { Prober } from './prober.js';

/** @typedef {import('./api.js').Problem} Problem */
/** @typedef {import('./transport.js').Transport} Transport */

const LOOK_MS = 500; // a look costs the browser some ms
const TOLD_AFTER_MS = 2_000; // the user sees for himself, but wants to know why
const SLEPT_MS = 5_000; // a timer that comes so late has slept

/**
 * Fires `interrupted` (detail: whether), `answered` (detail: what the server refused a call with, or null) and, once and
 * last, `gone`.
 */
export class Watch extends EventTarget {
  /** @param {Transport} transport @param {() => Promise<unknown>} ask a call to the server */
  constructor(transport, ask) {
    super();
    this.transport = transport;
    this.ask = ask;
    this.bytes = -1;
    this.heard = this.looked = performance.now();
    this.hinted = false;
    this.told = false;
    /** @type {number | null} when the server answered */
    this.answered = null;
    /** @type {Prober | null} */
    this.prober = null;
    this.over = false;
    this.timer = window.setInterval(() => void this.#look(), LOOK_MS);
  }

  /** Something happened to the network: what is not heard of very soon is gone. */
  async hint() {
    await this.#listen();
    this.hinted = true;
    if (this.prober) this.prober.hurry();
    else this.#judge();
  }

  async #look() {
    const now = performance.now();
    const slept = now - this.looked > SLEPT_MS;
    this.looked = now;
    if (slept) {
      this.heard = now;
      this.hinted = true;
    }
    await this.#listen();
    this.#judge();
  }

  async #listen() {
    const bytes = await this.transport.received();
    if (this.over || bytes === this.bytes) return;
    this.heard = performance.now();
    this.bytes = bytes ?? this.bytes;
    this.#fine();
  }

  #fine() {
    this.hinted = false;
    this.answered = null;
    this.prober?.stop();
    this.prober = null;
    this.#interrupted(false);
  }

  #judge() {
    if (this.over) return;
    const now = performance.now();
    const silent = now - this.heard;
    const answered = this.answered === null ? null : now - this.answered;
    const judged = verdict({ silent, answered, hinted: this.hinted });
    if (judged === 'gone') return this.#gone();
    if (judged === 'suspicious') this.#suspicious();
    if (silent > TOLD_AFTER_MS) this.#interrupted(true);
  }

  #suspicious() {
    if (this.prober) return;
    this.prober = new Prober(this.ask, (problem) => {
      this.answered = performance.now();
      this.#tell('answered', problem);
    });
    this.prober.hurry();
  }

  /** @param {boolean} now */
  #interrupted(now) {
    if (now === this.told) return;
    this.told = now;
    this.#tell('interrupted', now);
  }

  #gone() {
    this.stop();
    this.#tell('gone', null);
  }

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  stop() {
    this.over = true;
    window.clearInterval(this.timer);
    this.prober?.stop();
  }
}
