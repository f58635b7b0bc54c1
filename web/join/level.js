// How loud a microphone is, for the lobby's meter.

const FLOOR_DB = -60;

/** Shows a track's level on a meter until it is stopped. Where the browser runs no AudioContext, nothing moves. */
export class LevelMeter {
  /** @param {HTMLMeterElement} meter 0..1 */
  constructor(meter) {
    this.meter = meter;
    /** @type {AudioContext | null} */
    this.context = null;
    this.frame = 0;
  }

  /** @param {MediaStreamTrack | null} track */
  watch(track) {
    this.stop();
    if (!track || !('AudioContext' in window)) return;
    const context = new AudioContext();
    this.context = context;
    const analyser = new AnalyserNode(context, { fftSize: 1024 });
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const look = () => {
      if (this.context !== context) return;
      analyser.getFloatTimeDomainData(samples);
      this.meter.value = loudness(samples);
      this.frame = requestAnimationFrame(look);
    };
    look();
  }

  stop() {
    cancelAnimationFrame(this.frame);
    void this.context?.close();
    this.context = null;
    this.meter.value = 0;
  }
}

/** @param {Float32Array} samples full scale is 1 @returns {number} 0 at FLOOR_DB and below, 1 at full scale */
export function loudness(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const db = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}
