// The composite that is watched: which view, where we are in it, and how large we are to be sent for it.

import { Problem } from '../shared/api.js';
import { Sizing } from './sizing.js';

/** @typedef {import('../shared/api.js').Tiles} Tiles */
/** @typedef {import('../shared/api.js').RoomEvent} RoomEvent */
/** @typedef {import('../shared/signalling.js').Call} Call */
/** @typedef {import('./stage.js').Stage} Stage */
/** @typedef {import('./own.js').OwnMedia} OwnMedia */
/** @typedef {import('./share.js').ScreenShare} ScreenShare */

const DRAWN_VIEWS = Object.freeze(/** @type {Record<string, string>} */ ({ low: 'main' })); // whose tiles a view has

/** Fires `view` (detail: string) once another one is watched. */
export class Picture extends EventTarget {
  /**
   * @param {Stage} stage
   * @param {Call} call
   * @param {{own: OwnMedia, share: ScreenShare}} ours
   */
  constructor(stage, call, { own, share }) {
    super();
    this.stage = stage;
    this.call = call;
    this.own = own;
    this.share = share;
    this.sizing = new Sizing();
    /** @type {Map<string, Tiles>} */
    this.tilesOf = new Map();
    this.canvas = { width: 1280, height: 720, fit: 'crop' };
    this.connectedAt = Infinity;
  }

  get tiles() {
    return this.tilesOf.get(this.#drawnView) ?? null;
  }

  get #drawnView() {
    return DRAWN_VIEWS[this.call.view] ?? this.call.view;
  }

  /** @param {boolean} up whether the transport is */
  connected(up) {
    this.connectedAt = up ? performance.now() : Infinity;
  }

  /** @param {RoomEvent} event the first of each connection */
  snapshot({ document: room, tiles }) {
    this.canvas = { ...room.canvas, fit: room.fit };
    this.tilesOf.clear();
    this.#take(tiles.view, tiles);
    if (this.#drawnView !== tiles.view) void this.#fetch();
  }

  /** @param {RoomEvent} event */
  layoutChanged({ view, fit, ...tiles }) {
    if (view === this.#drawnView) this.canvas = { ...this.canvas, fit: fit ?? this.canvas.fit };
    this.#take(view, /** @type {any} */ (tiles));
  }

  /** Time passes: a tile that was smaller for a while is sent smaller, a share that is gone is noticed. */
  look() {
    this.scale();
    const tiles = this.tilesOf.get('main');
    if (tiles && this.call.id) this.share.look(tiles, `${this.call.id}-screen`, { connectedAt: this.connectedAt, now: performance.now() });
  }

  /** Sends the camera as large as the largest tile it is shown in, in whatever view. */
  scale() {
    if (this.tilesOf.size) {
      const heights = [...this.tilesOf.values()].map((tiles) => {
        const { target } = this.#ownTile(tiles) ?? {};
        return target ? Math.max(target.height, (target.width * 9) / 16) : 0;
      });
      this.sizing.look(Math.max(...heights), performance.now());
    }
    const { video } = this.own;
    if (!video) return;
    const wanted = this.sizing.encoding(video.getSettings());
    const { encoding } = this.call;
    if (wanted.scaleResolutionDownBy === encoding?.scaleResolutionDownBy && wanted.maxBitrate === encoding.maxBitrate) return;
    this.call.scaleCamera(wanted);
  }

  /** Watches another view, by our own wish. @param {string} view */
  async choose(view) {
    try {
      await this.call.setView(view);
    } catch (error) {
      this.stage.toast(error instanceof Problem ? error.message : 'The view stays: the server cannot be reached.');
      return;
    }
    this.watch(view);
  }

  /** Another view comes from now on. @param {string} view */
  watch(view) {
    this.call.view = view;
    this.dispatchEvent(new CustomEvent('view', { detail: view }));
    this.stage.placeSelf(null, this.canvas); // until it is known where we are in the new picture
    void this.#fetch();
  }

  /** @param {string} view @param {Tiles} tiles */
  #take(view, tiles) {
    this.tilesOf.set(view, tiles);
    if (view === this.#drawnView) this.stage.placeSelf(this.#ownTile(tiles), this.canvas);
    this.look();
  }

  /** @param {Tiles} tiles */
  #ownTile({ tiles }) {
    return tiles.find(({ participant, kind }) => participant === this.call.id && kind === 'camera') ?? null;
  }

  async #fetch() {
    const view = this.#drawnView;
    try {
      this.#take(view, await this.call.api.tiles(view));
    } catch (error) {
      console.info('the tiles come with the next change of the layout', error);
    }
  }
}
