// One stay in a room: ties the call, our own media, the picture, the others and our standing together.

import { isolated } from '../shared/parts.js';
import { Call } from '../shared/signalling.js';
import { Company } from './company.js';
import { routeSound } from './devices.js';
import { forgetSession, holdIdentity, rememberSession } from './memory.js';
import { OwnMedia } from './own.js';
import { Picture } from './picture.js';
import { ScreenShare } from './share.js';
import { actionOf } from './shortcuts.js';
import { Standing } from './standing.js';

/** @typedef {import('./lobby.js').Entry} Entry */
/** @typedef {import('./stage.js').Stage} Stage */
/** @typedef {import('./panels.js').Panels} Panels */
/** @typedef {import('../shared/api.js').RoomEvent} RoomEvent */
/** @typedef {{id: string, token: string}} Identity */
/** @typedef {{raw: boolean, identity?: Identity | null, view?: string, hand?: boolean}} Options */

const LOOK_MS = 1_000;
const QUALITY_MS = 3_000;
const OF_ONE = new Set(['participant_joined', 'participant_changed']);

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
    this.heldId = identity?.id ?? null;
    this.controls = new AbortController();
    /** @param {import('../shared/transport.js').Line} line @param {MediaStreamTrack | null} track @returns {Promise<void>} */
    const send = (line, track) => this.call.setTrack(line, track);
    this.own = new OwnMedia(entry, { raw, send });
    this.share = new ScreenShare(send);
    const { room, name, key } = entry;
    const tracks = { audio: this.own.audio, video: this.own.video, screen: null, screenAudio: null };
    /** @type {Call} */
    this.call = new Call({ room, name, key, view, id: identity?.id, token: identity?.token, tracks });
    this.picture = new Picture(stage, this.call, this);
    this.company = new Company(stage, panels, this.call);
    this.standing = new Standing(this.call, this.own, { hand, self: () => this.company.self });
    this.picture.scale();
    this.#listenToCall();
    this.#listenToOurs();
    this.#listenToUser();
  }

  get tiles() {
    return this.picture.tiles;
  }

  start() {
    this.panels.reset();
    this.panels.showView(this.call.view);
    this.panels.inUse = (kind) => this.own[kind]?.getSettings().deviceId ?? '';
    this.stage.showWatching(false);
    this.stage.show(this.entry.room);
    this.#drawOwn();
    this.company.draw();
    this.call.join();
    this.looker = window.setInterval(() => this.picture.look(), LOOK_MS);
    this.measurer = window.setInterval(() => void this.company.measure(), QUALITY_MS);
  }

  #listenToCall() {
    const on = listener(this.call);
    on('state', (change) => this.#stateChanged(change));
    on('stream', (stream) => void this.stage.play(stream));
    on('joined', () => this.#joined());
    on('event', (event) => this.#roomEvent(event));
    on('network', ({ online }) => this.#network(online));
    on('interrupted', (now) => this.#interrupted(now));
  }

  #listenToOurs() {
    for (const ours of [this.own, this.share, this.standing]) {
      const on = listener(ours);
      on('changed', () => this.#ownChanged());
      on('tell', (change) => this.standing.tell(change));
      on('word', (text) => this.stage.toast(text));
    }
    const on = listener(this.standing);
    on('watching', (watching) => this.#watching(watching));
    on('name', (name) => this.#renamed(name));
    on('view', (view) => this.picture.watch(view));
    listener(this.picture)('view', (view) => this.#viewChanged(view));
  }

  #listenToUser() {
    const { signal } = this.controls;
    const onStage = listener(this.stage, signal);
    onStage('mic', () => void this.own.toggleMute());
    onStage('camera', () => void this.own.toggleCamera());
    onStage('screen', () => void this.share.toggle());
    onStage('hand', () => this.#toggleHand());
    onStage('leave', () => void this.call.leave());
    const onPanels = listener(this.panels, signal);
    onPanels('view', (view) => void this.picture.choose(view));
    onPanels('device', (role) => void this.#changeDevice(role));
    onPanels('people', ({ open }) => this.company.listToggled(open));
    document.addEventListener('keydown', (event) => this.#key(event), { signal });
    navigator.mediaDevices?.addEventListener?.('devicechange', () => void this.#devicesChanged(), { signal });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const action = actionOf(event, this.panels.shortcuts);
    if (action === null) return;
    if (action === 'escape') this.panels.togglePeople(false);
    else if (action === 'help') this.panels.openHelp();
    else if (action === 'full') void this.panels.windows.toggleFullScreen();
    else if (this.stage.parts[action].hidden || this.stage.parts[action].disabled) return;
    else this.stage.dispatchEvent(new Event(action));
    event.preventDefault();
  }

  // ---- the call ----------------------------------------------------------------------------------------------------

  /** @param {{state: import('../shared/machine.js').CallState, reason: string | null}} change */
  #stateChanged({ state, reason }) {
    this.picture.connected(state === 'live');
    if (state === 'joining' && !this.tiles) this.stage.banner('Connecting…');
    if (state === 'live') this.stage.arrived();
    if (state === 'waiting') this.stage.hold(`${reason ?? 'The connection was lost.'} Reconnecting…`);
    if (state === 'ended') this.#over(reason);
    else void this.company.measure();
  }

  /** @param {boolean} online */
  #network(online) {
    if (!online) this.stage.banner('This device is offline. Waiting for the network…', true);
    else if (this.call.state === 'live') this.stage.arrived();
    else this.stage.banner('The network is there again. Reconnecting…', true);
  }

  /** @param {boolean} now nothing comes; the connection may yet go on by itself */
  #interrupted(now) {
    if (now) this.stage.banner('Nothing comes from the server. Waiting for the network…', true);
    else this.stage.banner(null);
  }

  /** @param {string | null} reason */
  #over(reason) {
    forgetSession();
    this.controls.abort();
    window.clearInterval(this.looker);
    window.clearInterval(this.measurer);
    this.standing.end();
    this.own.end();
    this.share.end();
    this.company.end();
    this.panels.reset();
    this.panels.inUse = () => '';
    this.stage.clear();
    this.dispatchEvent(new CustomEvent('over', { detail: { reason, status: this.call.endStatus ?? 0 } }));
  }

  #joined() {
    this.#remember();
    const { id } = this.call;
    if (id && id !== this.heldId) void holdIdentity(id);
    this.standing.joined(this.heldId === null || id === this.heldId);
    this.heldId = id;
  }

  #remember() {
    const { id, token, view } = this.call;
    if (!id || !token) return;
    const { room, name } = this.entry;
    const { muted, cameraOff } = this.own;
    rememberSession({ room, id, token, name, muted, cameraOff, view, hand: this.standing.hand });
  }

  /** @param {RoomEvent} event */
  #roomEvent(event) {
    if (event.type === 'layout_changed') return this.picture.layoutChanged(event);
    this.company.take(event);
    if (event.type === 'snapshot') this.picture.snapshot(event);
    const ours = OF_ONE.has(event.type) && event.participant.id === this.call.id;
    if (ours && event.screen_ended_by) void this.share.endedBy(event.screen_ended_by);
    if (ours || event.type === 'snapshot') this.standing.look();
  }

  // ---- ourselves ---------------------------------------------------------------------------------------------------

  #ownChanged() {
    this.#drawOwn();
    this.#remember();
    this.picture.scale();
    this.panels.devicesChanged();
  }

  #drawOwn() {
    const { muted, cameraOff, video } = this.own;
    this.stage.showControls({ muted, cameraOff, sharing: this.share.on, hand: this.standing.hand });
    this.stage.showSelf(video);
  }

  #toggleHand() {
    this.standing.toggleHand();
    this.stage.say(this.standing.hand ? 'Your hand is up.' : 'Your hand is down.');
  }

  /** @param {'camera' | 'microphone' | 'speaker'} role */
  async #changeDevice(role) {
    if (role === 'speaker') await routeSound(this.stage.parts.composite);
    else await this.own.changeDevice(role === 'camera' ? 'video' : 'audio');
  }

  /** One was plugged in or out; who loses one that is in use hears of it from its track. */
  async #devicesChanged() {
    this.panels.devicesChanged();
    const { composite } = this.stage.parts;
    const before = composite.sinkId;
    if (!(await routeSound(composite)) && before) this.stage.toast('The speaker went away. The sound comes out of the usual one.');
  }

  /** @param {boolean} watching our role allows no more */
  #watching(watching) {
    this.stage.showWatching(watching);
    if (watching) void this.share.stop();
  }

  /** @param {string} name given by somebody else */
  #renamed(name) {
    this.entry.name = this.call.options.name = name;
    this.stage.toast(`You are called ${isolated(name)} now.`);
    this.#remember();
  }

  /** @param {string} view */
  #viewChanged(view) {
    this.panels.showView(view);
    this.standing.settle();
    this.#remember();
  }
}

/**
 * @param {EventTarget} target
 * @param {AbortSignal} [signal]
 * @returns {(type: string, act: (detail: any) => void) => void}
 */
function listener(target, signal) {
  return (type, act) => target.addEventListener(type, (event) => act(/** @type {CustomEvent} */ (event).detail), { signal });
}
