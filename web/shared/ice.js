// The STUN and TURN servers that pages are told to use: asked for once, and again well before their logins end.

/** @typedef {import('./api.js').RoomApi} RoomApi */

const PATIENCE_MS = 1_500; // most calls need none of them: a join does not wait for long
const SHARE_OF_LIFETIME = 0.5;

let known = { servers: /** @type {RTCIceServer[]} */ ([]), until: 0 };

/**
 * None if they cannot be had.
 * @param {RoomApi} api
 * @returns {Promise<RTCIceServer[]>}
 */
export async function iceServers(api) {
  if (Date.now() < known.until) return known.servers;
  try {
    const { ice_servers: servers, lifetime } = await api.call('GET', '/v1/ice-servers', undefined, { timeout: PATIENCE_MS });
    known = { servers, until: Date.now() + lifetime * 1000 * SHARE_OF_LIFETIME };
  } catch (error) {
    console.info('the TURN servers could not be asked for', error);
  }
  return known.servers;
}
