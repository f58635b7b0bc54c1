// Watching a room without being seen: a join that only receives, with the role `viewer`.

import { RoomApi } from '../shared/api.js';

const CONNECT_DEADLINE_MS = 10_000;

/** Fires `picture` (detail: MediaStream) once it is up, and `lost` once it is not, or never came to be. */
export class Viewer extends EventTarget {
  /** @param {string} room @param {string} view */
  constructor(room, view) {
    super();
    this.view = view;
    this.api = new RoomApi(room);
    /** @type {string | null} */
    this.id = null;
    this.closed = false;
    this.stream = new MediaStream();
    this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    this.pc.addTransceiver('audio', { direction: 'recvonly' });
    this.pc.addTransceiver('video', { direction: 'recvonly' });
    this.pc.ontrack = ({ track }) => this.stream.addTrack(track);
    this.pc.onconnectionstatechange = () => this.#changed();
    this.deadline = window.setTimeout(() => this.#lost('The picture did not come in time.'), CONNECT_DEADLINE_MS);
  }

  async open() {
    try {
      await this.pc.setLocalDescription(await this.pc.createOffer());
      const sdp = this.pc.localDescription?.sdp ?? '';
      const answer = await this.api.join({ name: 'Studio', sdp, type: 'offer', view: this.view, role: 'viewer' });
      this.id = answer.id;
      this.api = new RoomApi(answer.room, answer.token);
      if (this.closed) return this.#leave(); // closed meanwhile
      this.dispatchEvent(new CustomEvent('joined', { detail: answer.id }));
      await this.pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error));
    }
  }

  /** Takes leave of the server as well, even while the page goes. */
  close() {
    if (this.closed) return;
    this.#end();
    this.#leave();
  }

  #changed() {
    const state = this.pc.connectionState;
    if (state === 'connected') {
      window.clearTimeout(this.deadline);
      this.dispatchEvent(new CustomEvent('picture', { detail: this.stream }));
    } else if (state === 'failed' || state === 'disconnected') {
      this.#lost('The connection of the picture was lost.');
    }
  }

  /** @param {string} reason */
  #lost(reason) {
    if (this.closed) return;
    this.#end();
    this.#leave();
    this.dispatchEvent(new CustomEvent('lost', { detail: reason }));
  }

  #end() {
    this.closed = true;
    window.clearTimeout(this.deadline);
    this.pc.close();
  }

  #leave() {
    if (!this.id) return;
    const path = `${this.api.path}/participants/${encodeURIComponent(this.id)}`;
    const headers = { Authorization: `Bearer ${this.api.token}` };
    fetch(path, { method: 'DELETE', headers, keepalive: true }).catch((error) => {
      console.info('leaving was not heard by the server, which notices by itself', error);
    });
  }
}
