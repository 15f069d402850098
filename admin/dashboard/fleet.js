// The fleet at a glance: one row per bridge, those in trouble first.

import { badgeOf, isOpen, loadLevel } from './bridge_state.js';
import { fleetStrip, loadBar, sparkline } from './charts.js';
import { changeButton, drain, undrain } from './drain.js';
import { h, panel, searchInput, setAttribute, setText, syncList } from './dom.js';
import { count, duration, nickOf, number, peopleOf, percent } from './format.js';
import { rove } from './keys.js';
import { live } from './live.js';
import { bridgeLink } from './places.js';
import { FLAGS, STATES, wordsFor } from './words.js';

const canHover = matchMedia('(hover: hover)'); // A finger leaves its mark behind.
const STRIP_FROM = 9; // With fewer bridges the rows are the strip.

const LEVELS = { bad: 4, warn: 3, info: 2, good: 1, off: 0 };
const byName = (a, b) => nickOf(a.bridge).localeCompare(nickOf(b.bridge), 'en', { numeric: true });
const SORTS = {
  // Twentieths of load: rows do not change places for a breath.
  trouble: (a, b) => LEVELS[badgeOf(b).level] - LEVELS[badgeOf(a).level] ||
    Math.round(20 * b.expected) - Math.round(20 * a.expected) || byName(a, b),
  load: (a, b) => b.expected - a.expected || byName(a, b),
  people: (a, b) => b.participants - a.participants || byName(a, b),
  name: byName
};

/** A number whose unit is the heading of its column, or follows it where there are no columns. */
function withUnit(unit) {
  const value = h('span', {});
  return { element: h('span', { class: `figure ${unit}` }, value, h('span', { class: 'unit' }, ` ${unit}`)),
    update: next => setText(value, number(next)) };
}

function row(bridge) {
  const nick = nickOf(bridge.bridge);
  const badge = h('span', { class: 'badge' });
  const bar = loadBar();
  const load = h('span', { class: 'figure load' });
  const spark = sparkline();
  const people = withUnit('people');
  const conferences = withUnit('conferences');
  const report = h('span', { class: 'figure report' });
  let shown = bridge;
  const act = changeButton('', () => (shown.drain ? undrain(shown) : drain(shown, false)), { class: 'small' });
  const link = bridgeLink(bridge.bridge, { class: 'row-link' });
  const element = h('li', { class: 'bridge' }, h('span', { class: 'who' }, link), badge,
    h('span', { class: 'stress' }, bar.element, load), spark.element, people.element, conferences.element, report,
    act.element);
  element.addEventListener('keydown', event => {
    if (event.key === 'd' && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault(); // Or it is the first letter of the reason.
      act.element.click();
    }
  });
  return {
    element,
    update(next) {
      shown = next;
      const { level, text } = badgeOf(next);
      setText(badge, text);
      setAttribute(badge, 'data-level', level);
      const flags = next.flags.map(flag => wordsFor(FLAGS, flag));
      setAttribute(badge, 'title', [wordsFor(STATES, next.state), ...flags].join('; '));
      setAttribute(element, 'data-level', level);
      bar.update(next.expected, next.limit);
      setText(load, percent(next.expected));
      setAttribute(load, 'title', `limit ${percent(next.limit)}`);
      setAttribute(load, 'data-level', loadLevel(next.expected, next.limit));
      spark.update(live.load?.bridges[nick] ?? [], next.expected, next.limit);
      people.update(next.participants);
      conferences.update(next.conferences);
      setText(report, next.report_age_ms === null ? 'no report' : `${duration(next.report_age_ms)} old`);
      setText(act.element, next.drain ? 'Undrain…' : 'Drain…');
      setAttribute(act.element, 'aria-label', `${next.drain ? 'Undrain' : 'Drain'} ${nick}…`);
      act.update();
      setAttribute(link, 'aria-label', `${nick}, ${text}, load ${percent(next.expected)} of limit ${percent(next.limit)}, ` +
        peopleOf(next.participants));
    }
  };
}

function strip() {
  const picture = fleetStrip();
  const caption = h('figcaption', {});
  return {
    element: h('figure', { class: 'fleet-strip' }, picture.element, caption),
    update(bridges) {
      const open = bridges.filter(isOpen);
      const number = level => open.filter(bridge => loadLevel(bridge.expected, bridge.limit) === level).length;
      const mean = open.reduce((sum, bridge) => sum + bridge.expected, 0) / (open.length || 1);
      const text = `${open.length} of ${count(bridges.length, 'bridge')} take new meetings; mean load ${percent(mean)}; ` +
        `${number('near')} near the limit, ${number('over')} over it`;
      picture.update(bridges, `Load of every bridge, highest first. ${text}.`);
      setText(caption, `${text}. Each column is a bridge, the line is its limit.`);
    }
  };
}

export function fleetPanel() {
  const list = h('ol', { class: 'bridges' });
  const roving = rove(list);
  const overviewStrip = strip();
  const filter = searchInput('Filter bridges', () => render());
  const sort = h('select', { 'aria-label': 'Order of the bridges', onchange: () => render(true) },
    Object.keys(SORTS).map(key => h('option', { value: key }, `by ${key}`)));
  const total = h('span', { class: 'hint', role: 'status' });
  const empty = h('p', { class: 'empty' });
  const heads = ['bridge', 'state', 'load │ limit', 'last hour', 'people', 'conferences', 'report', '']
    .map(text => h('span', {}, text));
  const element = panel('Fleet', { className: 'fleet', tools: [total, filter, sort] },
    overviewStrip.element, h('div', { class: 'bridge heads', 'aria-hidden': 'true' }, heads), list, empty);

  /** Rows stay where they are while somebody points at them or is among them with the keyboard. */
  const isHeld = () => list.matches(canHover.matches ? ':hover, :focus-within' : ':focus-within');

  function render(anew = false) {
    const { bridges = [] } = live.overview ?? {};
    const wanted = filter.value.trim().toLowerCase();
    const textsOf = bridge => [bridge.bridge, bridge.region, bridge.version, badgeOf(bridge).text];
    const matching = bridges.filter(
      bridge => wanted === '' || textsOf(bridge).some(text => text?.toLowerCase().includes(wanted)));
    syncList(list, matching.sort(SORTS[sort.value]), bridge => bridge.bridge, row, isHeld() && !anew);
    roving.refresh();
    overviewStrip.element.hidden = bridges.length < STRIP_FROM;
    overviewStrip.update(bridges);
    setText(total, matching.length === bridges.length ? count(bridges.length, 'bridge')
      : `${matching.length} of ${bridges.length}`);
    empty.hidden = matching.length > 0;
    setText(empty, live.overview === null ? 'Nothing has been read yet.' : bridges.length > 0 ? 'No bridge matches.'
      : 'No bridge has been seen yet. Bridges appear when they enter the brewery.');
  }
  return { element, render };
}
