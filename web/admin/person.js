import { el, icon, say } from './dom.js';

/** @typedef {import('./feed.js').Person} Person */
/** @typedef {{change: (change: Record<string, unknown>) => void, remove: () => void}} PersonActions */

const ROLES = ['participant', 'moderator', 'viewer'];

/** One participant: what they send and get, and what can be done about it. */
export class PersonRow extends HTMLElement {
  /** @param {Person} person @param {PersonActions} actions */
  constructor(person, actions) {
    super();
    this.person = person;
    this.actions = actions;
    this.name = el('bdi', { class: 'person-name' });
    this.badges = el('span', { class: 'badges' });
    this.figures = el('p', { class: 'figures' });
    this.mic = this.#button('mic', () => ({ audio_muted: !this.person.audio.muted }));
    this.camera = this.#button('camera', () => ({ video_muted: !this.person.video.muted }));
    this.pin = this.#button('pin', () => ({ pinned: !this.person.pinned }));
    this.screen = this.#button('screen-off', () => ({ screen: false }));
    this.hand = this.#button('hand', () => ({ hand_raised: false }));
    this.gain = el('input', { type: 'range', min: -60, max: 20, step: 1 });
    this.gainText = el('output', {});
    this.roles = el('select', {}, ...ROLES.map((role) => el('option', { value: role }, role)));
    this.out = el('button', { type: 'button', class: 'small danger', onclick: actions.remove }, icon('leave'), 'Remove');
    this.append(...this.#assemble());
    this.#listen();
  }

  #assemble() {
    const level = el('span', { class: 'level', 'aria-hidden': 'true' });
    this.level = level;
    const gain = el('label', { class: 'inline' }, el('span', {}, 'Gain'), this.gain, this.gainText);
    const role = el('label', { class: 'inline' }, el('span', {}, 'Role'), this.roles);
    this.gainRow = gain;
    return [
      el('div', { class: 'person-head' }, level, this.name, this.badges),
      this.figures,
      el('div', { class: 'person-actions' }, this.mic, this.camera, this.pin, this.screen, this.hand, this.out),
      el('div', { class: 'person-actions' }, gain, role),
    ];
  }

  #listen() {
    this.gain.addEventListener('input', () => this.#showGain(this.gain.valueAsNumber));
    this.gain.addEventListener('change', () => this.actions.change({ gain_db: this.gain.valueAsNumber }));
    this.roles.addEventListener('change', () => this.actions.change({ role: this.roles.value }));
  }

  /** @param {string} symbol @param {() => Record<string, unknown>} change */
  #button(symbol, change) {
    const act = () => this.actions.change(change());
    return el('button', { type: 'button', class: 'small square', onclick: act }, icon(symbol));
  }

  /** @param {Person} person */
  update(person) {
    this.person = person;
    const { name, audio, video } = person;
    const viewer = person.role === 'viewer';
    say(this.name, name);
    this.classList.toggle('speaking', audio.speaking && !audio.muted);
    this.level?.style.setProperty('--level', String(levelOf(audio)));
    this.badges.replaceChildren(...badges(person));
    say(this.figures, figures(person));
    toggled(this.mic, audio.muted ? `Unmute ${name}` : `Mute ${name}`, 'mic', audio.muted);
    toggled(this.camera, video.muted ? `Turn the camera of ${name} on` : `Turn the camera of ${name} off`, 'camera', video.muted);
    label(this.pin, person.pinned ? `Unpin ${name}` : `Pin ${name}`);
    this.pin.setAttribute('aria-pressed', String(person.pinned));
    label(this.screen, `Stop the screen share of ${name}`);
    this.screen.hidden = !person.screen;
    label(this.hand, `Lower the hand of ${name}`);
    this.hand.hidden = !person.hand_raised;
    for (const element of [this.mic, this.camera, this.pin, this.gainRow]) if (element) element.hidden = viewer;
    this.gain.setAttribute('aria-label', `Gain of ${name}`);
    this.roles.setAttribute('aria-label', `Role of ${name}`);
    this.out.setAttribute('aria-label', `Remove ${name}`);
    if (document.activeElement !== this.gain) this.gain.value = String(person.gain_db);
    this.#showGain(this.gain.valueAsNumber);
    if (document.activeElement !== this.roles) this.roles.value = person.role;
  }

  /** @param {number} decibel */
  #showGain(decibel) {
    const text = `${decibel > 0 ? '+' : ''}${decibel} dB`;
    say(this.gainText, text);
    this.gain.setAttribute('aria-valuetext', text);
  }
}

/** @param {HTMLElement} button @param {string} text */
function label(button, text) {
  button.setAttribute('aria-label', text);
  button.title = text;
}

/** @param {HTMLElement} button @param {string} text @param {string} symbol @param {boolean} off */
function toggled(button, text, symbol, off) {
  label(button, text);
  button.setAttribute('aria-pressed', String(off));
  button.querySelector('use')?.setAttribute('href', off ? `#${symbol}-off` : `#${symbol}`);
}

/** 0 to 1. @param {Person['audio']} audio */
function levelOf({ muted, level_dbov: below }) {
  return muted ? 0 : Math.max(0, Math.min(1, (70 - below) / 60));
}

/** @param {Person} person */
function badges({ role, state, audio, hand_raised: hand, pinned, screen }) {
  const mutedBy = audio.muted_by && audio.muted_by !== 'self' ? `muted by ${audio.muted_by}` : 'muted';
  return [
    role !== 'participant' && el('span', { class: 'badge' }, role),
    state !== 'connected' && el('span', { class: 'badge bad' }, state),
    audio.muted && el('span', { class: 'badge' }, mutedBy),
    audio.speaking && !audio.muted && el('span', { class: 'badge good' }, 'speaking'),
    hand && el('span', { class: 'badge warn' }, 'hand raised'),
    pinned && el('span', { class: 'badge' }, 'pinned'),
    screen && el('span', { class: 'badge' }, 'shares screen'),
  ].filter((badge) => badge !== false);
}

/** @param {Person} person */
function figures({ audio, video, tier, view, loss, rtt_ms: rtt }) {
  const picture = video.width ? `sends ${video.width}×${video.height} at ${Math.round(video.fps)}/s` : 'sends no picture';
  const codecs = [audio.codec, video.codec].filter(Boolean).join(' + ').toUpperCase();
  return [
    picture,
    codecs && `gets ${codecs}, ${view} ${tier}`,
    `loss ${(loss * 100).toFixed(1)} %`,
    `RTT ${rtt === null ? '–' : `${Math.round(rtt)} ms`}`,
  ]
    .filter(Boolean)
    .join(' · ');
}

customElements.define('mx-person', PersonRow);
