// Two soft notes when somebody comes, the same downwards when somebody leaves. Made here: nothing is loaded.

import { preference } from './memory.js';

const NOTE_S = 0.14;
const VOLUME = 0.06;
const NOTES = Object.freeze({ entry: [523.25, 783.99], leave: [783.99, 523.25] });
const APART_MS = 700; // a class that comes in at once is one sound

export class Tones {
  constructor() {
    /** @type {AudioContext | null} */
    this.context = null;
    this.last = -APART_MS;
    this.played = 0;
    this.sleeper = 0;
  }

  /** @param {keyof typeof NOTES} which */
  play(which) {
    const when = preference('tones') ?? 'on';
    if (when === 'off' || (when === 'visible' && document.hidden) || !('AudioContext' in window)) return;
    if (performance.now() - this.last < APART_MS) return;
    this.last = performance.now();
    this.played += 1;
    this.context ??= new AudioContext();
    const { context } = this;
    void context.resume();
    NOTES[which].forEach((frequency, n) => note(context, frequency, context.currentTime + n * NOTE_S));
    window.clearTimeout(this.sleeper);
    this.sleeper = window.setTimeout(() => void context.suspend(), 2_000); // a running one costs a thread
  }

  close() {
    window.clearTimeout(this.sleeper);
    void this.context?.close();
    this.context = null;
  }
}

/** @param {AudioContext} context @param {number} frequency Hz @param {number} at the context's time, s */
function note(context, frequency, at) {
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.linearRampToValueAtTime(VOLUME, at + 0.02);
  gain.gain.linearRampToValueAtTime(0, at + NOTE_S * 1.6);
  const oscillator = new OscillatorNode(context, { frequency, type: 'sine' });
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + NOTE_S * 1.7);
}
