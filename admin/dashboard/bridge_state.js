// What a reader can tell of a bridge from its figures. Nothing here touches the page.

import { known, number } from './format.js';

/** none, ok, near (less than a tenth of the limit is free) or over. */
export function loadLevel(share, limit) {
  if (!known(share)) {
    return 'none';
  }
  return share > limit ? 'over' : share > 0.9 * limit ? 'near' : 'ok';
}

/** Takes new conferences. */
export const isOpen = bridge => bridge.present && ['fresh', 'stale'].includes(bridge.state) && !bridge.drain &&
  bridge.flags.every(flag => flag === 'activated' || flag === 'standby');

export const isOver = bridge => bridge.present && bridge.expected > bridge.limit;

function drainWords(order) {
  const doing = order.evacuate ? 'evacuates' : 'drains';
  return order.done ? (order.evacuate ? 'evacuated' : 'drained') : `${doing}, ${number(order.participants)} left`;
}

/** The state of a bridge as a badge: { level, text }. */
export function badgeOf(bridge) {
  if (!bridge.present) {
    return { level: 'off', text: 'gone' };
  }
  const flag = name => bridge.flags.includes(name);
  if (bridge.state === 'failed') {
    return { level: 'bad', text: flag('unhealthy') ? 'unhealthy' : flag('suspect') ? 'no answer' : 'failed' };
  }
  if (flag('ice_failing')) {
    return { level: 'bad', text: 'ICE fails' };
  }
  if (bridge.drain) {
    return { level: bridge.drain.stuck > 0 ? 'warn' : 'info', text: drainWords(bridge.drain) };
  }
  if (flag('shutting_down') || flag('graceful_shutdown') || flag('drain') || flag('cordoned')) {
    return { level: 'info', text: flag('cordoned') ? 'cordoned' : flag('drain') ? 'drains itself' : 'shuts down' };
  }
  if (bridge.state === 'fresh' && loadLevel(bridge.expected, bridge.limit) === 'over') {
    return { level: 'warn', text: 'full' };
  }
  return { fresh: { level: 'good', text: flag('standby') && !flag('activated') ? 'standby' : 'working' },
    stale: { level: 'warn', text: 'silent' }, unknown: { level: 'warn', text: 'no report' } }[bridge.state] ??
    { level: 'info', text: bridge.state };
}

