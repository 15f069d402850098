// Why somebody is where they are: the decisions, with the figures they were made with.

import { ask, withQuery } from './api.js';
import { loadBar } from './charts.js';
import { h, named, panel, setText, syncList } from './dom.js';
import { clock, count, decimal, duration, finePercent, number, peopleOf, percent } from './format.js';
import { repeat } from './live.js';
import { bridgeLink, crumbs, personLink, roomLink, routes } from './places.js';
import { CLASSES, KINDS, PEOPLE_STATES, RULES, WAITS, wordsFor } from './words.js';

const READ_MS = 5000;

// What each column is, for people and as its heading.
const COLUMNS = [
  ['reported', each => percent(each.reported), 'the load the bridge itself told'],
  ['report’s age', each => duration(each.report_age_ms), 'how old that was'],
  ['reserved', each => percent(each.reserved), 'kept for meetings there that are expected to grow'],
  ['cost of a unit', each => finePercent(each.cost_per_unit), 'load of one person of a meeting of ten, as learned'],
  ['capacity', each => percent(each.capacity), 'below 100 % after it died while busy'],
  ['load units', each => decimal(each.load_units, 1), 'what we have counted on it'],
  ['not yet reported', each => decimal(each.unaccounted_units, 1), 'units placed that the report cannot contain yet'],
  ['unanswered', each => number(each.in_flight), 'allocations it has not answered'],
  ['pace', each => number(each.tokens), 'placements it could take at once']
];

function candidateRow(each, decision) {
  const bar = loadBar();
  bar.update(each.expected, decision.limit);
  const chosen = each.bridge === decision.bridge;
  const [level, verdict] = chosen ? ['good', '✓ chosen'] : each.fits ? ['info', 'would fit'] : ['off', 'no room'];
  return h('tr', { class: chosen ? 'chosen' : '' }, h('th', { scope: 'row' }, bridgeLink(each.bridge)),
    h('td', { 'data-head': 'verdict' }, h('span', { class: 'badge', 'data-level': level }, verdict)),
    h('td', { 'data-head': 'expected load' },
      h('span', { class: 'stress' }, bar.element, h('span', { class: 'figure' }, percent(each.expected)))),
    COLUMNS.map(([head, text, title]) => h('td', { class: 'figure', 'data-head': head, title }, text(each))));
}

function candidates(decision) {
  if (decision.candidates.length === 0) {
    return h('p', { class: 'hint' }, 'No bridge was looked at.');
  }
  return h('div', { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'Bridges as they were' },
    h('table', { class: 'candidates cards' }, h('caption', { class: 'unseen' }, 'Bridges as they were at that moment'),
      h('thead', {}, h('tr', {}, ['bridge', '', 'expected load'].map(text => h('th', { scope: 'col' }, text)),
        COLUMNS.map(([head, , title]) => h('th', { scope: 'col', title }, head)))),
      h('tbody', {}, decision.candidates.map(each => candidateRow(each, decision)))));
}

function surroundings(decision) {
  return [
    decision.kind === 'join' ? wordsFor(CLASSES, decision.class) : wordsFor(KINDS, decision.kind),
    `${peopleOf(decision.people)} in the meeting before`,
    `limit ${percent(decision.limit)}`,
    `${number(decision.looked_at)} of ${count(decision.open_bridges, 'open bridge')} looked at`,
    decision.settling && 'limits were lower: the link was new',
    decision.fleet_full && 'hardly any bridge had room',
    decision.earlier_process && 'decided by the process before: only the chosen bridge was kept'
  ].filter(Boolean).join(' · ');
}

/** One decision; `withWho` names the person, for lists about a bridge. */
export function decisionCard(decision, { withWho = false, open = true } = {}) {
  const who = withWho && [personLink(decision.room, decision.endpoint), ': '];
  const headline = decision.bridge
    ? ['placed on ', bridgeLink(decision.bridge), ` after ${duration(decision.waited_ms)}`]
    : [`had to wait, so far ${duration(decision.waited_ms)}`];
  const reason = decision.bridge ? wordsFor(RULES, decision.rule) : wordsFor(WAITS, decision.wait);
  return h('li', { class: 'decision' },
    h('p', {}, h('time', { datetime: decision.at, title: decision.at }, clock(decision.at)), ' ', who, headline),
    h('p', { class: 'reason' }, `${reason} `, h('code', {}, decision.rule ?? decision.wait ?? '')),
    h('details', { open }, h('summary', {}, 'The figures as they were'),
      h('p', { class: 'hint' }, surroundings(decision)), candidates(decision)));
}

export const decisionKey = decision => `${decision.earlier_process} ${decision.number} ${decision.at}`;

function placeOf(person) {
  if (person === null) {
    return ['Not in the conference any more.'];
  }
  const state = wordsFor(PEOPLE_STATES, person.state);
  return person.bridge ? [h('strong', {}, 'On ', bridgeLink(person.bridge)), ` since ${clock(person.placed_at)}: ${state}.`]
    : [h('strong', {}, 'On no bridge'), `: ${state}.`];
}

export function whyView(room, endpoint) {
  const sentence = h('p', { class: 'answer' });
  const list = h('ol', { class: 'decisions' });
  const status = h('p', { class: 'hint' });
  const ended = new AbortController();

  const past = withQuery('/v1/decisions', { room, endpoint, limit: 20 });

  /** Who has left has decisions still; who is there has more to say. */
  async function person() {
    try {
      return await ask(routes.participant(room, endpoint), { signal: ended.signal });
    } catch (error) {
      if (error.status === 404) {
        return null;
      }
      throw error;
    }
  }

  async function read() {
    const now = await person();
    const decisions = now?.decisions ?? (await ask(past, { signal: ended.signal })).decisions;
    sentence.replaceChildren(...placeOf(now));
    // The newest is open; what has been opened or closed stays so, because a card is made once.
    syncList(list, decisions, decisionKey, decision => ({
      element: decisionCard(decision, { open: decision === decisions[0] }), update() {}
    }));
    setText(status, decisions.length === 0 ? 'No decision about it is known; the store keeps the newest 10 000.'
      : `${count(decisions.length, 'decision')}, newest first.`);
  }
  repeat(read, READ_MS, ended.signal, error => error && setText(status, error.message));
  return {
    title: `Why is ${endpoint} there?`,
    element: h('div', {}, crumbs(roomLink(room)),
      panel(h('span', {}, 'Why is ', named(endpoint), ' there?'), {}, sentence, status, list)),
    close: () => ended.abort()
  };
}
