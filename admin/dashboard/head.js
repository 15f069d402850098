// The top of the page: what is wrong and what to do, the figures of the whole, how we are connected, who we are.

import { access } from './access.js';
import { h, setAttribute, setText, syncList } from './dom.js';
import { clock, count, duration, number } from './format.js';
import { live } from './live.js';
import { findings } from './summary.js';
import { LINKS, MODES, OVERLOADS, wordsFor } from './words.js';

const MARKS = { bad: '✕', warn: '!', info: 'i', good: '✓' };

const FIGURES = [
  ['Mode', overview => [overview.mode.replace('_', ' '), wordsFor(OVERLOADS, overview.overload),
    overview.overload !== 'none' ? 'bad' : overview.mode === 'normal' ? 'good' : 'warn', wordsFor(MODES, overview.mode)]],
  ['People', overview => [number(overview.participants), `in ${count(overview.conferences, 'conference')}`]],
  ['Waiting', overview => [number(overview.queue.total),
    overview.queue.total > 0 ? `longest ${duration(overview.queue.oldest_wait_ms)}` : 'nobody',
    overview.queue.oldest_wait_ms > 10_000 ? 'bad' : overview.queue.total > 0 ? 'warn' : 'good']],
  ['Links', ({ links = [] }) => {
    const down = links.filter(link => !link.up);
    return down.length === 0 ? [`${links.length} up`, links.map(link => link.link).join(', '), 'good']
      : [`${down.length} down`, down.map(link => wordsFor(LINKS, link.link)).join(', '), 'bad'];
  }],
  ['Stats', ({ stats }) => [stats.blind === 'none' ? 'trusted' : `${stats.blind} blind`,
    `${stats.bridges - stats.blind_bridges} of ${stats.bridges} heard; store ${stats.store}`,
    stats.store !== 'ok' || !['none', 'partly'].includes(stats.blind) ? 'bad' : stats.blind === 'partly' ? 'warn' : 'good']]
];

function figure([name]) {
  const value = h('dd', { class: 'value' });
  const note = h('dd', { class: 'note-text' });
  const element = h('div', { class: 'tile' }, h('dt', {}, name), value, note);
  return {
    element,
    update([, read]) {
      const [text, detail, level = 'none', title] = read(live.overview);
      setText(value, text);
      setText(note, detail);
      setAttribute(element, 'data-level', level);
      setAttribute(element, 'title', title);
    }
  };
}

function finding() {
  const mark = h('span', { class: 'mark-sign', 'aria-hidden': 'true' });
  const text = h('strong', {});
  const action = h('span', { class: 'action' });
  const link = h('a', {}, 'Show');
  const element = h('li', { class: 'finding' }, mark, h('span', {}, text, ' ', action, ' '), link);
  return {
    element,
    update(each) {
      setText(mark, MARKS[each.level]);
      setText(text, each.text);
      setText(action, each.action);
      setAttribute(element, 'data-level', each.level);
      link.hidden = !each.href || each.href === location.hash || (each.href === '#/' && location.hash === '');
      if (each.href) {
        setAttribute(link, 'href', each.href);
      }
    }
  };
}

const STATE_WORDS = {
  starting: ['info', 'Connecting…'],
  live: ['good', 'Live'],
  polling: ['info', 'Every 2 s'],
  standby: ['info', 'Standby'],
  refused: ['bad', 'No access']
};

const staleSince = () => (live.overviewAt ? `Stale since ${clock(live.overviewAt)}: what is below may be wrong.`
  : 'Nothing has been read yet.');

function showConnection(place) {
  const { state } = live;
  const [level, text] = state === 'stale'
    ? ['bad', live.overviewAt ? `Stale since ${clock(live.overviewAt)}` : 'No answer'] : STATE_WORDS[state];
  setText(place, text);
  setAttribute(place, 'data-level', level);
  setAttribute(place, 'title', live.trouble || null);
  document.body.dataset.state = state;
  const stale = document.getElementById('stale');
  stale.hidden = !['stale', 'standby', 'refused'].includes(state);
  setText(stale, {
    refused: 'This page needs a token to show anything. Use “Sign in”.',
    standby: 'This process stands by: another one is active, or none is yet. Ask that one.'
  }[state] ?? `${staleSince()} ${live.trouble || 'The daemon does not answer'}. Trying again.`);
}

function showAccess(button) {
  const role = document.getElementById('role');
  role.hidden = access.role === null;
  setText(role, `${access.role}`);
  setAttribute(role, 'title', `You are ${access.name}, with the role ${access.role}`);
  setText(button, access.declined ? 'Sign in' : 'Sign out');
  button.hidden = !access.declined && !access.token;
  setAttribute(button, 'title', access.token ? 'Forgets the token of this tab' : null);
}

export function startHead() {
  const place = id => document.getElementById(id);

  function render() {
    if (live.overview === null) {
      return;
    }
    const found = findings(live.overview);
    // Screen readers hear the first sentence when it changes, not every second.
    setText(place('said'), found[0].text);
    syncList(place('findings'), found, each => `${each.href} ${each.text.replace(/[0-9.]+/g, '')}`, finding);
    syncList(place('figures'), FIGURES, ([name]) => name, figure);
    setText(place('version'), `${live.overview.version} · up ${duration(live.overview.uptime_s * 1000)}` +
      (live.overview.ha ? ` · ${live.overview.ha.role ?? live.overview.ha.state ?? 'paired'}` : ''));
    showConnection(place('connection'));
  }
  const renderAccess = () => {
    showAccess(place('access'));
    showConnection(place('connection'));
  };
  live.addEventListener('overview', render);
  live.addEventListener('state', () => showConnection(place('connection')));
  access.addEventListener('change', renderAccess);
  window.addEventListener('hashchange', render);
  place('access').addEventListener('click', () => {
    if (access.declined) {
      access.declined = false;
      renderAccess();
    } else {
      access.forget();
      location.reload(); // Ends the stream, and nothing stays on the screen.
    }
  });
  renderAccess();
}
