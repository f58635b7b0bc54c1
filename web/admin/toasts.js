import { el } from './dom.js';

const STAY_MS = 6_000;
const MAX = 4;

/** Words that go by themselves: what was done politely, what went wrong at once. */
export class Toasts extends HTMLElement {
  connectedCallback() {
    this.calm = el('div', { role: 'status', 'aria-live': 'polite' });
    this.loud = el('div', { role: 'alert' });
    this.append(this.calm, this.loud);
  }

  /** @param {string} text @param {boolean} wrong */
  show(text, wrong = false) {
    const region = wrong ? this.loud : this.calm;
    const toast = el('p', { class: wrong ? 'toast wrong' : 'toast' }, text);
    region?.append(toast);
    if (region && region.children.length > MAX) region.firstElementChild?.remove();
    window.setTimeout(() => toast.remove(), STAY_MS);
  }
}

customElements.define('mx-toasts', Toasts);
