// Searching conferences, and one of them: who is where, since when, and why.

import { ask, withQuery } from './api.js';
import { h, named, setText, syncList } from './dom.js';
import { clock, count, known, nickOf, number, roomName, since } from './format.js';
import { rove } from './keys.js';
import { live, repeat } from './live.js';
import { MEETING_STATES, PEOPLE_STATES, RULES, WAITS, wordsFor } from './words.js';

const READ_MS = 5000;
const PAGE = 50;

const bridgeLink = bridge => h('a', { href: `#/bridges/${encodeURIComponent(nickOf(bridge))}` }, named(nickOf(bridge)));

function conferenceRow(conference) {
  const people = h('span', { class: 'figure' });
  const where = h('span', { class: 'where' });
  const created = h('span', { class: 'figure' });
  const state = h('span', { class: 'state' });
  return {
    element: h('li', { class: 'conference' },
      h('a', { class: 'row-link', href: `#/conferences/${encodeURIComponent(conference.room)}` },
        named(roomName(conference.room), { title: conference.room })), people, where, state, created),
    update(next) {
      setText(people, count(next.participants, 'person', 'people'));
      setText(where, next.bridges.length === 0 ? 'on no bridge'
        : next.bridges.map(each => `${nickOf(each.bridge)} ${each.participants}`).join(', '));
      setText(state, next.state === 'active' ? '' : wordsFor(MEETING_STATES, next.state));
      setText(created, `for ${since(next.created_at, live.overview?.at ?? new Date())}`);
    }
  };
}

/** A list of conferences in pages; `query()` says which. `ofAll`: whether it matters how many there are in all. */
export function conferenceList(query, ofAll = true) {
  const list = h('ol', { class: 'conferences' });
  const roving = rove(list);
  const status = h('p', { class: 'hint', role: 'status' });
  const more = h('button', { type: 'button', hidden: true, onclick: () => read(true) }, 'More');
  const ended = new AbortController();
  let shown = [];
  let next = null;
  let asked = 0;

  async function read(onward = false) {
    const mine = ++asked;
    const found = [];
    let after = onward ? next : null;
    let answer;
    do { // A page is short when the daemon has looked at many in vain; it goes on when asked.
      answer = await ask(withQuery('/v1/conferences', { ...query(), limit: PAGE - found.length, after }), { signal: ended.signal });
      if (mine !== asked) {
        return; // Something else is wanted by now.
      }
      found.push(...answer.conferences);
      after = answer.next;
    } while (after !== null && found.length < PAGE);
    shown = onward ? [...shown, ...found] : found;
    next = after;
    syncList(list, shown, each => each.room, conferenceRow);
    roving.refresh();
    more.hidden = next === null;
    const beyond = next === null ? '' : ' and more';
    setText(status, shown.length === 0 ? (ofAll ? `None of ${count(answer.total, 'conference')}.` : 'None.')
      : ofAll ? `${number(shown.length)}${beyond} of ${count(answer.total, 'conference')}` : `${count(shown.length, 'conference')}${beyond}`);
  }
  const failed = error => error && setText(status, error.message);
  // Who has paged further reads in peace.
  repeat(() => (shown.length <= PAGE ? read() : undefined), READ_MS, ended.signal, failed);
  return {
    element: h('div', {}, status, list, more),
    again: () => {
      shown = [];
      read().catch(failed);
    },
    close: () => ended.abort()
  };
}

export function conferencesView({ search = '' }) {
  const input = h('input', { type: 'search', value: search, 'aria-label': 'Part of a room’s name', placeholder: 'Part of a room’s name' });
  const list = conferenceList(() => ({ search: input.value.trim() }));
  let timer = 0;
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      history.replaceState(null, '', withQuery('#/conferences', { search: input.value.trim() }));
      list.again();
    }, 200);
  });
  return {
    title: 'Conferences',
    element: h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Conferences'), h('span', { class: 'tools' }, input)), list.element),
    close: list.close
  };
}

function whyWords(person) {
  if (person.waiting) {
    return `Waits: ${wordsFor(WAITS, typeof person.waiting === 'string' ? person.waiting : person.waiting.why)}`;
  }
  return person.rule ? wordsFor(RULES, person.rule) : '–';
}

function personRow(room, person) {
  const where = h('td', { 'data-head': 'bridge' });
  const state = h('td', { 'data-head': 'state' });
  const placed = h('td', { class: 'figure', 'data-head': 'there since' });
  const joined = h('td', { class: 'figure', 'data-head': 'in the room since' });
  const why = h('td', { 'data-head': 'why' });
  const link = h('a', { href: `#/why/${encodeURIComponent(room)}/${encodeURIComponent(person.endpoint)}` });
  why.append(link);
  let bridge;
  return {
    element: h('tr', {}, h('th', { scope: 'row' }, named(person.stats_id ? `${person.endpoint} (${person.stats_id})` : person.endpoint)),
      where, state, placed, joined, why),
    update(next) {
      if (next.bridge !== bridge) {
        bridge = next.bridge;
        where.replaceChildren(bridge ? bridgeLink(bridge) : '–');
      }
      const kind = [next.role, next.kind].filter(each => known(each) && !['participant', 'user'].includes(each)).join(', ');
      setText(state, wordsFor(PEOPLE_STATES, next.state) + (kind ? `; ${kind}` : ''));
      setText(placed, clock(next.placed_at));
      setText(joined, clock(next.joined_at));
      setText(link, whyWords(next));
    }
  };
}

export function conferenceView(room) {
  const facts = h('p', {});
  const places = h('p', {});
  const body = h('tbody', {});
  const complaint = h('p', { class: 'complaint', hidden: true });
  const ended = new AbortController();
  const heads = ['person', 'bridge', 'state', 'there since', 'in the room since', 'why there'];
  const table = h('table', { class: 'people cards' }, h('caption', { class: 'unseen' }, 'People in the conference'),
    h('thead', {}, h('tr', {}, heads.map(text => h('th', { scope: 'col' }, text)))), body);

  async function read() {
    const conference = await ask(`/v1/conferences/${encodeURIComponent(room)}`, { signal: ended.signal });
    const pin = conference.pin ? ` · pinned to version ${conference.pin.version ?? conference.pin}` : '';
    setText(facts, `${wordsFor(MEETING_STATES, conference.state)} · since ${clock(conference.created_at)} · ` +
      `${count(conference.participants.length, 'person', 'people')}${pin}${conference.meeting_id ? ` · meeting ${conference.meeting_id}` : ''}`);
    places.replaceChildren(...conference.bridges.flatMap(({ bridge, participants }, index) =>
      [index > 0 ? ' · ' : '', bridgeLink(bridge), ` ${count(participants, 'person', 'people')}`]));
    syncList(body, conference.participants, each => each.endpoint, person => personRow(room, person));
    table.hidden = conference.participants.length === 0;
  }
  repeat(read, READ_MS / 2, ended.signal, error => {
    complaint.hidden = error === null;
    setText(complaint, error?.status === 404 ? 'There is no such conference now.' : error?.message ?? '');
  });
  return {
    title: roomName(room),
    element: h('section', { class: 'panel' }, h('p', { class: 'crumbs' }, h('a', { href: '#/conferences' }, 'Conferences')),
      h('h2', {}, named(roomName(room), { title: room })), h('p', { class: 'hint' }, named(room)), complaint, facts, places, table),
    close: () => ended.abort()
  };
}
