// Who we are to the daemon: the token, kept in this tab only (sessionStorage), and the role it gives.

import { h } from './dom.js';
import { openDialog } from './dialogs.js';

const KEY = 'bascule.token';
const RANK = { public: 0, read: 1, operate: 2, admin: 3 };

class Access extends EventTarget {
  #asking = null;
  name = null;
  role = null;
  /** Somebody closed the question: they are not asked again until they want to be. */
  declined = false;

  get token() {
    return sessionStorage.getItem(KEY) ?? '';
  }

  header() {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  forget() {
    sessionStorage.removeItem(KEY);
  }

  is(name, role) {
    this.name = name;
    this.role = role;
    this.dispatchEvent(new Event('change'));
  }

  /** Empty: allowed as far as we know. Otherwise why not, for people. */
  refusal(needed) {
    if (this.role === null || RANK[this.role] === undefined || RANK[this.role] >= RANK[needed]) {
      return '';
    }
    return `Needs the role ${needed}; yours is ${this.role}.`;
  }

  /**
   * After `used` was refused: resolves to true when there is another token to try. All who ask at the same time share
   * one question.
   */
  async another(used) {
    if (this.token !== used) {
      return true;
    }
    if (this.declined) {
      return false;
    }
    this.#asking ??= this.#ask(used !== '').finally(() => { this.#asking = null; });
    return this.#asking;
  }

  async #ask(wasRefused) {
    const input = h('input', {
      type: 'password', name: 'token', autocomplete: 'off', required: true, spellcheck: 'false', id: 'token',
      'aria-describedby': 'token-help', 'aria-invalid': wasRefused
    });
    const answer = await openDialog({
      title: 'Token needed',
      label: 'Sign in',
      content: [
        wasRefused && h('p', { class: 'complaint', role: 'alert' }, 'That token was not accepted.'),
        h('label', { for: 'token' }, 'Token'),
        input,
        h('p', { class: 'hint', id: 'token-help' },
          'Made by “basculectl token NAME ROLE”. It stays in this tab until the tab is closed.')
      ]
    });
    if (!answer) {
      this.declined = true;
      this.dispatchEvent(new Event('change'));
      return false;
    }
    sessionStorage.setItem(KEY, input.value.trim());
    return true;
  }
}

export const access = new Access();
