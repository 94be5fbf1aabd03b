//! The way in: asks for the token, and tries it before it is kept.

import { fill, h, text } from '../ui/dom';
import { describe } from '../ui/trouble';
import { isRefusal, keepToken, keptToken, Session } from './session';

/** A token behind the address' `#`, as the demo prints it: it is taken out of the address at once. */
function handed(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) history.replaceState(null, '', location.pathname + location.search);
  return token;
}

/** Asks until a token is right; one that was given before in this tab is tried first. */
export async function enter(place: HTMLElement): Promise<Session> {
  const given = handed();
  if (given !== null) keepToken(given);
  const kept = given ?? keptToken();
  if (kept !== null) {
    const session = new Session(kept);
    try {
      await session.get('status');
      return session;
    } catch (error) {
      if (!isRefusal(error)) return session;
      keepToken(null);
    }
  }
  return new Promise((entered) => ask(place, entered));
}

function ask(place: HTMLElement, entered: (session: Session) => void): void {
  const input = h('input', { type: 'password', id: 'token', autocomplete: 'off', spellcheck: 'false', required: true, 'aria-describedby': 'token-help token-wrong' });
  const wrong = h('p', { class: 'wrong', id: 'token-wrong', role: 'alert' });
  const button = h('button', { class: 'button primary', type: 'submit' }, 'Open the console');
  const tried = async () => {
    const given = input.value.trim();
    if (given === '') {
      text(wrong, 'Enter the token.');
      input.focus();
      return;
    }
    button.disabled = true;
    text(wrong, '');
    const session = new Session(given);
    try {
      await session.get('status');
      keepToken(given);
      entered(session);
      return;
    } catch (error) {
      const { title, detail } = describe(error);
      text(wrong, isRefusal(error) ? 'This is not the token of this daemon.' : `${title} ${detail}`);
    }
    button.disabled = false;
    input.setAttribute('aria-invalid', 'true');
    input.focus();
    input.select();
  };
  fill(place,
    h('h1', {}, 'Console'),
    h('form', { class: 'card stack gate', onsubmit: (event) => { event.preventDefault(); void tried(); } },
      h('p', { id: 'token-help', class: 'soft' }, 'For the operator of this daemon. The token is in the file that ', h('code', {}, 'http.token_file'), ' names; without one, the daemon leaves its own in a file beside its store that ends in ', h('code', {}, '.http'), '. It stays in this tab until you close it.'),
      h('div', { class: 'field' }, h('label', { for: 'token' }, 'Token'), input),
      wrong,
      button));
}
