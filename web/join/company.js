// Who else is here: the list, who came and left, hands, and how good the connection is.

import { isolated } from '../shared/parts.js';
import { inNumbers, Meter, ownQuality, WORDS } from './quality.js';
import { Roster } from './roster.js';
import { Tones } from './tones.js';

/** @typedef {import('../shared/api.js').Participant} Participant */
/** @typedef {import('../shared/api.js').RoomEvent} RoomEvent */
/** @typedef {import('../shared/signalling.js').Call} Call */
/** @typedef {import('./stage.js').Stage} Stage */
/** @typedef {import('./panels.js').Panels} Panels */

export class Company {
  /** @param {Stage} stage @param {Panels} panels @param {Call} call */
  constructor(stage, panels, call) {
    this.stage = stage;
    this.panels = panels;
    this.call = call;
    this.roster = new Roster();
    this.tones = new Tones();
    this.meter = new Meter();
    this.handsUnseen = 0;
    this.numbers = '';
    /** @type {import('./quality.js').Quality | null} */
    this.quality = null;
  }

  /** We, as the server's events have us. @returns {Participant | undefined} */
  get self() {
    return this.call.id ? this.roster.people.get(this.call.id) : undefined;
  }

  /** @param {RoomEvent} event */
  take(event) {
    const { joined, left, hand, changed } = this.roster.take(event);
    if (joined && joined.id !== this.call.id) this.#came(joined);
    if (left && left.id !== this.call.id) this.#went(left);
    if (hand && hand.id !== this.call.id) this.#handUp(hand);
    if (changed) this.draw();
  }

  /** @param {boolean} open */
  listToggled(open) {
    this.handsUnseen = 0;
    if (open) void this.#refresh();
    this.draw();
  }

  draw() {
    const people = this.roster.inOrder();
    this.stage.showCount(people.length, this.handsUnseen);
    this.stage.showSpeaking(people.some(({ id, audio }) => id === this.call.id && audio.speaking));
    if (this.panels.peopleOpen) this.panels.people.draw(people, this.call.id, this.numbers);
  }

  async measure() {
    const { pc, state } = this.call;
    if (state === 'waiting') this.stage.showQuality('lost', WORDS.lost, '');
    if (!pc || state === 'ended') return;
    const numbers = await this.meter.look(pc);
    this.numbers = inNumbers(numbers);
    const quality = ownQuality(numbers, state === 'live');
    if (this.quality !== null && quality !== this.quality && quality !== 'lost') this.stage.say(WORDS[quality]);
    this.quality = quality;
    this.stage.showQuality(quality, WORDS[quality], this.numbers);
    if (this.panels.peopleOpen && state === 'live') await this.#refresh();
  }

  end() {
    this.tones.close();
  }

  async #refresh() {
    try {
      this.roster.refresh(await this.call.api.participants());
      this.draw();
    } catch (error) {
      console.info('the numbers of the others stay as they were', error);
    }
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
}
