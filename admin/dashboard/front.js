// The first page: fleet, queue, events.

import { h } from './dom.js';
import { recentEvents } from './events.js';
import { fleetPanel } from './fleet.js';
import { live } from './live.js';
import { queuePanel } from './queue.js';

export function frontView() {
  const ended = new AbortController();
  const fleet = fleetPanel();
  const queue = queuePanel();
  const events = recentEvents();
  live.addEventListener('overview', () => fleet.render(), { signal: ended.signal });
  live.addEventListener('load', () => fleet.render(), { signal: ended.signal });
  fleet.render();
  return {
    title: 'Fleet',
    element: h('div', { class: 'front' }, fleet.element, h('div', { class: 'side' }, queue.element, events.element)),
    close() {
      ended.abort();
      queue.close();
      events.close();
    }
  };
}
