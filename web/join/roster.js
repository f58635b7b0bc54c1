// Who is in the room, from its events. Pure: the page asks what changed and draws that.

/** @typedef {import('../shared/api.js').Participant} Participant */
/** @typedef {import('../shared/api.js').RoomEvent} RoomEvent */
/** @typedef {{joined?: Participant, left?: Participant, hand?: Participant, changed: boolean}} News */

export class Roster {
  constructor() {
    /** @type {Map<string, Participant>} */
    this.people = new Map();
    /** Who has a hand up, the first first. @type {string[]} */
    this.hands = [];
    /** @type {string | null} */
    this.active = null;
  }

  /** @param {RoomEvent} event @returns {News} */
  take(event) {
    const { participant } = event;
    switch (event.type) {
      case 'snapshot':
        return this.#snapshot(event.participants, event.document.active_speaker);
      case 'participant_joined':
      case 'participant_changed':
        return this.#put(participant, event.type === 'participant_joined');
      case 'participant_left':
        return this.#remove(participant);
      case 'speaking_started':
      case 'speaking_stopped':
        return this.#speaks(participant, event.type === 'speaking_started');
      case 'active_speaker':
        this.active = participant;
        return { changed: true };
      default:
        return { changed: false };
    }
  }

  /** Numbers that no event tells. @param {Participant[]} people */
  refresh(people) {
    for (const one of people) if (this.people.has(one.id)) this.people.set(one.id, one);
  }

  /** Hands first, in the order they went up; then as they came. @returns {Participant[]} */
  inOrder() {
    const raised = this.hands.map((id) => this.people.get(id)).filter((one) => one !== undefined);
    return [...raised, ...[...this.people.values()].filter(({ hand_raised: up }) => !up)];
  }

  /** @param {Participant[]} people @param {string | null} active @returns {News} */
  #snapshot(people, active) {
    this.people = new Map(people.map((one) => [one.id, one]));
    this.active = active;
    this.hands = this.hands.filter((id) => this.people.get(id)?.hand_raised);
    for (const one of people) this.#keepHand(one);
    return { changed: true };
  }

  /** @param {Participant} one @param {boolean} isNew @returns {News} */
  #put(one, isNew) {
    const before = this.people.get(one.id);
    this.people.set(one.id, one);
    this.#keepHand(one);
    const hand = one.hand_raised && !before?.hand_raised ? { hand: one } : {};
    return { changed: true, ...hand, ...(isNew && !before ? { joined: one } : {}) };
  }

  /** @param {Participant} one */
  #keepHand({ id, hand_raised: up }) {
    if (up && !this.hands.includes(id)) this.hands.push(id);
    if (!up) this.hands = this.hands.filter((other) => other !== id);
  }

  /** @param {Participant} one @returns {News} */
  #remove(one) {
    const known = this.people.delete(one.id);
    this.hands = this.hands.filter((id) => id !== one.id);
    return known ? { changed: true, left: one } : { changed: false };
  }

  /** @param {string} id @param {boolean} speaking @returns {News} */
  #speaks(id, speaking) {
    const one = this.people.get(id);
    if (one) one.audio = { ...one.audio, speaking };
    return { changed: Boolean(one) };
  }
}
