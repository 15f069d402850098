// Draining: the questions before it, the requests, and how far it is.

import { access } from './access.js';
import { ask } from './api.js';
import { isOpen } from './bridge_state.js';
import { openDialog, say } from './dialogs.js';
import { h, setAttribute, setText } from './dom.js';
import { count, nickOf, number, peopleIn, percent, since } from './format.js';
import { live } from './live.js';
import { routes } from './places.js';

const ROLE = 'operate';

/** What the other bridges carry on average now, and would with the load of `bridge`. */
function fitElsewhere(bridge, bridges) {
  const others = bridges.filter(other => other.bridge !== bridge.bridge && isOpen(other));
  const mean = of => others.reduce((total, other) => total + of(other), 0) / (others.length || 1);
  const now = mean(other => other.expected);
  const after = now + bridge.expected / (others.length || 1);
  return { others: others.length, now, after, limit: mean(other => other.limit) };
}

function prospect(bridge) {
  const { others, now, after, limit } = fitElsewhere(bridge, live.overview?.bridges ?? []);
  if (others === 0) {
    return h('p', { class: 'complaint' }, 'No other bridge takes anybody: nobody can move, and new meetings wait.');
  }
  const text = `The ${count(others, 'other bridge carries', 'other bridges carry')} ${percent(now)} on average, ` +
    `about ${percent(after)} with these people; the limit is ${percent(limit)}.`;
  return h('p', { class: after > limit ? 'complaint' : 'hint' },
    after > limit ? `${text} Not all of them fit: the rest waits on this bridge, with media.` : text);
}

async function perform(title, action, done) {
  try {
    await action();
    say(done, 'good');
  } catch (error) {
    say(`${title} did not work. ${error.message}`, 'bad');
  }
  await live.refresh().catch(() => {}); // That the daemon is silent is told elsewhere.
}

/** Asks, then drains; with `evacuate` the people are moved, too. */
export async function drain(bridge, evacuate) {
  const nick = nickOf(bridge.bridge);
  const reason = h('input', { id: 'reason', maxlength: 200, autocomplete: 'off' });
  const title = evacuate ? `Evacuate ${nick}?` : `Drain ${nick}?`;
  const agreed = await openDialog({
    title,
    label: evacuate ? 'Evacuate' : 'Drain',
    danger: evacuate,
    content: [
      h('p', {}, evacuate
        ? `Nobody new comes to it, and its ${peopleIn(bridge)} are moved to other bridges, paced. Each of them has ` +
          'a short gap in sound and picture.'
        : `Nobody new comes to it. Its ${peopleIn(bridge)} stay until their meetings end.`),
      prospect(bridge),
      h('label', { for: 'reason' }, 'Reason, for the audit log (optional)'), reason
    ]
  });
  if (agreed) {
    const body = { evacuate, ...(reason.value.trim() && { reason: reason.value.trim() }) };
    await perform(title.slice(0, -1), () => ask(routes.bridge(nick, 'drain'), { method: 'PUT', body }),
      evacuate ? `${nick} is being evacuated.` : `${nick} drains.`);
  }
}

export async function undrain(bridge) {
  const nick = nickOf(bridge.bridge);
  const agreed = await openDialog({
    title: `Undrain ${nick}?`,
    label: 'Undrain',
    content: [h('p', {}, 'It takes new people again at once. Who has been moved stays where they are.')]
  });
  if (agreed) {
    const remove = () => ask(routes.bridge(nick, 'drain'), { method: 'DELETE' });
    await perform(`Undrain ${nick}`, remove, `${nick} takes people again.`);
  }
}

/** A button that says why it cannot be used instead of doing it; it stays reachable by keyboard. */
export function changeButton(label, act, attributes = {}) {
  const button = h('button', {
    type: 'button', ...attributes,
    onclick: () => {
      const refusal = access.refusal(ROLE);
      if (refusal) {
        say(refusal, 'bad');
      } else {
        act();
      }
    }
  }, label);
  return {
    element: button,
    update() {
      const refusal = access.refusal(ROLE);
      setAttribute(button, 'aria-disabled', refusal ? 'true' : null);
      setAttribute(button, 'title', refusal || null);
    }
  };
}

// Most people seen on a bridge during one drain: the order itself only says how many are left.
const most = new Map();

function mostOf(order) {
  const key = `${order.bridge} ${order.since}`;
  most.set(key, Math.max(most.get(key) ?? 0, order.participants));
  return most.get(key);
}

/** How far a drain is, in full. */
export function drainProgress() {
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'People who have left the bridge' });
  const headline = h('strong', {});
  const details = h('span', {});
  const origin = h('span', { class: 'hint' });
  const element = h('section', { class: 'drain', 'aria-label': 'Progress of the drain' },
    headline, bar, details, origin);
  return {
    element,
    update(order, now) {
      element.hidden = !order;
      if (!order) {
        return;
      }
      const before = mostOf(order);
      setAttribute(element, 'data-done', String(order.done));
      setText(headline, order.done ? 'Nobody is left on it: it can be stopped.'
        : order.evacuate ? 'It is being evacuated.' : 'It drains: nobody new comes.');
      bar.max = Math.max(1, before);
      bar.value = order.done ? bar.max : before - order.participants;
      setText(details, order.done ? '' : [
        `${peopleIn(order)} left`,
        order.moving > 0 && `${number(order.moving)} moving`,
        order.stuck > 0 && `${number(order.stuck)} without room elsewhere`
      ].filter(Boolean).join(' · '));
      setText(origin, `By ${order.by} ${since(order.since, now)} ago${order.reason ? `: ${order.reason}` : ''}`);
    }
  };
}
