// Starts the page: start reading here. Every place is a hash: #/bridges/NICK, #/conferences/ROOM, #/why/ROOM/ENDPOINT.

import { access } from './access.js';
import { ask, withQuery } from './api.js';
import { bridgeView } from './bridge.js';
import { conferencesView, conferenceView } from './conferences.js';
import { h, setAttribute } from './dom.js';
import { eventsView } from './events.js';
import { visible } from './format.js';
import { frontView } from './front.js';
import { startHead } from './head.js';
import { startKeys } from './keys.js';
import { live } from './live.js';
import { queueView } from './queue.js';
import { startTheme } from './theme.js';
import { whyView } from './why.js';

const main = document.getElementById('main');
let view = null;

function nowhere() {
  const element = h('p', { class: 'empty' }, 'There is nothing here. ', h('a', { href: '#/' }, 'To the fleet'));
  return { title: 'Nothing here', element, close() {} };
}

function viewOf(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [place, ...names] = path.split('/').map(decodeURIComponent);
  const parameters = Object.fromEntries(new URLSearchParams(query));
  switch (`${place} ${names.length}`) {
    case ' 0': return frontView();
    case 'queue 0': return queueView();
    case 'events 0': return eventsView();
    case 'conferences 0': return conferencesView(parameters);
    case 'conferences 1': return conferenceView(names[0]);
    case 'bridges 1': return bridgeView(names[0]);
    case 'why 2': return whyView(names[0], names[1]);
    default: return nowhere();
  }
}

function show(event) {
  view?.close();
  try {
    view = viewOf(location.hash);
  } catch (error) {
    if (!(error instanceof URIError)) {
      throw error;
    }
    view = nowhere(); // A hash that is no encoded text.
  }
  document.title = `${visible(view.title)} – Bascule`;
  document.body.dataset.place = location.hash.length > 2 ? 'detail' : 'front';
  main.replaceChildren(view.element);
  for (const link of document.querySelectorAll('nav a')) {
    const here = link.hash === location.hash || (link.hash === '#/' && location.hash === '');
    setAttribute(link, 'aria-current', here ? 'page' : null);
  }
  if (event) { // Not when the page is loaded: then the skip link comes first.
    main.focus();
    window.scrollTo(0, 0);
  }
}

let roleOf = null; // The token whose role was asked for.

/** The role decides which buttons work. */
async function readAccess() {
  if (roleOf === access.token) {
    return;
  }
  roleOf = access.token;
  try {
    const { name, role } = await ask('/v1/access');
    access.is(name, role);
  } catch (error) {
    if (error.status === undefined) {
      throw error;
    }
    roleOf = null; // Asked again with the next overview.
  }
}

const search = document.getElementById('search');
search.form.addEventListener('submit', event => {
  event.preventDefault();
  location.hash = withQuery('#/conferences', { search: search.value.trim() });
});
window.addEventListener('hashchange', show);
startTheme(document.getElementById('theme'));
startKeys(search);
startHead();
live.start();
live.addEventListener('overview', readAccess); // With the first one, and after signing in or out.
show();
