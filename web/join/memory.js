// What this tab and this browser remember: who we are in a room (tab), our name, devices and tones (browser).

/** @typedef {{room: string, id: string, token: string, name: string, muted: boolean, cameraOff: boolean,
 *             view?: string, hand?: boolean}} Session */

const SESSION = 'mixdown.session';
const NAME = 'mixdown.name';
const LOCK_WAIT_MS = 600;

/** @returns {string} */
export function rememberedName() {
  return read('localStorage', NAME) ?? '';
}

/** @param {string} name */
export function rememberName(name) {
  write('localStorage', NAME, name);
}

/** @typedef {'camera' | 'microphone' | 'speaker' | 'tones' | 'shortcuts'} Preference */

/** @param {Preference} key @returns {string | null} */
export function preference(key) {
  return read('localStorage', `mixdown.${key}`);
}

/** @param {Preference} key @param {string | null} value */
export function setPreference(key, value) {
  write('localStorage', `mixdown.${key}`, value);
}

/** @param {Session} session */
export function rememberSession(session) {
  write('sessionStorage', SESSION, JSON.stringify(session));
}

export function forgetSession() {
  write('sessionStorage', SESSION, null);
}

/**
 * The session this tab had in the room before it was reloaded. A duplicated tab gets a copy of the storage: only the
 * tab that holds the participant's lock may come back as that participant.
 * @param {string} room
 * @returns {Promise<Session | null>}
 */
export async function recallSession(room) {
  const text = read('sessionStorage', SESSION);
  if (!text) return null;
  const session = parse(text);
  if (!session || session.room !== room || !(await holdIdentity(session.id))) return null;
  return session;
}

/**
 * Holds the participant's lock until this page goes.
 * @param {string} id
 * @returns {Promise<boolean>} false: another tab is this participant
 */
export function holdIdentity(id) {
  if (!navigator.locks) return Promise.resolve(true); // an insecure address: no locks
  return new Promise((resolve) => {
    const held = () => {
      resolve(true);
      return new Promise(() => {});
    };
    // The page that is being reloaded may hold it for a moment yet.
    const options = { signal: AbortSignal.timeout(LOCK_WAIT_MS) };
    navigator.locks.request(`mixdown-${id}`, options, held).catch(() => resolve(false));
  });
}

/** @param {string} text @returns {Session | null} */
function parse(text) {
  try {
    const value = JSON.parse(text);
    return typeof value?.id === 'string' && typeof value?.token === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** @typedef {'localStorage' | 'sessionStorage'} Store */

/** @param {Store} store @param {string} key @returns {string | null} */
function read(store, key) {
  try {
    return window[store].getItem(key);
  } catch {
    return null; // storage is switched off in this browser
  }
}

/** @param {Store} store @param {string} key @param {string | null} value */
function write(store, key, value) {
  try {
    if (value === null) window[store].removeItem(key);
    else window[store].setItem(key, value);
  } catch (error) {
    console.info('this browser keeps nothing: a reload will join as somebody new', error);
  }
}
