// One sentence that says what is wrong and what to do; the most serious first. Nothing here touches the page.

import { badgeOf, isOpen, isOver } from './bridge_state.js';
import { count, duration, nickOf, percent, visible } from './format.js';
import { LINKS, OVERLOADS, wordsFor } from './words.js';

const WAIT_NOTICED_MS = 10_000;

// Reasons of /readyz that have a sentence of their own below, made of other figures.
const TOLD_ABOVE = ['client_link_down', 'service_link_down', 'requests_link_down', 'no_bridge', 'settling',
  'stats_blind'];
const PROBLEMS = {
  proxy_unaware: ['The server’s client proxy does not know us', 'See “client-proxy” in the manual.'],
  not_in_brewery: ['We are not in the brewery, so no bridge is seen', 'See that the room exists and lets us in (admins).'],
  rooms_refused: ['The server refuses us rooms', 'See that our user is in “admins” of the MUC component.'],
  conference_poisoned: ['A conference brought processes down and is left out',
    'Report the log of the crashes; the others go on.'],
  commit_degraded: ['Changes leave before they are durable: the disk is slow or fails',
    'See the disk. Conferences go on; a crash now would lose what was not written.'],
  store_stalled: ['The disk does not answer', 'See what else uses it. Conferences go on; do not kill the process now.'],
  store_failing: ['The store cannot be written', 'Free or replace the disk. A crash now would lose what was not written.'],
  store_damaged: ['A file of the state directory is damaged',
    '“basculectl stats health” says what to do; do it before a restart.'],
  ha_alone: ['There is no standby that knows everything', 'Start the other process, or see its log.'],
  shutting_down: ['The process is ending', 'Another one goes on, or start it.']
};

function names(bridges) {
  const shown = bridges.slice(0, 3).map(bridge => nickOf(bridge.bridge));
  return bridges.length > shown.length ? `${shown.join(', ')} and ${bridges.length - shown.length} more`
    : shown.join(', ');
}

const bridgePlace = bridge => `#/bridges/${encodeURIComponent(nickOf(bridge))}`; // places.js needs a page; this does not.
const linkTo = bridges => (bridges.length === 1 ? bridgePlace(bridges[0].bridge) : '#/');

function ofLinks({ links = [] }) {
  return links.filter(link => !link.up).map(({ link, address }) => ({
    level: 'bad',
    text: `The ${wordsFor(LINKS, link)} is down.`,
    action: `See whether the XMPP server answers${address ? `, and ${address} may log in` : ''}; the events say why ` +
      '(link.refused, link.lost). Meetings that run keep their media.',
    href: '#/events'
  }));
}

function ofFleet({ bridges, mode, overload }) {
  const found = [];
  const failed = bridges.filter(bridge => badgeOf(bridge).level === 'bad');
  if (mode !== 'service_down' && mode !== 'settling' && !bridges.some(isOpen)) {
    found.push({
      level: 'bad',
      text: bridges.some(bridge => bridge.present) ? 'No bridge takes new conferences.' : 'No bridge is there.',
      action: 'Start a bridge, or undrain one. See that bridges can enter the brewery.',
      href: '#/'
    });
  }
  if (failed.length > 0) {
    found.push({
      level: 'bad',
      text: failed.length === 1 ? `${names(failed)} is in trouble: ${badgeOf(failed[0]).text}.`
        : `${failed.length} bridges are in trouble: ${names(failed)}.`,
      action: `People on ${failed.length === 1 ? 'it' : 'them'} are moved, paced. See the log of the bridge; drain it ` +
        'if it comes and goes.',
      href: linkTo(failed)
    });
  }
  const over = bridges.filter(isOver);
  if (over.length > 0) {
    found.push({
      level: 'warn',
      text: `${names(over)} ${over.length === 1 ? 'is over its' : 'are over their'} limit.`,
      action: 'Nobody new is placed there. Add bridges if it lasts.',
      href: linkTo(over)
    });
  }
  if (mode === 'settling') {
    found.push({
      level: 'warn',
      text: 'Settling: the service link is new and bridges are still arriving.',
      action: 'Wait a minute; meetings wait for the bridge they had.',
      href: '#/'
    });
  } else if (overload !== 'none' && bridges.some(isOpen)) {
    found.push({ level: 'bad', text: `Overload: ${wordsFor(OVERLOADS, overload)}.`,
      action: 'Add bridges, or undrain one. Meetings that run go on.', href: '#/queue' });
  }
  return found;
}

function ofQueue({ queue, bridges }) {
  if (queue.total === 0 || queue.oldest_wait_ms < WAIT_NOTICED_MS) {
    return [];
  }
  const draining = bridges.filter(bridge => bridge.drain && !bridge.drain.done).length;
  return [{
    level: queue.by_class.displaced > 0 ? 'bad' : 'warn',
    text: `${count(queue.total, 'person waits', 'people wait')} for a place, the longest for ` +
      `${duration(queue.oldest_wait_ms)}.`,
    action: draining > 0 ? 'See why they wait. Undrain a bridge, or add one.'
      : 'See why they wait. Add bridges if it is room that lacks.',
    href: '#/queue'
  }];
}

function ofStats({ stats }) {
  const found = [];
  if (stats.blind !== 'none') {
    const silent = `${stats.blind_bridges} of ${count(stats.bridges, 'bridge')}`;
    found.push({
      level: stats.blind === 'partly' ? 'warn' : 'bad',
      text: `${silent} ${stats.blind_bridges === 1 ? 'tells' : 'tell'} no load: our own counts decide.`,
      action: 'See whether bridges publish their stats, in the brewery or on the pubsub node.',
      href: '#/'
    });
  }
  return found;
}

function ofDrains({ bridges }) {
  const drains = bridges.filter(bridge => bridge.drain).map(bridge => bridge.drain);
  const stuck = drains.filter(drain => drain.stuck > 0);
  const found = stuck.map(drain => ({
    level: 'warn',
    text: `${count(drain.stuck, 'person', 'people')} cannot leave ${nickOf(drain.bridge)}: there is no room elsewhere.`,
    action: 'Add a bridge, or undrain one; they keep their media meanwhile.',
    href: bridgePlace(drain.bridge)
  }));
  const open = drains.filter(drain => !drain.done);
  if (open.length > 0) {
    const left = open.reduce((sum, drain) => sum + drain.participants, 0);
    found.push({
      level: 'info',
      text: `${names(open)} ${open.length > 1 ? 'drain' : open[0].evacuate ? 'is being evacuated' : 'drains'}: ` +
        `${count(left, 'person is', 'people are')} left there.`,
      action: '',
      href: linkTo(open)
    });
  }
  return found;
}

/** What `problems` says (`reason` or `reason: detail`) that nothing above has said already. */
function ofReadiness({ ready, problems = [] }) {
  const untold = problems.filter(problem => !TOLD_ABOVE.some(reason => problem.startsWith(reason)));
  return untold.map(problem => {
    const [reason, ...details] = problem.split(': ');
    const [what, action] = PROBLEMS[reason] ?? [`${ready ? 'Problem' : 'Not ready'}: ${reason}`,
      'The section “Health” of the manual tells each reason.'];
    return {
      level: ready && !reason.startsWith('store_') ? 'warn' : 'bad',
      text: `${[what, ...details.map(visible)].join(': ')}.`, action, href: '#/events'
    };
  });
}

const ORDER = { bad: 0, warn: 1, info: 2, good: 3 };

/** What an operator should know, the most urgent first; never empty. { level: bad|warn|info|good, text, action, href } */
export function findings(overview) {
  const found = [...ofLinks(overview), ...ofReadiness(overview), ...ofFleet(overview), ...ofQueue(overview),
    ...ofStats(overview), ...ofDrains(overview)];
  found.sort((a, b) => ORDER[a.level] - ORDER[b.level]);
  if (found.length === 0 || found[0].level === 'info') {
    const present = overview.bridges.filter(bridge => bridge.present);
    const fullest = present.reduce((most, bridge) => Math.max(most, bridge.expected), 0);
    found.unshift({
      level: 'good',
      text: overview.participants === 0
        ? `All is well: ${count(present.length, 'bridge')} ready, nobody is in a meeting.`
        : `All is well: ${count(present.length, 'bridge')}, the fullest at ${percent(fullest)}; ` +
          `${overview.queue.total === 0 ? 'nobody waits' : `${overview.queue.total} on their way`}.`,
      action: '',
      href: ''
    });
  }
  return found;
}
