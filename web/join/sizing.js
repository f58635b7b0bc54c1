// What the camera is sent at: as large as the largest tile it is shown in. Pure; time is an argument.

/** @typedef {import('../shared/transport.js').CameraEncoding} CameraEncoding */

/** Heights that are sent, and what each may take, bit/s. */
export const STEPS = Object.freeze([
  { height: 180, maxBitrate: 300_000 },
  { height: 270, maxBitrate: 500_000 },
  { height: 360, maxBitrate: 900_000 },
  { height: 540, maxBitrate: 1_300_000 },
  { height: 720, maxBitrate: 1_800_000 },
]);
const ENOUGH = 0.92; // of the tile's height: nobody sees the difference
const SMALLER_AFTER_MS = 4_000; // a speaker who is large again soon is not scaled down and up

/** @param {number} height of the tile, canvas pixels; 0 for no tile @returns {number} index into STEPS */
export function stepFor(height) {
  const found = STEPS.findIndex((step) => step.height >= height * ENOUGH);
  return found < 0 ? STEPS.length - 1 : found;
}

/** Larger at once, smaller only when it has been so for a while. */
export class Sizing {
  constructor() {
    this.step = 2;
    this.smallerSince = NaN;
  }

  /**
   * @param {number} height of the largest own tile, canvas pixels
   * @param {number} now ms
   * @returns {boolean} whether the step changed
   */
  look(height, now) {
    const wanted = stepFor(height);
    if (wanted >= this.step) {
      const changed = wanted > this.step;
      this.smallerSince = NaN;
      this.step = wanted;
      return changed;
    }
    if (Number.isNaN(this.smallerSince)) this.smallerSince = now;
    if (now - this.smallerSince < SMALLER_AFTER_MS) return false;
    this.smallerSince = NaN;
    this.step = wanted;
    return true;
  }

  /**
   * @param {{width?: number, height?: number}} camera as it is captured, upright or not
   * @returns {CameraEncoding}
   */
  encoding({ width = 640, height = 360 }) {
    const step = STEPS[this.step];
    const scale = Math.max(1, Math.min(width, height) / step.height);
    return { scaleResolutionDownBy: scale, maxBitrate: step.maxBitrate };
  }
}
