// The studio: login, all rooms, one room. Where one is stands in the address: #/ and #/rooms/<id>.

import './calls.js';
import './confirm.js';
import './costs.js';
import './events.js';
import './invite.js';
import './layouts.js';
import './live.js';
import './login.js';
import './people.js';
import './room.js';
import './rooms.js';
import './toasts.js';
import './views.js';
import { Problem } from '../shared/api.js';
import { backOff } from '../shared/machine.js';
import { partsOf } from '../shared/parts.js';
import { Client } from './client.js';
import { Studio } from './studio.js';

/** @typedef {import('./login.js').Login} Login */
/** @typedef {import('./rooms.js').Rooms} Rooms */
/** @typedef {import('./room.js').Room} Room */
/** @typedef {import('./calls.js').Calls} Calls */

const find = (/** @type {string} */ name) => /** @type {any} */ (document.querySelector(name));
const client = new Client();
const studio = new Studio(client, find('mx-toasts'), find('mx-confirm'), find('mx-invite'));
const login = /** @type {Login} */ (find('mx-login'));
const rooms = /** @type {Rooms} */ (find('mx-rooms'));
const room = /** @type {Room} */ (find('mx-room'));
const calls = /** @type {Calls} */ (find('mx-calls'));
const bar = partsOf(find('header'));
const main = find('main');

login.client = client;
rooms.studio = studio;
room.use(studio);
calls.bind(client, (text) => studio.tell(text));

/** @returns {string | null} the room of the address */
function addressed() {
  const found = /^#\/rooms\/([a-z0-9][a-z0-9-]*)$/.exec(location.hash);
  return found ? found[1] : null;
}

/** @param {boolean} moved whether the user went there, so that the focus goes along */
function route(moved) {
  if (!login.hidden) return;
  const id = addressed();
  if (id === null) room.hide();
  else rooms.hide();
  if (id === null) rooms.show();
  else room.show(id);
  document.title = id === null ? 'Rooms – Mixdown Studio' : `${id} – Mixdown Studio`;
  if (moved) (id === null ? rooms : room).querySelector('h1')?.focus();
}

function askWho() {
  if (!login.hidden) return;
  room.hide();
  rooms.hide();
  bar['sign-out'].hidden = true;
  login.show();
}

async function signOut() {
  if ((await client.act('DELETE', '/v1/session')) !== null) askWho();
}

/** @param {number} attempt */
async function begin(attempt = 0) {
  try {
    await client.learnWhetherOpen();
    await client.read('/v1/rooms');
    bar['sign-out'].hidden = client.open;
    route(false);
  } catch (error) {
    if (error instanceof Problem && error.status < 500) return; // 401 has shown the login
    window.setTimeout(() => void begin(attempt + 1), backOff(attempt, Math.random()));
  }
}

/** @param {boolean} shown */
function showCalls(shown) {
  calls.hidden = !shown;
  document.body.classList.toggle('with-calls', shown);
  bar['toggle-calls'].setAttribute('aria-expanded', String(shown));
  calls.render();
}

client.addEventListener('locked', askWho);
client.addEventListener('failed', (event) => studio.tell(/** @type {CustomEvent} */ (event).detail.message, true));
client.addEventListener('reachable', (event) => (bar.away.hidden = /** @type {CustomEvent} */ (event).detail));
login.addEventListener('signed-in', () => void begin());
room.addEventListener('gone', (event) => {
  studio.tell(`Room ${/** @type {CustomEvent} */ (event).detail} is no more.`);
  location.hash = '#/';
});
bar['sign-out'].addEventListener('click', () => void signOut());
bar['toggle-calls'].addEventListener('click', () => showCalls(calls.hidden));
calls.addEventListener('close', () => {
  showCalls(false);
  bar['toggle-calls'].focus();
});
find('.skip').addEventListener('click', (/** @type {Event} */ event) => {
  event.preventDefault(); // the hash is the address of a room
  main.focus();
});
window.addEventListener('hashchange', () => route(true));

void begin();
