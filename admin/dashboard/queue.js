// Who waits for a place, and why.

import { ask } from './api.js';
import { h, panel, setText, syncList } from './dom.js';
import { duration, number, peopleOf } from './format.js';
import { live, repeat } from './live.js';
import { personLink } from './places.js';
import { CLASSES, KINDS, WAITS, wordsFor } from './words.js';

const READ_MS = 2000;
const SHOWN_ON_FRONT = 5;

function ticketRow(ticket) {
  const waited = h('span', { class: 'figure' });
  const why = h('span', { class: 'why' });
  const element = h('li', { class: 'ticket' }, personLink(ticket.room, ticket.endpoint), waited, why);
  return {
    element,
    update(next) {
      setText(waited, duration(next.waited_ms));
      setText(why, `${wordsFor(KINDS, next.kind)}; ${next.why ? wordsFor(WAITS, next.why) : 'its turn has not come'}`);
    }
  };
}

/** `limit`: how many tickets are shown. */
export function queuePanel(limit = SHOWN_ON_FRONT) {
  const classes = h('dl', { class: 'classes' });
  const sentence = h('p', {});
  const tickets = h('ol', { class: 'tickets' });
  const more = h('a', { href: '#/queue' });
  const complaint = h('p', { class: 'complaint', hidden: true });
  const ended = new AbortController();
  const element = panel('Waiting for a place', { className: 'queue' }, sentence, classes, tickets, more, complaint);
  let known = [];

  function render() {
    const queue = live.overview?.queue;
    if (!queue) {
      return;
    }
    syncList(classes, Object.entries(queue.by_class), ([name]) => name, ([name]) => {
      const value = h('dd', {});
      return {
        element: h('div', {}, value, h('dt', {}, wordsFor(CLASSES, name))),
        update: ([, people]) => setText(value, number(people))
      };
    });
    setText(sentence, queue.total === 0 ? 'Nobody waits.'
      : `${peopleOf(queue.total)}, the longest for ${duration(queue.oldest_wait_ms)}.`);
    classes.hidden = queue.total === 0;
    const shown = queue.total === 0 ? [] : known.slice(0, limit);
    syncList(tickets, shown, each => `${each.room} ${each.endpoint}`, ticketRow);
    more.hidden = limit !== SHOWN_ON_FRONT || queue.total <= shown.length;
    setText(more, `All ${number(queue.total)}`);
  }

  async function read() {
    known = (live.overview?.queue.total ?? 1) > 0
      ? (await ask(`/v1/queue?limit=${Math.max(limit, 10)}`, { signal: ended.signal })).tickets : [];
    render();
  }
  repeat(read, READ_MS, ended.signal, error => {
    complaint.hidden = error === null;
    setText(complaint, error?.message ?? '');
  });
  live.addEventListener('overview', render, { signal: ended.signal });
  render();
  return { element, close: () => ended.abort() };
}

export function queueView() {
  return { title: 'Queue', ...queuePanel(100) };
}
