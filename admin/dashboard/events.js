// What the daemon notes: the latest when the page is opened, and everything from then on.

import { h, panel, searchInput, setText } from './dom.js';
import { clock, count, visible } from './format.js';
import { live } from './live.js';

const RANKS = { debug: 0, info: 1, warn: 2, error: 3 };
const SHOWN_ON_FRONT = 12;
const SHOWN = 300;

function fieldsOf({ fields }) {
  const text = value => (typeof value === 'string' ? value : JSON.stringify(value));
  return Object.entries(fields ?? {}).map(([key, value]) =>
    h('span', { class: 'field' }, `${key}=`, h('bdi', {}, visible(text(value)))));
}

function line(note) {
  return h('li', { class: 'note', 'data-level': note.level },
    h('time', { datetime: note.at, title: note.at }, clock(note.at)), h('span', { class: 'level' }, note.level),
    h('span', { class: 'event' }, note.event), h('span', { class: 'fields' }, fieldsOf(note)));
}

const textOf = note => `${note.event} ${JSON.stringify(note.fields ?? {})}`.toLowerCase();

function statusOf(notes) {
  if (live.logSince === null) {
    return live.state === 'polling' ? 'Events need the stream, which is not there; see the log of the daemon.'
      : 'Nothing has been noted yet.';
  }
  return `${notes === 0 ? 'None of these' : count(notes, 'event')} since ${clock(live.logSince)}, newest first. ` +
    'Earlier ones are in the log of the daemon.';
}

/** `shown`: the newest so many. `isShort`: for the front page, with a link to all of them. */
function eventsPanel(shown, isShort) {
  const level = h('select', { 'aria-label': 'Least level', onchange: () => render(true) },
    Object.keys(RANKS).map(name => h('option', { value: name, selected: name === 'info' },
      name === 'error' ? 'error only' : `${name} and above`)));
  const filter = searchInput('Filter events', () => render(true));
  const paused = h('input', { type: 'checkbox', id: 'paused', onchange: () => render(true) });
  const list = h('ol', { class: 'notes', tabindex: 0, 'aria-label': 'Events, newest first' });
  const status = h('p', { class: 'hint' });
  const ended = new AbortController();
  const hold = h('label', { class: 'check' }, paused, ' Hold');
  const element = panel('Events', { className: 'events', tools: isShort ? level : [filter, level, hold] },
    list, status, isShort && h('a', { href: '#/events' }, 'All events'));
  const drawn = new WeakMap(); // note -> its line

  function render(anew = false) {
    if (paused.checked && !anew) {
      return;
    }
    const wanted = filter.value.trim().toLowerCase();
    const notes = [];
    for (let at = live.log.length - 1; at >= 0 && notes.length < shown; --at) {
      const note = live.log[at];
      if ((RANKS[note.level] ?? 1) >= RANKS[level.value] && (wanted === '' || textOf(note).includes(wanted))) {
        notes.push(note);
      }
    }
    list.replaceChildren(...notes.map(note => {
      if (!drawn.has(note)) {
        drawn.set(note, line(note));
      }
      return drawn.get(note);
    }));
    list.hidden = notes.length === 0;
    setText(status, statusOf(notes.length));
  }

  let due = false;
  const soon = () => { // A storm notes hundreds a second; the page is drawn four times in it.
    if (!due) {
      due = true;
      setTimeout(() => {
        due = false;
        render();
      }, 250);
    }
  };
  live.addEventListener('log', soon, { signal: ended.signal });
  live.addEventListener('state', soon, { signal: ended.signal });
  render();
  return { element, close: () => ended.abort() };
}

export const recentEvents = () => eventsPanel(SHOWN_ON_FRONT, true);

export function eventsView() {
  return { title: 'Events', ...eventsPanel(SHOWN, false) };
}
