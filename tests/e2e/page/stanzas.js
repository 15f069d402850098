'use strict';

/**
 * Watches the stanzas of one connection: Jingle in both directions, and whether requests of ours are answered.
 * `note(what, details)` is told of each.
 */
class StanzaWatch {
  constructor(note) {
    this.note = note;
    this.unanswered = new Map(); // id -> { to, kind, sid, sentAt }
    this.asked = new Map(); // id of a Jingle request of the focus -> sid
    this.objections = []; // { sid, xml }: requests of the focus we answered with an error
    this.refused = []; // answers of type "error" to requests to the focus, its component and its occupant
  }

  /** `strophe` is the Strophe.Connection inside the library. */
  attach(strophe) {
    const { xmlInput, xmlOutput } = strophe;
    strophe.xmlInput = element => {
      this._each(element, stanza => this._received(stanza));
      xmlInput.call(strophe, element);
    };
    strophe.xmlOutput = element => {
      this._each(element, stanza => this._sent(stanza));
      xmlOutput.call(strophe, element);
    };
  }

  /** BOSH wraps stanzas in a body, WebSocket does not. */
  _each(element, handle) {
    (element.tagName === 'body' ? Array.from(element.children) : [ element ]).forEach(handle);
  }

  _sent(stanza) {
    if (stanza.tagName !== 'iq') {
      return;
    }
    const jingle = jingleOf(stanza);
    const id = stanza.getAttribute('id');
    if (stanza.getAttribute('type') === 'set' || stanza.getAttribute('type') === 'get') {
      const kind = jingle ? jingle.getAttribute('action') : stanza.firstElementChild.tagName;
      this.unanswered.set(id,
        { to: stanza.getAttribute('to') || '', kind, sid: sidOf(jingle), sentAt: performance.now() });
      if (jingle || kind === 'conference') {
        this.note(`sent ${kind}`, { sid: sidOf(jingle), xml: stanza.outerHTML });
      }
    } else if (this.asked.has(id)) {
      if (stanza.getAttribute('type') === 'error') {
        const objection = { sid: this.asked.get(id), xml: stanza.outerHTML };
        this.objections.push(objection);
        this.note('answered with an error', objection);
      }
      this.asked.delete(id);
    }
  }

  _received(stanza) {
    if (stanza.tagName !== 'iq') {
      return;
    }
    const type = stanza.getAttribute('type');
    const jingle = jingleOf(stanza);
    if (jingle && type === 'set') {
      this.asked.set(stanza.getAttribute('id'), sidOf(jingle));
      this.note(`received ${jingle.getAttribute('action')}`, { sid: sidOf(jingle), jingle, xml: stanza.outerHTML });
    } else if (type === 'result' || type === 'error') {
      this._answered(stanza, type);
    }
  }

  _answered(stanza, type) {
    const request = this.unanswered.get(stanza.getAttribute('id'));
    if (!request) {
      return;
    }
    this.unanswered.delete(stanza.getAttribute('id'));
    if (!isForFocus(request.to)) {
      return;
    }
    if (type === 'error') {
      this.refused.push({ kind: request.kind, xml: stanza.outerHTML });
    }
    this.note(`${type} of ${request.kind}`,
      { sid: request.sid, took: performance.now() - request.sentAt, answer: stanza, xml: stanza.outerHTML });
  }

  /** Requests the focus owes an answer, as text. */
  owed() {
    return Array.from(this.unanswered.values()).filter(request => isForFocus(request.to))
      .map(request => `${request.kind} to ${request.to}`);
  }
}

function jingleOf(stanza) {
  return Array.from(stanza.children).find(child => child.tagName === 'jingle');
}

function sidOf(jingle) {
  return jingle ? jingle.getAttribute('sid') : undefined;
}

function isForFocus(jid) {
  return jid.startsWith('focus.') || jid.endsWith('/focus');
}
