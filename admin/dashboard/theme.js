// Light, dark, or as the system has it. Kept in this browser; it is no secret.

import { h } from './dom.js';

const KEY = 'bascule.theme';
const NEXT = { system: 'light', light: 'dark', dark: 'system' };
const SIGN = { system: '◐', light: '○', dark: '●' };

function remembered() {
  try {
    return localStorage.getItem(KEY) ?? 'system';
  } catch {
    return 'system'; // Storage is forbidden: nothing is remembered.
  }
}

function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // As above.
  }
}

export function startTheme(button) {
  let theme = SIGN[remembered()] ? remembered() : 'system';
  const apply = () => {
    document.documentElement.dataset.theme = theme;
    button.replaceChildren(SIGN[theme], h('span', { class: 'long' }, ` ${theme}`));
    button.setAttribute('aria-label', `Theme: ${theme}`);
    button.title = `Theme: ${theme}`;
  };
  button.addEventListener('click', () => {
    theme = NEXT[theme];
    remember(theme);
    apply();
  });
  apply();
}
