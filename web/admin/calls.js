import { partsOf } from '../shared/parts.js';
import { curl } from './curl.js';
import { el, icon } from './dom.js';

/** @typedef {import('./curl.js').Call} Call */

/** The calls made, as lines for a shell. */
export class Calls extends HTMLElement {
  /** @type {import('./client.js').Client | null} */
  client = null;
  /** @type {(text: string) => void} */
  tell = () => {};

  connectedCallback() {
    this.parts = partsOf(this);
    this.parts['calls-close'].addEventListener('click', () => this.dispatchEvent(new Event('close')));
  }

  /** @param {import('./client.js').Client} client @param {(text: string) => void} tell */
  bind(client, tell) {
    this.client = client;
    this.tell = tell;
    client.addEventListener('call', () => this.render());
  }

  render() {
    const calls = this.client?.calls ?? [];
    const { list, none } = this.parts ?? {};
    none.hidden = calls.length > 0;
    if (!this.hidden) list.replaceChildren(...calls.map((call) => this.#line(call)));
  }

  /** @param {Call} call */
  #line(call) {
    const text = curl(call, location.origin, this.client?.open ?? false);
    const copy = el('button', { type: 'button', class: 'small', onclick: () => void this.#copy(text) }, icon('copy'), 'Copy');
    const state = el('span', { class: call.ok === false ? 'badge bad' : 'badge' }, call.outcome);
    const head = el('div', { class: 'call-head' }, el('strong', {}, call.method), el('span', { class: 'call-path' }, call.path), state, copy);
    return el('li', {}, head, el('code', {}, text));
  }

  /** @param {string} text */
  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.tell('Copied.');
    } catch {
      this.tell('The browser does not let this page copy: select the line and copy it.');
    }
  }
}

customElements.define('mx-calls', Calls);
