// Searching conferences, and one of them: who is where, since when, and why.

import { ask, withQuery } from './api.js';
import { h, named, panel, searchInput, setText, syncList } from './dom.js';
import { clock, count, known, nickOf, number, peopleOf, roomName, since } from './format.js';
import { rove } from './keys.js';
import { live, repeat } from './live.js';
import { bridgeLink, crumbs, places, roomLink, routes } from './places.js';
import { MEETING_STATES, PEOPLE_STATES, RULES, WAITS, wordsFor } from './words.js';

const READ_MS = 5000;
const PAGE = 50;

function conferenceRow(conference) {
  const people = h('span', { class: 'figure' });
  const where = h('span', { class: 'where' });
  const created = h('span', { class: 'figure' });
  const state = h('span', { class: 'state' });
  return {
    element: h('li', { class: 'conference' },
      roomLink(conference.room, { class: 'row-link' }), people, where, state, created),
    update(next) {
      setText(people, peopleOf(next.participants));
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
      const wanted = { ...query(), limit: PAGE - found.length, after };
      answer = await ask(withQuery('/v1/conferences', wanted), { signal: ended.signal });
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
    const here = `${shown.length === 0 ? 'None' : number(shown.length)}${next === null ? '' : ' and more'}`;
    setText(status, ofAll ? `${here} of ${count(answer.total, 'conference')}` : here);
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
  const input = searchInput('Part of a name', later, search);
  const list = conferenceList(() => ({ search: input.value.trim() }));
  let timer = 0;

  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      history.replaceState(null, '', withQuery('#/conferences', { search: input.value.trim() }));
      list.again();
    }, 200);
  }
  return { title: 'Conferences', element: panel('Conferences', { tools: input }, list.element), close: list.close };
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
  const link = h('a', { href: places.why(room, person.endpoint) });
  why.append(link);
  const name = named(person.stats_id ? `${person.endpoint} (${person.stats_id})` : person.endpoint);
  let bridge;
  return {
    element: h('tr', {}, h('th', { scope: 'row' }, name), where, state, placed, joined, why),
    update(next) {
      if (next.bridge !== bridge) {
        bridge = next.bridge;
        where.replaceChildren(bridge ? bridgeLink(bridge) : '–');
      }
      const notable = [next.role, next.kind].filter(each => known(each) && !['participant', 'user'].includes(each));
      setText(state, [wordsFor(PEOPLE_STATES, next.state), ...notable].join(', '));
      setText(placed, clock(next.placed_at));
      setText(joined, clock(next.joined_at));
      setText(link, whyWords(next));
    }
  };
}

export function conferenceView(room) {
  const facts = h('p', {});
  const spread = h('p', {});
  const body = h('tbody', {});
  const complaint = h('p', { class: 'complaint', hidden: true });
  const ended = new AbortController();
  const heads = ['person', 'bridge', 'state', 'there since', 'in the room since', 'why there'];
  const table = h('table', { class: 'people cards' }, h('caption', { class: 'unseen' }, 'People in the conference'),
    h('thead', {}, h('tr', {}, heads.map(text => h('th', { scope: 'col' }, text)))), body);

  async function read() {
    const conference = await ask(routes.conference(room), { signal: ended.signal });
    setText(facts, [
      wordsFor(MEETING_STATES, conference.state), `since ${clock(conference.created_at)}`,
      peopleOf(conference.participants.length), conference.pin && `pinned to version ${conference.pin.version}`,
      conference.meeting_id && `meeting ${conference.meeting_id}`
    ].filter(Boolean).join(' · '));
    spread.replaceChildren(...conference.bridges.flatMap(({ bridge, participants }, index) =>
      [index > 0 ? ' · ' : '', bridgeLink(bridge), ` ${peopleOf(participants)}`]));
    syncList(body, conference.participants, each => each.endpoint, person => personRow(room, person));
    table.hidden = conference.participants.length === 0;
  }
  repeat(read, READ_MS / 2, ended.signal, error => {
    complaint.hidden = error === null;
    setText(complaint, error?.status === 404 ? 'There is no such conference now.' : error?.message ?? '');
  });
  return {
    title: roomName(room),
    element: h('div', {}, crumbs(h('a', { href: '#/conferences' }, 'Conferences')),
      panel(named(roomName(room), { title: room }), {}, h('p', { class: 'hint' }, named(room)), complaint, facts,
        spread, table)),
    close: () => ended.abort()
  };
}
