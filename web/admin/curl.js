// A call of the API as a line for a shell. Pure.

/**
 * @typedef {{method: string, path: string, body?: unknown, outcome: string, ok: boolean | null}} Call
 * outcome: for the reader; ok: null while it is under way
 */

const SECRET = '$MIXDOWN_SECRET';

/** The login's body as it is shown. */
export const HIDDEN_SECRET = { secret: SECRET };

/** @param {string} text @returns {string} one word of a POSIX shell */
export function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * @param {Pick<Call, 'method' | 'path' | 'body'>} call
 * @param {string} origin
 * @param {boolean} open whether the server asks for no secret here
 * @returns {string}
 */
export function curl({ method, path, body }, origin, open) {
  const words = ['curl', ...(method === 'GET' ? [] : ['-X', method]), quoted(origin + path)];
  const login = body === HIDDEN_SECRET;
  if (!open && !login) words.push('-H', `"Authorization: Bearer ${SECRET}"`);
  if (body === undefined) return words.join(' ');
  words.push('-H', quoted('Content-Type: application/json'), '-d', login ? loginBody() : quoted(JSON.stringify(body)));
  return words.join(' ');
}

/** The shell puts the secret in: the page never shows it. */
function loginBody() {
  return `'{"secret":"'"${SECRET}"'"}'`;
}
