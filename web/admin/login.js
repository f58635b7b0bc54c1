import { partsOf } from '../shared/parts.js';

/** Asks for the admin secret. Fires `signed-in`. */
export class Login extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    /** @type {import('./client.js').Client | null} */
    this.client = null;
    this.parts['login-form'].addEventListener('submit', (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  show() {
    if (!this.hidden) return;
    this.hidden = false;
    this.parts?.secret.focus();
  }

  async #submit() {
    const { secret, enter, refused } = this.parts ?? {};
    if (!secret.value) return;
    refused.textContent = '';
    enter.disabled = true;
    const welcome = await this.client?.signIn(secret.value);
    enter.disabled = false;
    secret.value = '';
    if (welcome) {
      this.hidden = true;
      this.dispatchEvent(new Event('signed-in'));
      return;
    }
    refused.textContent = this.client?.reachable ? 'This is not the admin secret.' : 'The server cannot be reached.';
    secret.focus();
  }
}

customElements.define('mx-login', Login);
