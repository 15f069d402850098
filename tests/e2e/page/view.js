'use strict';

/** Shows a client to a person. Nothing depends on it. */
(() => {
  const byId = id => document.getElementById(id);

  function row(cells) {
    const line = document.createElement('tr');
    cells.forEach(text => {
      line.appendChild(document.createElement('td')).textContent = text;
    });
    return line;
  }

  function entry(note) {
    const title = `${(note.at / 1000).toFixed(3).padStart(8)} s  ${note.what}${note.id ? ` (${note.id})` : ''}` +
      `${note.sid ? ` ${note.sid}` : ''}${note.reason ? ` ${note.reason.join(' ')}` : ''}` +
      `${note.took ? ` after ${Math.round(note.took)} ms` : ''}`;
    const box = document.createElement(note.xml ? 'details' : 'div');
    box.appendChild(document.createElement('summary')).textContent = title;
    if (note.xml) {
      box.appendChild(document.createElement('pre')).textContent = note.xml;
    }
    return box;
  }

  client.onnote = note => {
    byId('log').appendChild(entry(note));
    byId('status').textContent = `${client.settings.room} on ${client.settings.domain}: ` +
      `${client.joined ? `in the room as ${client.id}` : 'not in the room'}, ` +
      `${client.active ? `session ${client.session.sid}` : 'no session'}, ${client.sessions.length} sessions so far`;
    byId('participants').replaceChildren(...Array.from(client.people.keys(),
      id => row([ id, client.tracksOf(id) ])));
  };

  document.querySelectorAll('button').forEach(button => button.addEventListener('click', () => {
    Promise.resolve(new Function('client', `return client.${button.dataset.call}`)(client))
      .catch(error => client.note('refused', { reason: [ String(error) ] }));
  }));
})();
