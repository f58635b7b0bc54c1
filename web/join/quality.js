// A connection's quality in a word, and the numbers behind it. The words are pure; the meter asks the browser.

/** @typedef {'good' | 'weak' | 'lost'} Quality */
/** @typedef {{loss: number, rttMs: number | null, fps: number | null, height: number | null, kbps: number | null}} Numbers */

const WEAK_LOSS = 0.03;
const WEAK_RTT_MS = 300;
const WEAK_FPS = 12;

/** @type {Readonly<Record<Quality, string>>} */
export const WORDS = Object.freeze({ good: 'Good connection', weak: 'Weak connection', lost: 'Connection lost' });

/**
 * @param {{state: string, loss: number, rtt_ms: number | null}} participant as the server sees it
 * @returns {Quality}
 */
export function qualityOf({ state, loss, rtt_ms: rtt }) {
  if (state === 'disconnected') return 'lost';
  return loss > WEAK_LOSS || (rtt ?? 0) > WEAK_RTT_MS ? 'weak' : 'good';
}

/** @param {Numbers} numbers of one's own reception @param {boolean} live @returns {Quality} */
export function ownQuality({ loss, rttMs, fps }, live) {
  if (!live) return 'lost';
  const slow = fps !== null && fps > 0 && fps < WEAK_FPS;
  return loss > WEAK_LOSS || (rttMs ?? 0) > WEAK_RTT_MS || slow ? 'weak' : 'good';
}

/** The numbers as a line of text. @param {Partial<Numbers>} numbers */
export function inNumbers({ loss, rttMs, fps, height, kbps }) {
  const parts = [];
  if (height) parts.push(`${height}p`);
  if (fps) parts.push(`${Math.round(fps)} frames/s`);
  if (kbps) parts.push(`${Math.round(kbps)} kb/s`);
  parts.push(`${((loss ?? 0) * 100).toFixed(1)} % lost`);
  if (rttMs !== null && rttMs !== undefined) parts.push(`${Math.round(rttMs)} ms round trip`);
  return parts.join(', ');
}

/** One's own reception, from the differences between two looks. */
export class Meter {
  constructor() {
    this.before = { received: 0, lost: 0, bytes: 0, at: 0 };
  }

  /** @param {RTCPeerConnection} pc @returns {Promise<Numbers>} */
  async look(pc) {
    const now = { received: 0, lost: 0, bytes: 0, at: performance.now() };
    /** @type {Numbers} */
    const numbers = { loss: 0, rttMs: null, fps: null, height: null, kbps: null };
    for (const entry of (await pc.getStats()).values()) {
      if (entry.type === 'inbound-rtp') {
        now.received += entry.packetsReceived ?? 0;
        now.lost += Math.max(0, entry.packetsLost ?? 0);
        now.bytes += entry.bytesReceived ?? 0;
        if (entry.kind === 'video') Object.assign(numbers, { fps: entry.framesPerSecond ?? null, height: entry.frameHeight ?? null });
      }
      if (entry.type === 'candidate-pair' && entry.nominated && entry.currentRoundTripTime !== undefined) {
        numbers.rttMs = entry.currentRoundTripTime * 1000;
      }
    }
    const { before } = this;
    this.before = now;
    const [received, lost] = [now.received - before.received, Math.max(0, now.lost - before.lost)];
    if (before.at && received >= 0) {
      numbers.loss = lost / Math.max(1, lost + received);
      numbers.kbps = ((now.bytes - before.bytes) * 8) / Math.max(1, now.at - before.at);
    }
    return numbers;
  }
}
