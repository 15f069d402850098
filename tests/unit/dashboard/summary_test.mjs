import assert from 'node:assert/strict';
import { test } from 'node:test';

import { badgeOf, isOpen, loadLevel } from '../../../admin/dashboard/bridge_state.js';
import { duration, nickOf, roomName, visible } from '../../../admin/dashboard/format.js';
import { findings } from '../../../admin/dashboard/summary.js';

const bridge = (number, changes = {}) => ({
  bridge: `brewery@internal.example/jvb${number}`, state: 'fresh', present: true, flags: [], expected: 0.4, limit: 0.9,
  participants: 40, conferences: 5, drain: null, ...changes
});

const overview = (changes = {}) => ({
  ready: true, problems: [], mode: 'normal', overload: 'none',
  queue: { total: 0, by_class: { displaced: 0, joins_live: 0, first: 0 }, oldest_wait_ms: 0 },
  conferences: 10, participants: 80,
  links: ['client', 'service', 'requests'].map(link => ({ link, up: true, address: `${link}.example` })),
  stats: { blind: 'none', bridges: 2, blind_bridges: 0, node: 'off', store: 'ok' },
  bridges: [bridge(1), bridge(2)], ...changes
});

const textsOf = state => findings(state).map(each => `${each.level}: ${each.text}`);

test('nothing is wrong: one sentence with the fullest bridge', () => {
  assert.deepEqual(textsOf(overview({ bridges: [bridge(1), bridge(2, { expected: 0.61 })] })),
    ['good: All is well: 2 bridges, the fullest at 61 %; nobody waits.']);
  assert.match(textsOf(overview({ participants: 0 }))[0], /2 bridges ready, nobody is in a meeting/);
});

test('a link that is down comes before what is only worth watching', () => {
  const state = overview({ bridges: [bridge(1, { expected: 0.95 }), bridge(2)], ready: false, problems: ['client_link_down'] });
  state.links[0].up = false;
  assert.deepEqual(textsOf(state), ['bad: The client link (rooms) is down.', 'warn: jvb1 is over its limit.']);
});

test('a bridge in trouble is named with what it has, and leads to its page', () => {
  const [first] = findings(overview({ bridges: [bridge(1), bridge(2, { state: 'failed', flags: ['suspect'] })] }));
  assert.equal(first.text, 'jvb2 is in trouble: no answer.');
  assert.equal(first.href, '#/bridges/jvb2');
});

test('of many only the first are named', () => {
  const failed = [1, 2, 3, 4, 5].map(number => bridge(number, { state: 'failed' }));
  assert.equal(textsOf(overview({ bridges: [...failed, bridge(6)] }))[0],
    'bad: 5 bridges are in trouble: jvb1, jvb2, jvb3 and 2 more.');
});

test('no bridge takes anybody when all drain; undraining is an answer', () => {
  const drain = number => ({ bridge: `brewery@internal.example/jvb${number}`, evacuate: false, participants: 40, stuck: 0, done: false });
  const found = findings(overview({ bridges: [1, 2].map(number => bridge(number, { flags: ['drain'], drain: drain(number) })) }));
  assert.equal(found[0].text, 'No bridge takes new conferences.');
  assert.match(found[0].action, /undrain/);
  assert.equal(found.at(-1).text, 'jvb1, jvb2 drain: 80 people are left there.');
});

test('who waits for less than ten seconds is no news; who lost media is bad', () => {
  const queue = { total: 3, by_class: { displaced: 0, joins_live: 3, first: 0 }, oldest_wait_ms: 9_000 };
  assert.equal(findings(overview({ queue }))[0].level, 'good');
  assert.deepEqual(textsOf(overview({ queue: { ...queue, oldest_wait_ms: 61_000 } })),
    ['warn: 3 people wait for a place, the longest for 1 min 1 s.']);
  const lost = { total: 1, by_class: { displaced: 1, joins_live: 0, first: 0 }, oldest_wait_ms: 12_000 };
  assert.deepEqual(textsOf(overview({ queue: lost })), ['bad: 1 person waits for a place, the longest for 12 s.']);
});

test('people who cannot leave a drained bridge are told of, and the drain itself', () => {
  const order = { bridge: 'brewery@internal.example/jvb2', evacuate: true, participants: 7, stuck: 2, done: false };
  assert.deepEqual(textsOf(overview({ bridges: [bridge(1), bridge(2, { flags: ['drain'], drain: order })] })), [
    'warn: 2 people cannot leave jvb2: there is no room elsewhere.',
    'info: jvb2 is being evacuated: 7 people are left there.'
  ]);
});

test('problems of readiness: known ones in words, unknown ones as they came, strangers’ text made visible', () => {
  assert.deepEqual(textsOf(overview({ ready: false, problems: ['rooms_refused', 'of_tomorrow'] })),
    ['bad: The server refuses us rooms.', 'bad: Not ready: of_tomorrow.']);
  assert.deepEqual(textsOf(overview({ problems: ['conference_poisoned: a\u202eb@conference.example'] })),
    ['warn: A conference brought processes down and is left out: a‹U+202E›b@conference.example.']);
  assert.equal(textsOf(overview({ problems: ['store_damaged: stats.db: torn'] }))[0],
    'bad: A file of the state directory is damaged: stats.db: torn.');
});

test('badges say the worst first', () => {
  assert.deepEqual(badgeOf(bridge(1)), { level: 'good', text: 'working' });
  assert.equal(badgeOf(bridge(1, { state: 'failed', drain: { done: false, participants: 3 } })).text, 'failed');
  assert.equal(badgeOf(bridge(1, { drain: { done: true, evacuate: true, participants: 0 } })).text, 'evacuated');
  assert.equal(badgeOf(bridge(1, { present: false, state: 'failed' })).text, 'gone');
  assert.equal(badgeOf(bridge(1, { state: 'of_tomorrow' })).text, 'of_tomorrow');
  assert.equal(isOpen(bridge(1, { flags: ['cordoned'] })), false);
  assert.deepEqual([0.5, 0.82, 0.91, null].map(load => loadLevel(load, 0.9)), ['ok', 'near', 'over', 'none']);
});

test('figures and names as people read them', () => {
  assert.deepEqual([0, 340, 9_990, 12_000, 250_000, 1_500_000, 12_000_000, 190_000_000, null].map(duration),
    ['0.0 s', '0.3 s', '10.0 s', '12 s', '4 min 10 s', '25 min', '3 h 20 min', '2 d 4 h', '–']);
  assert.equal(nickOf('a@b/c/d'), 'c/d');
  assert.equal(roomName('x@y@conference.example'), 'x@y');
  assert.equal(visible('a\u0000\u200b\ufeffb'), 'a‹U+0000›‹U+200B›‹U+FEFF›b');
  assert.equal(visible('👩‍👧 سلام'), '👩‍👧 سلام');
});
