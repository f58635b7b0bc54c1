// When a transport that has gone silent is given up. Pure.

/** @typedef {'fine' | 'suspicious' | 'gone'} Verdict */

const SUSPICIOUS_MS = 1_000; // picture and sound come all the time, reports every second: so long without a byte says much
const GRACE_MS = 1_000; // the server answers other calls: then the transport has so long to be heard of as well
const LEAST_MS = 2_000; // less silence is no reason for a new connection: a wireless network does that
const LONGEST_MS = 8_000; // the server keeps a silent transport for so long

/**
 * A silent network is waited for: the transport goes on when it is there again. A network that carries other calls but
 * not the transport has changed, and a new connection is needed.
 * @param {{silent: number, answered: number | null, hinted: boolean}} seen silent: ms since the last byte; answered: ms
 *   since the server answered a call that was made in the silence; hinted: something happened to the network
 * @returns {Verdict}
 */
export function verdict({ silent, answered, hinted }) {
  if (silent > LONGEST_MS) return 'gone';
  if (answered !== null && answered > GRACE_MS && silent > (hinted ? GRACE_MS : LEAST_MS)) return 'gone';
  return hinted || silent > SUSPICIOUS_MS ? 'suspicious' : 'fine';
}
