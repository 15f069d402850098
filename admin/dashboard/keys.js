// The keyboard: one Tab stop per list, arrows inside it, and a few keys that work everywhere.

import { openDialog } from './dialogs.js';
import { h } from './dom.js';

const KEYS = [
  ['/', 'search conferences'], ['↑ ↓ Home End', 'in a list: another row'], ['Enter', 'in a list: open the row'],
  ['d', 'on a row of the fleet: drain the bridge'],
  ['Esc', 'close a question, leave the search, or go back to the fleet'], ['?', 'these keys']
];

const isTyping = target => target.matches('input, textarea, select');

function explain() {
  openDialog({
    title: 'Keys',
    content: [h('dl', { class: 'keys' }, KEYS.flatMap(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)]))]
  });
}

export function startKeys(search) {
  document.addEventListener('keydown', event => {
    const isOurs = !event.ctrlKey && !event.metaKey && !event.altKey && !event.defaultPrevented;
    if (!isOurs || document.querySelector('dialog[open]')) {
      return;
    }
    if (event.key === 'Escape') {
      if (isTyping(event.target)) {
        event.target.blur();
      } else if (location.hash.length > 2) {
        location.hash = '#/';
      }
    } else if (isTyping(event.target)) {
      return;
    } else if (event.key === '/') {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === '?') {
      explain();
    }
  });
  document.getElementById('keys').addEventListener('click', explain);
  document.querySelector('.skip').addEventListener('click', event => {
    event.preventDefault(); // Hashes are places of this page.
    document.getElementById('main').focus();
  });
}

/**
 * Makes the children of `list` one Tab stop: arrows, Home and End move between rows. Of each row the element of class
 * `row-link` gets the focus; what else can be used in it is a Tab stop while the row is the current one.
 */
export function rove(list) {
  let current = null;
  const rows = () => [...list.children].filter(row => !row.hidden);

  function setCurrent(row) {
    current = row;
    for (const each of list.children) {
      for (const stop of each.querySelectorAll('a, button')) {
        const wanted = each === row ? 0 : -1;
        if (stop.tabIndex !== wanted) {
          stop.tabIndex = wanted;
        }
      }
    }
  }

  list.addEventListener('focusin', event => {
    const row = rows().find(each => each.contains(event.target));
    if (row && row !== current) {
      setCurrent(row);
    }
  });
  list.addEventListener('keydown', event => {
    const all = rows();
    const at = all.indexOf(current);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined || !all[next]) {
      return;
    }
    event.preventDefault();
    setCurrent(all[next]);
    all[next].querySelector('.row-link').focus();
  });
  return {
    /** After rows came, went or moved. */
    refresh() {
      setCurrent(rows().includes(current) ? current : rows()[0] ?? null);
    }
  };
}
