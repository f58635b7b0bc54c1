// Which camera, microphone and speaker: what there is, and what was chosen the last time.

import { preference, setPreference } from './memory.js';

/** @typedef {'camera' | 'microphone' | 'speaker'} DeviceRole */
/** @typedef {{id: string, label: string}} Device */

/** @type {Readonly<Record<DeviceRole, MediaDeviceKind>>} */
const KINDS = Object.freeze({ camera: 'videoinput', microphone: 'audioinput', speaker: 'audiooutput' });
const WORDS = Object.freeze({ camera: 'Camera', microphone: 'Microphone', speaker: 'Speaker' });

/** Whether this browser lets a page choose where the sound comes out. */
export const choosesSpeaker = 'setSinkId' in HTMLMediaElement.prototype;

/** @param {DeviceRole} role @returns {string} '' for the browser's own choice */
export function chosen(role) {
  return preference(role) ?? '';
}

/** @param {DeviceRole} role @param {string} id */
export function choose(role, id) {
  setPreference(role, id || null);
}

/** @param {DeviceRole} role @returns {Promise<Device[]>} none before the user allowed any */
export async function list(role) {
  if (!navigator.mediaDevices?.enumerateDevices) return [];
  const all = await navigator.mediaDevices.enumerateDevices();
  const ones = all.filter(({ kind, deviceId }) => kind === KINDS[role] && deviceId);
  return ones.map(({ deviceId: id, label }, n) => ({ id, label: label || `${WORDS[role]} ${n + 1}` }));
}

/**
 * Fills a <select> with the devices of a role; hides its row when there is nothing to choose.
 * @param {HTMLSelectElement} select
 * @param {DeviceRole} role
 * @param {string} [inUse] of the track that is open: what was chosen may be unplugged
 */
export async function fill(select, role, inUse = '') {
  const devices = role === 'speaker' && !choosesSpeaker ? [] : await list(role);
  const wanted = [inUse, chosen(role), 'default'].find((id) => devices.some((device) => device.id === id));
  select.replaceChildren(...devices.map(({ id, label }) => new Option(label, id, false, id === wanted)));
  const row = /** @type {HTMLElement} */ (select.closest('label') ?? select);
  row.hidden = devices.length < (role === 'speaker' ? 1 : 2);
}

/**
 * Sends an element's sound to the chosen speaker, to the usual one where that is not there.
 * @param {HTMLMediaElement} element
 * @returns {Promise<boolean>} false: the chosen one is not there
 */
export async function routeSound(element) {
  if (!choosesSpeaker) return true;
  const wanted = chosen('speaker');
  const there = !wanted || (await list('speaker')).some(({ id }) => id === wanted);
  const target = there ? wanted : '';
  try {
    if (element.sinkId !== target) await element.setSinkId(target);
    return there;
  } catch (error) {
    console.info('the sound stays where it comes out', error);
    return false;
  }
}
