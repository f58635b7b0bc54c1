// The join page: lobby, meeting, and back. State for tests is at window.mixdown, to be read only.

import { Lobby, slug } from './lobby.js';
import { openBoth } from './media.js';
import { Meeting } from './meeting.js';
import { forgetSession, recallSession, rememberName, rememberedName } from './memory.js';
import { Panels } from './panels.js';
import './people.js';
import { Stage } from './stage.js';

/** @typedef {import('./lobby.js').Entry} Entry */

const parameters = new URLSearchParams(location.search);
const raw = parameters.get('raw') === '1';
const view = parameters.get('view') ?? 'main';
const named = parameters.get('room') || decodeURIComponent(location.hash.slice(1));
document.documentElement.classList.toggle('embed', parameters.get('embed') === '1');
const lobby = /** @type {Lobby} */ (document.querySelector('mx-lobby'));
const stage = /** @type {Stage} */ (document.querySelector('mx-stage'));

const panels = new Panels(stage);

/** @type {Meeting | null} */
let meeting = null;

/** @param {Entry} entry @param {import('./memory.js').Session | null} session that it comes back to */
function enter(entry, session = null) {
  rememberName(entry.name);
  showInAddress(entry.room);
  lobby.hidden = true;
  lobby.release();
  const current = new Meeting(stage, panels, entry, { raw, identity: session, view: session?.view ?? view, hand: session?.hand });
  meeting = current;
  current.addEventListener('over', (event) => over(/** @type {CustomEvent} */ (event).detail));
  current.start();
}

/** So that a reload comes back here and the address can be passed on. @param {string} room */
function showInAddress(room) {
  const url = new URL(location.href);
  url.searchParams.set('room', room);
  url.hash = '';
  history.replaceState(null, '', url);
  document.title = `${room} – Mixdown`;
}

/** @param {{reason: string | null, status: number}} end */
function over({ reason, status }) {
  const room = meeting?.entry.room ?? null;
  lobby.show({ name: rememberedName(), room, raw, open: false }); // who has left is not filmed
  lobby.notice(reason ?? 'You left the meeting.');
  if (status === 401) lobby.askForKey();
}

async function begin() {
  const room = named ? slug(named) : null;
  const session = room === null ? null : await recallSession(room);
  if (!session) {
    forgetSession();
    lobby.show({ name: parameters.get('name') ?? rememberedName(), room, raw });
    return;
  }
  lobby.hidden = true;
  stage.show(session.room);
  stage.banner('Coming back…');
  const media = await openBoth({ raw });
  if (session.cameraOff) media.video?.stop();
  const { name, muted, cameraOff } = session;
  enter({ name, room: session.room, key: null, media, muted, cameraOff }, session);
}

lobby.addEventListener('enter', (event) => enter(/** @type {CustomEvent} */ (event).detail));

Object.defineProperty(window, 'mixdown', {
  value: Object.freeze({
    get pc() {
      return meeting?.call.pc ?? null;
    },
    get participant() {
      return meeting?.call.id ?? null;
    },
    get state() {
      return meeting?.call.state ?? 'idle';
    },
    get tiles() {
      return meeting?.tiles ?? null;
    },
    get video() {
      return stage.parts.composite ?? null;
    },
    get tones() {
      return meeting?.company.tones.played ?? 0;
    },
    get encoding() {
      return meeting?.call.encoding ?? null;
    },
  }),
});

void begin();
