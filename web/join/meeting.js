// One stay in a room: the call, our own media, and what of the room's events this page shows.

import { Problem } from '../shared/api.js';
import { isolated } from '../shared/parts.js';
import { Call } from '../shared/signalling.js';
import { routeSound } from './devices.js';
import { forgetSession, holdIdentity, rememberSession } from './memory.js';
import { OwnMedia } from './own.js';
import { article } from './people.js';
import { inNumbers, Meter, ownQuality, WORDS } from './quality.js';
import { Roster } from './roster.js';
import { actionOf } from './shortcuts.js';
import { Sizing } from './sizing.js';
import { Tones } from './tones.js';

/** @typedef {import('./lobby.js').Entry} Entry */
/** @typedef {import('./stage.js').Stage} Stage */
/** @typedef {import('./panels.js').Panels} Panels */
/** @typedef {import('../shared/api.js').Tiles} Tiles */
/** @typedef {import('../shared/api.js').Participant} Participant */
/** @typedef {import('../shared/api.js').RoomEvent} RoomEvent */
/** @typedef {{id: string, token: string}} Identity */
/** @typedef {{raw: boolean, identity?: Identity | null, view?: string, hand?: boolean}} Options */

const LOOK_MS = 1_000;
const QUALITY_MS = 3_000;
const SETTLED_MS = 600; // after our own change: what the server says then is no older than our wish
const DRAWN_VIEWS = Object.freeze(/** @type {Record<string, string>} */ ({ low: 'main' })); // whose tiles a view has

/** Fires `over` (detail: {reason: string | null, status: number}). */
export class Meeting extends EventTarget {
  /**
   * @param {Stage} stage
   * @param {Panels} panels
   * @param {Entry} entry
   * @param {Options} options
   */
  constructor(stage, panels, entry, { raw, identity = null, view = 'main', hand = false }) {
    super();
    this.stage = stage;
    this.panels = panels;
    this.entry = entry;
    this.hand = hand;
    this.handsUnseen = 0;
    this.roster = new Roster();
    this.tones = new Tones();
    this.sizing = new Sizing();
    this.meter = new Meter();
    this.numbers = '';
    /** @type {import('./quality.js').Quality | null} */
    this.quality = null;
    /** @type {Map<string, Tiles>} */
    this.tilesOf = new Map();
    this.canvas = { width: 1280, height: 720, fit: 'crop' };
    this.heldId = identity?.id ?? null;
    this.telling = 0; // how many of our own changes the server has not answered yet
    this.toldAt = -SETTLED_MS;
    this.reconciler = 0;
    /** @param {import('../shared/transport.js').Line} line @param {MediaStreamTrack | null} track @returns {Promise<void>} */
    const send = (line, track) => this.call.setTrack(line, track);
    this.own = new OwnMedia(entry, { raw, send });
    const { room, name, key } = entry;
    const tracks = { audio: this.own.audio, video: this.own.video, screen: null, screenAudio: null };
    /** @type {Call} */
    this.call = new Call({ room, name, key, view, id: identity?.id, token: identity?.token, tracks });
    this.#scale();
    this.controls = new AbortController();
    this.#listenToCall();
    this.#listenToUser();
  }

  get tiles() {
    return this.tilesOf.get(this.#drawnView) ?? null;
  }

  get #drawnView() {
    return DRAWN_VIEWS[this.call.view] ?? this.call.view;
  }

  start() {
    this.panels.reset();
    this.panels.showView(this.call.view);
    this.stage.show(this.entry.room);
    this.#drawOwn();
    this.#drawPeople();
    this.call.join();
    this.looker = window.setInterval(() => this.#scale(), LOOK_MS);
    this.measurer = window.setInterval(() => void this.#measure(), QUALITY_MS);
  }

  #listenToCall() {
    /** @param {string} type @param {(detail: any) => void} act */
    const on = (type, act) => this.call.addEventListener(type, (event) => act(/** @type {CustomEvent} */ (event).detail));
    on('state', (change) => this.#stateChanged(change));
    on('stream', (stream) => void this.stage.play(stream));
    on('joined', () => this.#joined());
    on('event', (event) => this.#roomEvent(event));
    on('network', ({ online }) => this.#network(online));
  }

  #listenToUser() {
    const { signal } = this.controls;
    const acts = {
      mic: () => void this.own.toggleMute(),
      camera: () => void this.own.toggleCamera(),
      screen: () => void this.own.toggleScreen(),
      hand: () => this.toggleHand(),
      leave: () => void this.call.leave(),
    };
    for (const [type, act] of Object.entries(acts)) this.stage.addEventListener(type, act, { signal });
    this.own.addEventListener('changed', () => this.#ownChanged());
    this.own.addEventListener('tell', (event) => this.#tellServer(/** @type {CustomEvent} */ (event).detail));
    this.own.addEventListener('word', (event) => this.stage.toast(/** @type {CustomEvent} */ (event).detail));
    /** @param {string} type @param {(detail: any) => void} act */
    const on = (type, act) =>
      this.panels.addEventListener(type, (event) => act(/** @type {CustomEvent} */ (event).detail), { signal });
    on('view', (view) => void this.setView(view));
    on('device', (role) => void this.#changeDevice(role));
    on('people', ({ open }) => this.#peopleToggled(open));
    document.addEventListener('keydown', (event) => this.#key(event), { signal });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const action = actionOf(event, this.panels.shortcuts);
    if (action === null) return;
    if (action === 'escape') this.panels.togglePeople(false);
    else if (action === 'help') this.panels.openHelp();
    else if (action === 'full') void this.panels.toggleFullScreen();
    else if (action === 'screen' && this.stage.parts.screen.hidden) return;
    else this.stage.dispatchEvent(new Event(action));
    event.preventDefault();
  }

  // ---- the call ----------------------------------------------------------------------------------------------------

  /** @param {{state: import('../shared/machine.js').CallState, reason: string | null}} change */
  #stateChanged({ state, reason }) {
    if (state === 'joining' && !this.tiles) this.stage.banner('Connecting…');
    if (state === 'live') this.stage.banner(null);
    if (state === 'waiting') this.stage.banner(`${reason ?? 'The connection was lost.'} Coming back…`, true);
    if (state === 'ended') this.#over(reason);
    else void this.#measure();
  }

  /** @param {boolean} online */
  #network(online) {
    if (!online) this.stage.banner('This device is offline. Waiting for the network…', true);
    else if (this.call.state === 'live') this.stage.banner(null);
    else this.stage.banner('The network is there again. Coming back…', true);
  }

  /** @param {string | null} reason */
  #over(reason) {
    forgetSession();
    this.controls.abort();
    window.clearInterval(this.looker);
    window.clearInterval(this.measurer);
    window.clearTimeout(this.reconciler);
    this.own.end();
    this.tones.close();
    this.panels.reset();
    this.stage.hidden = true;
    this.stage.banner(null);
    this.stage.showSelf(null);
    this.stage.placeSelf(null, this.canvas);
    this.dispatchEvent(new CustomEvent('over', { detail: { reason, status: this.call.endStatus ?? 0 } }));
  }

  #joined() {
    this.#remember();
    const { id } = this.call;
    if (id && id !== this.heldId) void holdIdentity(id);
    if (this.heldId !== null && id !== this.heldId) this.hand = false; // the server had forgotten us
    this.heldId = id;
    const { muted, cameraOff } = this.own;
    if (muted || cameraOff) this.#tellServer({ ...(muted ? { audio_muted: true } : {}), ...(cameraOff ? { video_muted: true } : {}) });
  }

  #remember() {
    const { id, token, view } = this.call;
    if (!id || !token) return;
    const { room, name } = this.entry;
    const { muted, cameraOff } = this.own;
    rememberSession({ room, id, token, name, muted, cameraOff, view, hand: this.hand });
  }

  // ---- events ------------------------------------------------------------------------------------------------------

  /** @param {RoomEvent} event */
  #roomEvent(event) {
    if (event.type === 'layout_changed') return this.#takeTiles(event.view, /** @type {any} */ (event));
    const news = this.roster.take(event);
    if (event.type === 'snapshot') this.#snapshot(event);
    if (news.joined && news.joined.id !== this.call.id) this.#came(news.joined);
    if (news.left && news.left.id !== this.call.id) this.#went(news.left);
    if (news.hand && news.hand.id !== this.call.id) this.#handUp(news.hand);
    if (event.type === 'participant_changed' && event.participant.id === this.call.id) this.#reconcileSoon();
    if (news.changed) this.#drawPeople();
  }

  /** @param {RoomEvent} event the first of each connection */
  #snapshot({ document: room, tiles }) {
    this.canvas = { ...room.canvas, fit: room.fit };
    this.tilesOf.clear();
    this.#takeTiles(tiles.view, tiles);
    if (this.#drawnView !== tiles.view) void this.#fetchTiles();
    this.#reconcileSoon();
  }

  /** @param {Participant} one */
  #came({ name }) {
    this.tones.play('entry');
    this.stage.say(`${isolated(name)} came in.`);
  }

  /** @param {Participant} one */
  #went({ name }) {
    this.tones.play('leave');
    this.stage.say(`${isolated(name)} left.`);
  }

  /** @param {Participant} one */
  #handUp({ name }) {
    if (!this.panels.peopleOpen) this.handsUnseen += 1;
    this.stage.toast(`${isolated(name)} raised a hand.`);
  }

  // ---- tiles and what they need ------------------------------------------------------------------------------------

  /** @param {string} view @param {Tiles} tiles */
  #takeTiles(view, tiles) {
    this.tilesOf.set(view, tiles);
    if (view === this.#drawnView) this.stage.placeSelf(this.#ownTile(tiles), this.canvas);
    this.#scale();
  }

  /** @param {Tiles} tiles */
  #ownTile({ tiles }) {
    return tiles.find(({ participant, kind }) => participant === this.call.id && kind === 'camera') ?? null;
  }

  async #fetchTiles() {
    const view = this.#drawnView;
    try {
      this.#takeTiles(view, await this.call.api.tiles(view));
    } catch (error) {
      console.info('the tiles come with the next change of the layout', error);
    }
  }

  /** Sends the camera as large as the largest tile it is shown in, in whatever view. */
  #scale() {
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

  /** @param {string} view */
  async setView(view) {
    try {
      await this.call.setView(view);
    } catch (error) {
      this.stage.toast(error instanceof Problem ? error.message : 'The view stays: the server cannot be reached.');
      return;
    }
    this.panels.showView(view);
    this.#remember();
    this.stage.placeSelf(null, this.canvas); // until it is known where we are in the new picture
    await this.#fetchTiles();
  }

  // ---- ourselves ---------------------------------------------------------------------------------------------------

  #ownChanged() {
    this.#drawOwn();
    this.#remember();
    this.#scale();
  }

  #drawOwn() {
    const { muted, cameraOff, screen, video } = this.own;
    this.stage.showControls({ muted, cameraOff, sharing: Boolean(screen), hand: this.hand });
    this.stage.showSelf(video);
  }

  toggleHand() {
    this.hand = !this.hand;
    this.stage.say(this.hand ? 'Your hand is up.' : 'Your hand is down.');
    this.#ownChanged();
    this.#tellServer({ hand_raised: this.hand });
  }

  /** @param {'camera' | 'microphone' | 'speaker'} role */
  async #changeDevice(role) {
    if (role === 'speaker') await routeSound(this.stage.parts.composite);
    else await this.own.changeDevice(role === 'camera' ? 'video' : 'audio');
  }

  /** @param {Object<string, unknown>} change */
  #tellServer(change) {
    if (!this.call.id || !this.call.token) return; // not in yet: told on joining
    this.telling += 1;
    this.call.api.patch(this.call.id, change)
      .catch((error) => {
        if (error instanceof Problem) this.stage.toast(error.message);
        else console.info('told again on coming back', error);
      })
      .finally(() => {
        this.telling -= 1;
        this.toldAt = performance.now();
        this.#reconcileSoon();
      });
  }

  /** What the server says of us while our own wishes are under way may be older than they are. */
  #reconcileSoon() {
    window.clearTimeout(this.reconciler);
    if (this.telling || this.call.state === 'ended') return; // the answer asks again
    const wait = this.toldAt + SETTLED_MS - performance.now();
    if (wait > 0) this.reconciler = window.setTimeout(() => this.#reconcileSoon(), wait);
    else this.#reconcile();
  }

  /** Another one's mute holds here; what only we know, the server is told. */
  #reconcile() {
    const self = this.call.id ? this.roster.people.get(this.call.id) : undefined;
    if (!self || !this.call.token) return;
    const { audio, video } = self;
    if (audio.muted && !this.own.muted) {
      if (audio.muted_by === 'self') this.#tellServer({ audio_muted: false });
      else this.#mutedBy(audio.muted_by ?? 'moderator');
    } else if (!audio.muted && this.own.muted) this.#tellServer({ audio_muted: true });
    if (video.muted && !this.own.cameraOff) this.#cameraTakenOff();
    else if (!video.muted && this.own.cameraOff) this.#tellServer({ video_muted: true });
    if (self.hand_raised !== this.hand) this.#handSetByServer(self.hand_raised);
  }

  /** @param {string} who */
  #mutedBy(who) {
    this.own.setMuted(true);
    this.stage.toast(`You were muted by ${article(who)}.`);
  }

  #cameraTakenOff() {
    void this.own.cameraGoesOff({ tell: false });
    this.stage.toast('Your camera was turned off by a moderator.');
  }

  /** @param {boolean} up */
  #handSetByServer(up) {
    this.hand = up;
    if (!up) this.stage.toast('Your hand was taken down.');
    this.#ownChanged();
  }

  // ---- people and quality ------------------------------------------------------------------------------------------

  /** @param {boolean} open */
  #peopleToggled(open) {
    this.handsUnseen = 0;
    if (open) void this.#refreshPeople();
    this.#drawPeople();
  }

  #drawPeople() {
    const people = this.roster.inOrder();
    this.stage.showCount(people.length, this.handsUnseen);
    this.stage.showSpeaking(people.some(({ id, audio }) => id === this.call.id && audio.speaking));
    if (this.panels.peopleOpen) this.panels.people.draw(people, this.call.id, this.numbers);
  }

  async #refreshPeople() {
    try {
      this.roster.refresh(await this.call.api.participants());
      this.#drawPeople();
    } catch (error) {
      console.info('the numbers of the others stay as they were', error);
    }
  }

  async #measure() {
    const { pc, state } = this.call;
    if (!pc || state === 'ended') return;
    const numbers = await this.meter.look(pc);
    this.numbers = inNumbers(numbers);
    const quality = ownQuality(numbers, state === 'live');
    if (this.quality !== null && quality !== this.quality && quality !== 'lost') this.stage.say(WORDS[quality]);
    this.quality = quality;
    this.stage.showQuality(quality, WORDS[quality], this.numbers);
    if (this.panels.peopleOpen && state === 'live') await this.#refreshPeople();
  }
}
