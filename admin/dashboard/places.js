// The places of this page and of the API. Names are strangers' input: each part is encoded.

import { h, named } from './dom.js';
import { nickOf, roomName } from './format.js';

const join = (...parts) => parts.map(encodeURIComponent).join('/');

export const places = {
  bridge: bridge => `#/bridges/${join(nickOf(bridge))}`,
  conference: room => `#/conferences/${join(room)}`,
  why: (room, endpoint) => `#/why/${join(room, endpoint)}`
};

export const routes = {
  bridge: (nick, what) => `/v1/bridges/${join(nick)}/${what}`,
  conference: room => `/v1/conferences/${join(room)}`,
  participant: (room, endpoint) => `/v1/conferences/${join(room)}/participants/${join(endpoint)}`
};

export const bridgeLink = (bridge, attributes = {}) =>
  h('a', { href: places.bridge(bridge), ...attributes }, named(nickOf(bridge), { title: bridge }));

export const roomLink = (room, attributes = {}) =>
  h('a', { href: places.conference(room), ...attributes }, named(roomName(room), { title: room }));

/** Somebody in a room, leading to why they are where they are. */
export const personLink = (room, endpoint) =>
  h('a', { href: places.why(room, endpoint) }, named(endpoint), ' in ', named(roomName(room), { title: room }));

export const crumbs = (...links) => h('p', { class: 'crumbs' }, links);
