import { icon, partsOf, setText, showIcon } from '../shared/parts.js';
import { inNumbers, qualityOf, WORDS } from './quality.js';

/** @typedef {import('../shared/api.js').Participant} Participant */
/** @typedef {Record<'item' | 'face' | 'name' | 'role' | 'hand' | 'mic' | 'camera' | 'screen' | 'quality' | 'numbers', HTMLElement>} Row */

const ROLES = Object.freeze({ moderator: 'Moderator', viewer: 'Watching', admin: 'Admin', participant: '' });

/** Who is here. Fires `close`. Rows stay the same elements, so that what is open or focused in them stays so. */
export class People extends HTMLElement {
  /** @type {Record<string, any>} */
  parts = {};
  /** @type {Map<string, Row>} */
  rows = new Map();

  connectedCallback() {
    this.parts = partsOf(this);
    this.parts.close.addEventListener('click', () => this.dispatchEvent(new Event('close')));
  }

  /**
   * @param {Participant[]} people in the order to be shown
   * @param {string | null} self
   * @param {string} own numbers of one's own reception
   */
  draw(people, self, own) {
    setText(this.parts.title, `People (${people.length})`);
    const here = new Set(people.map(({ id }) => id));
    for (const [id, { item }] of this.rows) {
      if (here.has(id)) continue;
      item.remove();
      this.rows.delete(id);
    }
    people.forEach((one, n) => {
      const row = this.#row(one);
      update(row, one, one.id === self, own);
      if (this.parts.list.children[n] !== row.item) this.parts.list.insertBefore(row.item, this.parts.list.children[n] ?? null);
    });
  }

  /** @param {Participant} one @returns {Row} */
  #row({ id }) {
    const known = this.rows.get(id);
    if (known) return known;
    const row = makeRow(hue(id));
    this.rows.set(id, row);
    return row;
  }
}

/** @param {number} hueOfFace degrees @returns {Row} */
function makeRow(hueOfFace) {
  /** @param {string} tag @param {string} className */
  const make = (tag, className) => Object.assign(document.createElement(tag), { className });
  /** @param {string} name */
  const sign = (name) => {
    const holder = make('span', 'sign');
    holder.append(icon(name), make('span', 'unseen'));
    return holder;
  };
  const row = {
    item: make('li', 'person'),
    face: make('span', 'face'),
    name: make('bdi', 'person-name'),
    role: make('span', 'person-role'),
    hand: sign('hand'),
    mic: sign('mic-off'),
    camera: sign('camera-off'),
    screen: sign('screen'),
    quality: make('summary', 'person-quality'),
    numbers: make('p', 'person-numbers'),
  };
  row.face.setAttribute('aria-hidden', 'true');
  row.face.style.setProperty('--hue', String(hueOfFace));
  const [text, signs, details] = [make('div', 'person-text'), make('div', 'signs'), make('details', 'person-details')];
  details.append(row.quality, row.numbers);
  const line = make('div', 'person-line');
  line.append(row.name, row.role);
  text.append(line, details);
  signs.append(row.hand, row.screen, row.camera, row.mic);
  row.item.append(row.face, text, signs);
  return row;
}

/** @param {Row} row @param {Participant} one @param {boolean} isSelf @param {string} own */
function update(row, one, isSelf, own) {
  const { audio, video } = one;
  setText(row.name, one.name);
  row.name.title = one.name;
  setText(row.face, initial(one.name));
  const role = ROLES[/** @type {keyof typeof ROLES} */ (one.role)] ?? '';
  setText(row.role, [isSelf ? 'you' : '', role].filter(Boolean).join(', '));
  row.item.classList.toggle('speaking', audio.speaking && !audio.muted);
  row.item.classList.toggle('away', one.state === 'disconnected');
  showSign(row.hand, one.hand_raised, 'Hand raised');
  showSign(row.screen, one.screen, 'Shares the screen');
  showSign(row.camera, video.muted, 'Camera off');
  showIcon(row.mic, audio.muted ? 'mic-off' : 'mic');
  const muted = audio.muted_by && audio.muted_by !== 'self' ? `Muted by ${article(audio.muted_by)}` : 'Muted';
  showSign(row.mic, audio.muted || audio.speaking, audio.muted ? muted : 'Speaking');
  const quality = qualityOf(one);
  setText(row.quality, WORDS[quality]);
  row.quality.dataset.quality = quality;
  const sent = inNumbers({ loss: one.loss, rttMs: one.rtt_ms });
  const camera = video.width ? `Camera ${video.width}×${video.height}, ${Math.round(video.fps)} frames/s. ` : '';
  setText(row.numbers, isSelf && own ? `${camera}Received: ${own}.` : `${camera}${sent}.`);
}

/** @param {HTMLElement} sign @param {boolean} shown @param {string} word */
function showSign(sign, shown, word) {
  sign.hidden = !shown;
  sign.title = word;
  setText(/** @type {Element} */ (sign.lastElementChild), shown ? word : '');
}

/** @param {string} who */
export function article(who) {
  return who === 'admin' ? 'an admin' : `a ${who}`;
}

/** @param {string} name @returns {string} its first letter or digit, else its first character, whatever the script */
function initial(name) {
  const found = /\p{L}|\p{N}/u.exec(name);
  return (found ? found[0] : ([...name][0] ?? '?')).toLocaleUpperCase();
}

/** @param {string} id @returns {number} degrees */
function hue(id) {
  let sum = 0;
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return sum;
}

customElements.define('mx-people', People);
