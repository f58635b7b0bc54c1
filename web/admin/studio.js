// What all parts of the studio do in the same way.

import { roomPath } from './client.js';

/** @typedef {import('./feed.js').RoomFeed} RoomFeed */
/** @typedef {import('./feed.js').View} View */

export class Studio {
  /**
   * @param {import('./client.js').Client} client
   * @param {import('./toasts.js').Toasts} toasts
   * @param {import('./confirm.js').Confirm} confirm
   * @param {import('./invite.js').Invite} invitation
   */
  constructor(client, toasts, confirm, invitation) {
    this.client = client;
    this.toasts = toasts;
    this.confirm = confirm;
    this.invitation = invitation;
  }

  /** @param {string} text @param {boolean} wrong */
  tell(text, wrong = false) {
    this.toasts.show(text, wrong);
  }

  /** @returns {Promise<string[]>} */
  async layouts() {
    const found = await this.client.read('/v1/layouts');
    return found.map((/** @type {{name: string}} */ { name }) => name);
  }

  /** By which others come in: at localhost, the local network's. @param {string} room @returns {Promise<string>} */
  async joinLink(room) {
    try {
      return (await this.client.read(roomPath(room, `/invitation?origin=${encodeURIComponent(location.origin)}`))).url;
    } catch (error) {
      console.info('the server gives no link, so it is the one of this page', error);
      return `${location.origin}/?room=${encodeURIComponent(room)}`;
    }
  }

  /** @param {string} link */
  async copyJoinLink(link) {
    try {
      await navigator.clipboard.writeText(link);
      this.tell('The join link is copied.');
    } catch {
      this.tell(link); // a browser that does not let us copy: the link is there to be read
    }
  }

  /** @param {string} room @returns {Promise<boolean>} whether it was ended */
  async endRoom(room) {
    const text = 'Everybody in it is put out, and nobody can join it for a minute.';
    if (!(await this.confirm.ask(`End room ${room}?`, text, 'End room'))) return false;
    if ((await this.client.act('DELETE', roomPath(room))) === null) return false;
    this.tell(`Room ${room} has ended.`);
    return true;
  }

  /**
   * Changes one participant.
   * @param {RoomFeed} feed
   * @param {string} id
   * @param {Record<string, unknown>} change
   */
  async change(feed, id, change) {
    const person = await this.client.act('PATCH', roomPath(feed.room, `/participants/${encodeURIComponent(id)}`), change);
    if (person) feed.took(person);
    else feed.dispatchEvent(new CustomEvent('people')); // what the controls show is put right
  }

  /** @param {RoomFeed} feed @param {{id: string, name: string}} person */
  async remove(feed, { id, name }) {
    const text = 'They are put out and cannot come back as themselves.';
    if (!(await this.confirm.ask(`Remove ${name}?`, text, 'Remove'))) return;
    await this.client.act('DELETE', roomPath(feed.room, `/participants/${encodeURIComponent(id)}`));
  }

  /**
   * Lays out the main view: what does not change is sent as it is, without sources that have gone.
   * @param {RoomFeed} feed
   * @param {Partial<View>} change
   */
  async layOut(feed, change) {
    const now = feed.main;
    if (!now) return;
    const { canvas: _canvas, name: _name, ...options } = { ...now, ...change };
    const here = new Set(feed.sources.map(({ id }) => id));
    const order = options.order.filter((id) => id === null || here.has(id));
    const pinned = options.pinned.filter((id) => here.has(id));
    const view = await this.client.act('PUT', roomPath(feed.room, '/layout'), { ...options, order, pinned });
    if (view) feed.tookView(view);
    else feed.dispatchEvent(new CustomEvent('views'));
  }
}
