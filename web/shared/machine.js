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
const LONGEST_MS = 5_000;

/**
 * @param {number} attempt 0 for the first retry
 * @param {number} random 0..1, spreads clients that lost the same server
 * @returns {number} ms
 */
export function backOff(attempt, random) {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt) * (0.75 + random / 2);
}
