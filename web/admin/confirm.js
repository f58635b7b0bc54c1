import { partsOf } from '../shared/parts.js';

/** Asks before something that cannot be taken back. */
export class Confirm extends HTMLElement {
  /** @type {(yes: boolean) => void} */
  answer = () => {};

  connectedCallback() {
    this.parts = partsOf(this);
    const { dialog, yes, no } = this.parts;
    yes.addEventListener('click', () => this.#close(true));
    no.addEventListener('click', () => this.#close(false));
    dialog.addEventListener('close', () => this.answer(false)); // Escape
  }

  /**
   * @param {string} question
   * @param {string} consequence
   * @param {string} verb of the button that does it
   * @returns {Promise<boolean>}
   */
  ask(question, consequence, verb) {
    const { dialog, title, text, yes } = this.parts ?? {};
    this.answer(false);
    title.textContent = question;
    text.textContent = consequence;
    yes.textContent = verb;
    dialog.showModal();
    return new Promise((resolve) => (this.answer = resolve));
  }

  /** @param {boolean} yes */
  #close(yes) {
    this.answer(yes);
    this.parts?.dialog.close();
  }
}

customElements.define('mx-confirm', Confirm);
