// The screen and its sound, while they are shared.

/** @typedef {{video: MediaStreamTrack, audio: MediaStreamTrack | null}} Shared */

const OPTIONS = Object.freeze({
  video: { frameRate: { ideal: 15, max: 15 } },
  audio: true,
  systemAudio: 'include', // what only some browsers know, the others leave aside
  surfaceSwitching: 'include',
  selfBrowserSurface: 'exclude',
});

/** Phones have none. */
export const canShare = Boolean(navigator.mediaDevices && 'getDisplayMedia' in navigator.mediaDevices);

/**
 * Asks for a screen, a window or a tab.
 * @returns {Promise<Shared | null>} null: the user thought better of it
 * @throws {Error} with words for the user
 */
export async function openScreen() {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia(/** @type {any} */ (OPTIONS));
    const [video] = stream.getVideoTracks();
    video.contentHint = 'text'; // sharp rather than fluent
    return { video, audio: stream.getAudioTracks()[0] ?? null };
  } catch (error) {
    if (error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError')) return null;
    throw new Error(`The screen could not be shared (${error instanceof DOMException ? error.name : error}).`);
  }
}
