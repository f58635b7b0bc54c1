import { partsOf } from '../shared/parts.js';
import { roomPath } from './client.js';

/** The link by which others come in: to be read, copied, or filmed by a phone. */
export class Invite extends HTMLElement {
  link = '';

  connectedCallback() {
    this.parts = partsOf(this);
    const { dialog, 'invite-copy': copy, 'invite-close': close, 'invite-link': field } = this.parts;
    copy.addEventListener('click', () => void this.#copy());
    close.addEventListener('click', () => dialog.close());
    field.addEventListener('focus', () => field.select());
  }

  /** @param {string} room @param {string} link */
  show(room, link) {
    this.link = link;
    const { dialog, code, 'invite-link': field, 'invite-title': title, 'invite-done': done } = this.parts ?? {};
    title.textContent = `Invite to ${room}`;
    code.src = roomPath(room, `/invitation.svg?origin=${encodeURIComponent(new URL(link).origin)}`);
    code.alt = `QR code of ${link}`;
    field.value = link;
    done.textContent = '';
    if (!dialog.open) dialog.showModal();
  }

  close() {
    this.parts?.dialog.close();
  }

  async #copy() {
    const { 'invite-link': field, 'invite-done': done } = this.parts ?? {};
    try {
      await navigator.clipboard.writeText(this.link);
      done.textContent = 'Copied.';
    } catch {
      field.focus(); // selected: the user's own copy does the rest
      done.textContent = 'The browser does not let this page copy: the link is selected, copy it yourself.';
    }
  }
}

customElements.define('mx-invite', Invite);
