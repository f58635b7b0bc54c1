// A small stacked area chart as SVG.

import { svg } from './dom.js';

/** @typedef {{at: number, parts: Record<string, number>}} Sample at: seconds */

const WIDTH = 240;
const HEIGHT = 72;

/** The smallest round number that is not below. @param {number} value */
export function ceiling(value) {
  const steps = [0.1, 0.2, 0.5, 1, 2, 4, 8, 16, 32, 64, 128];
  return steps.find((step) => step >= value) ?? value;
}

/**
 * Outlines of areas that lie on one another, the first part lowest.
 * @param {Sample[]} samples oldest first
 * @param {string[]} names
 * @param {{from: number, to: number, top: number}} range seconds, and the value at the upper edge
 * @returns {string[]} an SVG path for each name, '' while there is nothing to draw
 */
export function areas(samples, names, { from, to, top }) {
  if (samples.length < 2) return names.map(() => '');
  const x = (/** @type {number} */ at) => (((at - from) / (to - from)) * WIDTH).toFixed(1);
  const y = (/** @type {number} */ value) => (HEIGHT - (value / top) * HEIGHT).toFixed(1);
  let floor = samples.map(() => 0);
  return names.map((name) => {
    const roof = samples.map(({ parts }, n) => floor[n] + (parts[name] ?? 0));
    const there = samples.map(({ at }, n) => `${x(at)} ${y(roof[n])}`);
    const back = samples.map(({ at }, n) => `${x(at)} ${y(floor[n])}`).reverse();
    floor = roof;
    return `M${there.join('L')}L${back.join('L')}Z`;
  });
}

/**
 * @param {string[]} names each area gets the class `part-<name>`
 * @returns {{element: Element, draw: (samples: Sample[], range: {from: number, to: number, top: number}) => void}}
 */
export function stackedChart(names) {
  const lines = [0.25, 0.5, 0.75].map((part) =>
    svg('line', { x1: 0, x2: WIDTH, y1: HEIGHT * part, y2: HEIGHT * part, class: 'chart-line' }),
  );
  const paths = names.map((name) => svg('path', { class: `part-${name}` }));
  const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' };
  const element = svg('svg', { ...box, class: 'chart' }, ...lines, ...paths);
  return {
    element,
    draw(samples, range) {
      areas(samples, names, range).forEach((path, n) => paths[n].setAttribute('d', path));
    },
  };
}
