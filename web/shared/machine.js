// The call's states as a table, and how long to wait between attempts. Pure.

/** @typedef {'idle' | 'joining' | 'live' | 'waiting' | 'ended'} CallState */
/** @typedef {'join' | 'up' | 'lost' | 'retry' | 'end'} CallInput */

/** @type {Readonly<Record<CallState, Partial<Record<CallInput, CallState>>>>} */
export const TRANSITIONS = Object.freeze({
  idle: { join: 'joining', end: 'ended' },
  joining: { up: 'live', lost: 'waiting', end: 'ended' },
  live: { lost: 'waiting', end: 'ended' },
  waiting: { retry: 'joining', end: 'ended' },
  ended: { join: 'joining' },
});

/**
 * @param {CallState} state
 * @param {CallInput} input
 * @returns {CallState} the same state when the input means nothing in it
 */
export function next(state, input) {
  return TRANSITIONS[state][input] ?? state;
}

const FIRST_MS = 250;
const LONGEST_MS = 2_000; // who has a network again is back within 5 s
const PATIENT_AFTER = 20;
const PATIENT_MS = 8_000; // a server that stays away is not asked every moment

/**
 * @param {number} attempt 0 for the first retry
 * @param {number} random 0..1, spreads clients that lost the same server
 * @returns {number} ms
 */
export function backOff(attempt, random) {
  const longest = attempt < PATIENT_AFTER ? LONGEST_MS : PATIENT_MS;
  return Math.min(longest, FIRST_MS * 2 ** attempt) * (0.75 + random / 2);
}

/**
 * How long an attempt to connect may take. The first is given its time; one that began while the network was away is
 * not waited for, but each next one is given longer, for slow networks.
 * @param {number} attempt 0 for the first join
 * @returns {number} ms
 */
export function connectDeadline(attempt) {
  return attempt === 0 ? 10_000 : Math.min(12_000, 2_000 + 2_000 * attempt);
}
