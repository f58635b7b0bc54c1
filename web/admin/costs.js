import { partsOf } from '../shared/parts.js';
import { ceiling, stackedChart } from './chart.js';
import { roomPath } from './client.js';
import { el, say } from './dom.js';
import { Poll } from './poll.js';

/** @typedef {import('./studio.js').Studio} Studio */
/** @typedef {import('./feed.js').RoomFeed} RoomFeed */
/** @typedef {import('./chart.js').Sample} Sample */

const STATS_MS = 2_000;
const SPAN_S = 120;
const KINDS = ['receive', 'decode', 'compose', 'encode', 'audio', 'send', 'rest'];

/** What the room costs and how well it runs. */
export class Costs extends HTMLElement {
  connectedCallback() {
    this.parts = partsOf(this);
    /** @type {Studio | null} */
    this.studio = null;
    /** @type {RoomFeed | null} */
    this.feed = null;
    /** @type {Sample[]} of the last two minutes */
    this.samples = [];
    this.poll = new Poll(() => this.#refresh(), STATS_MS);
    this.chart = stackedChart(KINDS);
    this.parts.chart.append(this.chart.element);
    this.figures = new Map(KINDS.map((kind) => [kind, el('td', {})]));
    this.parts.legend.append(...KINDS.map((kind) => this.#legendRow(kind)));
  }

  /** @param {string} kind */
  #legendRow(kind) {
    return el('tr', {}, el('th', { scope: 'row' }, el('span', { class: `swatch part-${kind}` }), kind), this.figures?.get(kind));
  }

  /** @param {RoomFeed} feed */
  bind(feed) {
    this.feed = feed;
    this.samples = [];
    this.poll?.start();
  }

  unbind() {
    this.feed = null;
    this.poll?.stop();
  }

  async #refresh() {
    const { feed } = this;
    if (!feed) return;
    try {
      const stats = await /** @type {Studio} */ (this.studio).client.read(roomPath(feed.room, '/stats'));
      if (this.feed === feed) this.#render(stats);
    } catch (error) {
      console.info('the costs could not be read; the next turn asks again', error);
    }
  }

  /** @param {any} stats the API's `stats` */
  #render(stats) {
    const now = performance.now() / 1000;
    const samples = [...(this.samples ?? []), { at: now, parts: stats.cpu_cores }].filter(({ at }) => at > now - SPAN_S - 5);
    this.samples = samples;
    const top = ceiling(Math.max(...samples.map(({ parts }) => parts.total)) * 1.05);
    this.chart?.draw(samples, { from: now - SPAN_S, to: now, top });
    const { total, scale } = this.parts ?? {};
    say(total, `${stats.cpu_cores.total.toFixed(2)} cores`);
    say(scale, `${top} ${top === 1 ? 'core' : 'cores'}`);
    for (const kind of KINDS) say(/** @type {Element} */ (this.figures?.get(kind)), stats.cpu_cores[kind].toFixed(3));
    this.#renderHealth(stats);
    this.#renderRenditions(stats);
  }

  /** @param {any} stats */
  #renderHealth({ ticks, latency_ms: latency, uptime_s: uptime }) {
    const rows = [
      ['Video ticks', tickWords(ticks.video)],
      ['Audio ticks', tickWords(ticks.audio)],
      ['Video delay', delayWords(latency.video)],
      ['Audio delay', delayWords(latency.audio)],
      ['Worst loss', lossWords(this.feed?.present ?? [])],
      ['Running', timeWords(uptime)],
    ];
    this.parts?.health.replaceChildren(...rows.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))));
  }

  /** @param {any} stats */
  #renderRenditions({ renditions, mixes }) {
    const { renditions: body, mixes: mixList, 'no-renditions': none } = this.parts ?? {};
    none.hidden = renditions.length > 0;
    body.replaceChildren(...renditions.map(renditionRow));
    say(mixList, mixWords(mixes));
  }
}

/** @param {any} rendition */
function renditionRow({ view, codec, tier, width, height, fps, kbps, subscribers, encode_ms: ms, keyframes }) {
  const cells = [`${width}×${height} at ${Math.round(fps)}/s`, `${Math.round(kbps)} kb/s`, subscribers, `${ms.toFixed(1)} ms`, keyframes];
  return el('tr', {}, el('th', { scope: 'row' }, `${view} ${codec} ${tier}`), ...cells.map((cell) => el('td', {}, cell)));
}

/** @param {{codec: string, listeners: number, shared: boolean}[]} mixes */
function mixWords(mixes) {
  const own = mixes.filter(({ shared }) => !shared).length;
  const shared = mixes.filter((mix) => mix.shared).map(({ codec, listeners }) => `${listeners} the full mix in ${codec}`);
  const words = [...shared, ...(own ? [`${own} a mix without themselves`] : [])];
  return words.length ? `Sound: ${words.join(', ')}` : 'No sound is sent';
}

/** @param {{count: number, late: number, skipped: number}} ticks */
function tickWords({ count, late, skipped }) {
  return `${count}, ${late} late, ${skipped} skipped`;
}

/** @param {{p50: number | null, p95: number | null}} latency */
function delayWords({ p50, p95 }) {
  return p50 === null || p95 === null ? '–' : `${Math.round(p50)} ms, p95 ${Math.round(p95)} ms`;
}

/** @param {import('./feed.js').Person[]} people */
function lossWords(people) {
  const worst = Math.max(0, ...people.map(({ loss }) => loss));
  return `${(worst * 100).toFixed(1)} %`;
}

/** @param {number} seconds */
function timeWords(seconds) {
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

customElements.define('mx-costs', Costs);
