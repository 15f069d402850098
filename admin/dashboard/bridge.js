// One bridge: what it carries, what it carried, and taking it out of service.

import { ask, withQuery } from './api.js';
import { access } from './access.js';
import { badgeOf } from './bridge_state.js';
import { loadBar, timeChart } from './charts.js';
import { conferenceList } from './conferences.js';
import { changeButton, drain, drainProgress, undrain } from './drain.js';
import { h, named, panel, setAttribute, setText, syncList } from './dom.js';
import { duration, finePercent, known, nickOf, number, peopleIn, percent } from './format.js';
import { live, repeat } from './live.js';
import { crumbs, routes } from './places.js';
import { FLAGS, STATES, wordsFor } from './words.js';
import { decisionCard, decisionKey } from './why.js';

const HISTORY_MS = 30_000;
const DECISIONS_MS = 5000;
const SPANS = { hour: { hours: 1, step: 60 }, day: { hours: 24, step: 900 } };

const FACTS = [
  ['expected load', bridge => percent(bridge.expected), 'last report plus what it cannot contain yet'],
  ['limit', bridge => percent(bridge.limit), 'above it nobody joins'],
  ['reported load', bridge => percent(bridge.reported)],
  ['age of the report', bridge => duration(bridge.report_age_ms)],
  ['trust in the report', bridge => `${percent(bridge.confidence)} (${bridge.confidence_level})`],
  ['reserved', bridge => percent(bridge.reserved), 'for meetings that are expected to grow'],
  ['capacity', bridge => percent(bridge.capacity), 'below 100 % after it died while busy'],
  ['people', bridge => number(bridge.participants)],
  ['conferences', bridge => number(bridge.conferences)],
  ['unanswered', bridge => number(bridge.in_flight), 'allocations it has not answered'],
  ['cost of a unit', bridge => finePercent(bridge.cost_per_unit), 'load of one person of a meeting of ten'],
  ['version', bridge => bridge.version ?? '–'],
  ['region', bridge => bridge.region ?? '–'],
  ['relay', bridge => bridge.relay_id ?? '–']
];

function factList() {
  const values = FACTS.map(() => h('dd', {}));
  return {
    element: h('dl', { class: 'facts' },
      FACTS.map(([name, , title], index) => h('div', { title }, h('dt', {}, name), values[index]))),
    update: bridge => FACTS.forEach(([, text], index) => setText(values[index], text(bridge)))
  };
}

function actions(shown) {
  const buttons = {
    drain: changeButton('Drain…', () => drain(shown(), false)),
    evacuate: changeButton('Evacuate…', () => drain(shown(), true), { class: 'danger' }),
    undrain: changeButton('Undrain…', () => undrain(shown()), { class: 'primary' })
  };
  const refusal = h('p', { class: 'hint' });
  return {
    element: h('div', { class: 'actions' }, Object.values(buttons).map(button => button.element), refusal),
    update(bridge) {
      buttons.drain.element.hidden = bridge.drain !== null && !bridge.drain?.evacuate;
      setText(buttons.drain.element, bridge.drain?.evacuate ? 'Only drain…' : 'Drain…');
      buttons.evacuate.element.hidden = Boolean(bridge.drain?.evacuate);
      buttons.undrain.element.hidden = !bridge.drain;
      Object.values(buttons).forEach(button => button.update());
      setText(refusal, access.refusal('operate'));
    }
  };
}

function historyPanel(nick, limitOf, signal) {
  const loads = timeChart(190);
  const people = timeChart(120);
  const complaint = h('p', { class: 'complaint', hidden: true });
  let span = 'hour';

  async function read() {
    const { hours, step } = SPANS[span];
    const asked = span;
    const now = new Date(live.overview?.at ?? Date.now());
    const from = new Date(now - hours * 3600_000).toISOString();
    const query = { from, to: now.toISOString(), step };
    const { points } = await ask(withQuery(routes.bridge(nick, 'history'), query), { signal });
    if (asked !== span) {
      return;
    }
    const times = points.map(point => Date.parse(point.at));
    const whole = { from: Date.parse(from), to: now.getTime(), times };
    const spread = values => {
      const all = values.filter(known);
      return all.length ? `between ${percent(Math.min(...all))} and ${percent(Math.max(...all))}` : 'not recorded';
    };
    loads.update({
      ...whole, limit: limitOf(), format: percent, least: 1,
      label: `Load of ${nick} in the last ${span}: ${spread(points.map(point => point.stress_max))}`,
      series: [{ label: 'highest', className: 'a', values: points.map(point => point.stress_max) },
        { label: 'mean', className: 'b', values: points.map(point => point.stress_mean) }]
    });
    people.update({
      ...whole, format: number, least: 5, label: `People on ${nick} in the last ${span}`,
      series: [{ label: 'people', className: 'c', values: points.map(point => point.endpoints_max) }]
    });
  }
  const failed = error => {
    complaint.hidden = error === null;
    setText(complaint, error?.message ?? '');
  };
  const choice = h('div', { class: 'choice', role: 'group', 'aria-label': 'Time shown' }, Object.keys(SPANS).map(name =>
    h('button', {
      type: 'button', 'aria-pressed': String(name === span), onclick: event => {
        span = name;
        for (const each of choice.children) {
          each.setAttribute('aria-pressed', String(each === event.target));
        }
        read().catch(failed);
      }
    }, `Last ${name}`)));
  repeat(read, HISTORY_MS, signal, failed);
  return {
    element: panel('What it reported', { tools: choice }, complaint, loads.element, people.element),
    close() {
      loads.close();
      people.close();
    }
  };
}

function decisionsPanel(nick, signal) {
  const list = h('ol', { class: 'decisions' });
  const status = h('p', { class: 'hint' });
  repeat(async () => {
    const { decisions } = await ask(withQuery('/v1/decisions', { bridge: nick, limit: 10 }), { signal });
    const card = decision => ({ element: decisionCard(decision, { withWho: true, open: false }), update() {} });
    syncList(list, decisions, decisionKey, card);
    setText(status, decisions.length === 0 ? 'Nobody was placed here lately.' : '');
  }, DECISIONS_MS, signal, error => error && setText(status, error.message));
  return panel('Placed here lately', {}, status, list);
}

export function bridgeView(nick) {
  const ended = new AbortController();
  let shown = null;
  const badge = h('span', { class: 'badge' });
  const words = h('p', {});
  const bar = loadBar();
  const facts = factList();
  const progress = drainProgress();
  const buttons = actions(() => shown);
  const missing = h('p', { class: 'complaint', hidden: true }, 'No bridge of this name is known.');
  const body = h('div', {}, words, h('span', { class: 'stress wide' }, bar.element), buttons.element, progress.element,
    facts.element);
  const history = historyPanel(nick, () => shown?.limit, ended.signal);
  const conferences = conferenceList(() => ({ bridge: nick }), false);

  function render() {
    shown = live.overview?.bridges.find(bridge => nickOf(bridge.bridge) === nick) ?? null;
    missing.hidden = shown !== null || live.overview === null;
    body.hidden = shown === null;
    if (shown === null) {
      return;
    }
    const { level, text } = badgeOf(shown);
    setText(badge, text);
    setAttribute(badge, 'data-level', level);
    setText(words, [
      shown.present ? wordsFor(STATES, shown.state) : 'not in the brewery',
      ...shown.flags.map(flag => wordsFor(FLAGS, flag)),
      `${percent(shown.expected)} of ${percent(shown.limit)}`, peopleIn(shown)
    ].join(' · '));
    bar.update(shown.expected, shown.limit);
    facts.update(shown);
    progress.update(shown.drain ?? null, live.overview.at);
    buttons.update(shown);
  }
  live.addEventListener('overview', render, { signal: ended.signal });
  access.addEventListener('change', render, { signal: ended.signal });
  render();
  return {
    title: nick,
    element: h('div', {}, crumbs(h('a', { href: '#/' }, 'Fleet')), h('div', { class: 'pair' }, h('div', { class: 'side' },
      panel(named(nick), { tools: badge }, missing, body), panel('Conferences on it', {}, conferences.element)),
    h('div', { class: 'side' }, history.element, decisionsPanel(nick, ended.signal)))),
    close() {
      ended.abort();
      history.close();
      conferences.close();
    }
  };
}
