// Asks for the server again and again until it answers, whatever it says.

import { Problem } from './api.js';

const EVERY_MS = 1_000; // a call that was begun without a network may hang for long: the next one does not wait for it
const OFTEN = 30; // times; then seldom
const SELDOM_MS = 2_500; // who has a network again is back within 5 s

export class Prober {
  /**
   * @param {() => Promise<unknown>} ask one call, that ends by itself in some seconds
   * @param {(problem: Problem | null) => void} answered told once: what the server refused it with, null for nothing
   */
  constructor(ask, answered) {
    this.ask = ask;
    this.answered = answered;
    this.asked = 0;
    this.timer = 0;
    this.over = false;
  }

  /** Asks now, and then in its rhythm. */
  hurry() {
    window.clearTimeout(this.timer);
    if (this.over) return;
    this.asked += 1;
    this.timer = window.setTimeout(() => this.hurry(), this.asked < OFTEN ? EVERY_MS : SELDOM_MS);
    this.ask().then(() => this.#answer(null), (error) => error instanceof Problem && this.#answer(error));
  }

  /** @param {Problem | null} problem */
  #answer(problem) {
    if (this.over) return;
    this.stop();
    this.answered(problem);
  }

  stop() {
    this.over = true;
    window.clearTimeout(this.timer);
  }
}
