// Camera and microphone, and in plain words why there is none.

import { chosen } from './devices.js';

/** @typedef {{audio: MediaStreamTrack | null, video: MediaStreamTrack | null, problem: string | null}} Media */

/** Captured large, sent as large as its tile is (sizing.js). @returns {MediaTrackConstraints} */
function camera() {
  return {
    width: { ideal: 1280 },
    height: { ideal: 720 },
    frameRate: { ideal: 30, max: 30 },
    ...wish(chosen('camera')),
  };
}

/**
 * @param {boolean} raw true: the sound as the microphone gives it, for measurements
 * @returns {MediaTrackConstraints}
 */
function microphone(raw) {
  return { echoCancellation: !raw, noiseSuppression: !raw, autoGainControl: !raw, ...wish(chosen('microphone')) };
}

/** A demand: as a wish, it would lose against a camera that has the wished size. @param {string} id */
function wish(id) {
  return id ? { deviceId: { exact: id } } : {};
}

/** A device that was unplugged since is no reason to be without one. @param {MediaStreamConstraints} constraints */
async function open(constraints) {
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (error) {
    if (/** @type {{name?: string}} */ (error).name !== 'OverconstrainedError') throw error;
    return navigator.mediaDevices.getUserMedia({ audio: anyOf(constraints.audio), video: anyOf(constraints.video) });
  }
}

/** @param {boolean | MediaTrackConstraints | undefined} constraints @returns {boolean | MediaTrackConstraints} */
function anyOf(constraints) {
  return typeof constraints === 'object' ? { ...constraints, deviceId: undefined } : constraints ?? false;
}

/**
 * Whatever can be had of both.
 * @param {{raw: boolean}} options
 * @returns {Promise<Media>}
 */
export async function openBoth({ raw }) {
  if (!navigator.mediaDevices) return { audio: null, video: null, problem: INSECURE };
  try {
    return tracksOf(await open({ audio: microphone(raw), video: camera() }), null);
  } catch (error) {
    if (refused(error)) return { audio: null, video: null, problem: explain(error, 'camera and microphone') };
  }
  const [audio, video] = await Promise.all([openOne('audio', { raw }), openOne('video', { raw })]);
  const problem = [audio.problem, video.problem].filter(Boolean).join(' ') || null;
  return { audio: audio.audio, video: video.video, problem };
}

/**
 * @param {'audio' | 'video'} kind
 * @param {{raw: boolean}} options
 * @returns {Promise<Media>}
 */
export async function openOne(kind, { raw }) {
  if (!navigator.mediaDevices) return { audio: null, video: null, problem: INSECURE };
  const constraints = kind === 'audio' ? { audio: microphone(raw) } : { video: camera() };
  try {
    return tracksOf(await open(constraints), null);
  } catch (error) {
    return { audio: null, video: null, problem: explain(error, kind === 'audio' ? 'microphone' : 'camera') };
  }
}

/** Whether the user has already allowed both, so that asking opens no dialogue. */
export async function alreadyAllowed() {
  return (await allowed('video')) && (await allowed('audio'));
}

/** Whether asking for one more opens no dialogue. @param {'audio' | 'video'} kind */
export async function allowed(kind) {
  const name = /** @type {PermissionName} */ (kind === 'audio' ? 'microphone' : 'camera');
  try {
    return (await navigator.permissions.query({ name })).state === 'granted';
  } catch {
    return false; // the browser does not tell: ask when the user does something
  }
}

export const INSECURE =
  'Browsers give camera and microphone to secure addresses only. Open this page over https:// (or on localhost) to be seen and heard.';

/** @param {MediaStream} stream @param {string | null} problem @returns {Media} */
function tracksOf(stream, problem) {
  return { audio: stream.getAudioTracks()[0] ?? null, video: stream.getVideoTracks()[0] ?? null, problem };
}

/** @param {unknown} error */
function refused(error) {
  return error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'SecurityError');
}

/** @param {unknown} error @param {string} what */
function explain(error, what) {
  const name = error instanceof DOMException ? error.name : '';
  if (refused(error)) {
    return `The ${what} was not allowed. You can allow it beside the page's address, or join without.`;
  }
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return `No ${what} was found.`;
  if (name === 'NotReadableError' || name === 'AbortError') return `The ${what} is used by another program.`;
  return `The ${what} could not be opened (${name || error}).`;
}
