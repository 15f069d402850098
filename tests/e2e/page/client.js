'use strict';

/**
 * One participant. Settings come from the query of the page's address (README.md). Everything that happens is noted in
 * `notes`, in order; `until` waits for it.
 */
class Client {
  constructor(query) {
    this.settings = {
      room: query.get('room') || 'lobby',
      domain: query.get('domain') || location.hostname,
      service: query.get('service') || query.get('bosh') || '/http-bind',
      devices: (query.get('devices') ?? 'audio,video').split(',').filter(Boolean),
      names: query.get('names') !== 'no',
      features: (query.get('features') || '').split(',').filter(Boolean)
    };
    this.bornAt = performance.now();
    this.notes = [];
    this.watchers = new Set();
    this.connected = false;
    this.joined = false;
    this.left = false;
    this.ready = false; // the focus has said so
    this.failures = []; // CONNECTION_FAILED and CONFERENCE_FAILED
    this.sessions = []; // { sid, bridgeSession, accepted, confirmed, ended (by us) }, in order of arrival
    this.iceState = 'new'; // of the newest session
    this.people = new Map(); // id -> { tracks: Set of JitsiTrack }
    this.localTracks = [];
    this.stanzas = new StanzaWatch((what, details) => this._stanza(what, details));
  }

  // --- what happens ---------------------------------------------------------------------------------

  note(what, details = {}) {
    const note = { at: performance.now() - this.bornAt, what, ...details };
    this.notes.push(note);
    this.watchers.forEach(look => look());
    if (this.onnote) {
      this.onnote(note);
    }
  }

  /** Resolves with what `condition(client)` returns as soon as that is true; rejects after `ms`. */
  until(condition, ms) {
    return new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        this.watchers.delete(look);
      };
      const look = () => {
        const found = condition(this);
        if (found) {
          stop();
          resolve(found);
        }
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`not within ${ms} ms; the last notes: ${this.tail()}`));
      }, ms);
      this.watchers.add(look);
      look();
    });
  }

  tail(count = 8) {
    return this.notes.slice(-count).map(note => `${(note.at / 1000).toFixed(1)} s ${note.what}`).join(', ');
  }

  count(what) {
    return this.notes.filter(note => note.what === what).length;
  }

  get session() {
    return this.sessions[this.sessions.length - 1];
  }

  /** Whether the newest offer was accepted and the focus has confirmed it. */
  get active() {
    return Boolean(this.session && this.session.confirmed);
  }

  _stanza(what, details) {
    if (what === 'received session-initiate') {
      const bridge = details.jingle.querySelector('bridge-session');
      this.sessions.push({ sid: details.sid, bridgeSession: bridge && bridge.getAttribute('id') });
      this.iceState = 'new';
    } else if (what === 'result of conference') {
      this.ready = details.answer.querySelector('conference').getAttribute('ready') === 'true';
    } else if (what === 'sent session-terminate') {
      this._session(details.sid).ended = true;
    } else if (what === 'sent session-accept') {
      this._session(details.sid).accepted = true;
    } else if (what === 'result of session-accept') {
      this._session(details.sid).confirmed = true;
    }
    this.note(what, details);
  }

  _session(sid) {
    return this.sessions.find(session => session.sid === sid);
  }

  // --- the way in and out ---------------------------------------------------------------------------

  async start() {
    JitsiMeetJS.setLogLevel(JitsiMeetJS.logLevels.WARN);
    JitsiMeetJS.init({
      disableAudioLevels: true,
      disableThirdPartyRequests: true,
      sourceNameSignaling: this.settings.names
    });
    if (this.settings.devices.length) {
      this.localTracks = await JitsiMeetJS.createLocalTracks({ devices: this.settings.devices });
    }
    this.readyAt = performance.now() - this.bornAt;
    this.note('page ready');
    this._connect();
  }

  _connect() {
    const { domain, service } = this.settings;
    this.connection = new JitsiMeetJS.JitsiConnection(null, undefined, {
      hosts: { domain, muc: `conference.${domain}`, focus: `focus.${domain}` },
      serviceUrl: service
    });
    const { CONNECTION_ESTABLISHED, CONNECTION_FAILED, CONNECTION_DISCONNECTED } = JitsiMeetJS.events.connection;
    this.connection.addEventListener(CONNECTION_ESTABLISHED, () => {
      this.connected = true;
      this.note('connected');
      this._join();
    });
    this.connection.addEventListener(CONNECTION_FAILED, (...reason) => this._failed('CONNECTION_FAILED', reason));
    this.connection.addEventListener(CONNECTION_DISCONNECTED, () => {
      this.connected = false;
      this.note('disconnected');
    });
    this.settings.features.forEach(feature => this.connection.xmpp.caps.addFeature(feature));
    // The library has no public way to see stanzas.
    this.stanzas.attach(this.connection.xmpp.connection._stropheConn);
    this.connection.connect();
  }

  _join() {
    this.conference = this.connection.initJitsiConference(this.settings.room, {
      p2p: { enabled: false },
      e2eping: { pingInterval: -1 } // it needs the channel of a real bridge
    });
    this._listen(JitsiMeetJS.events.conference);
    this.localTracks.forEach(track => this.conference.addTrack(track));
    this.conference.join();
  }

  _listen(events) {
    const on = (event, handle) => this.conference.on(event, handle);
    on(events.CONFERENCE_JOINED, () => {
      this.joined = true;
      this.note('joined');
    });
    on(events.CONFERENCE_LEFT, () => {
      this.left = true;
      this.note('left');
    });
    on(events.CONFERENCE_FAILED, (...reason) => this._failed('CONFERENCE_FAILED', reason));
    on(events.USER_JOINED, id => {
      this.people.set(id, { tracks: new Set() });
      this.note('somebody joined', { id });
    });
    on(events.USER_LEFT, id => {
      this.people.delete(id);
      this.note('somebody left', { id });
    });
    on(events.TRACK_ADDED, track => {
      this._track(track, 'added', (tracks, one) => tracks.add(one));
      // Which kind of video it is may come later, by presence.
      track.on(JitsiMeetJS.events.track.TRACK_VIDEOTYPE_CHANGED, type => this._track(track, `is ${type}`, () => {}));
    });
    on(events.TRACK_REMOVED, track => this._track(track, 'removed', (tracks, one) => tracks.delete(one)));
    on(events.TRACK_MUTE_CHANGED, track => this._track(track, track.isMuted() ? 'muted' : 'unmuted', () => {}));
    on(events.CONNECTION_ESTABLISHED, () => this._ice('connected'));
    on(events.CONNECTION_RESTORED, () => this._ice('connected'));
    on(events.CONNECTION_INTERRUPTED, () => this._ice('interrupted'));
  }

  _track(track, change, apply) {
    if (track.isLocal()) {
      this.note(`own ${track.getType()} ${change}`);
      return;
    }
    const id = track.getParticipantId();
    if (this.people.has(id)) {
      apply(this.people.get(id).tracks, track);
    }
    this.note(`${track.getType()} ${change}`, { id });
  }

  /** What no participant of a healthy conference has: failures, refusals, requests of the focus that made no sense. */
  get troubles() {
    // What was on its way when we ended the session is nobody's fault.
    const objections = this.stanzas.objections.filter(one => !(this._session(one.sid) || {}).ended);
    return [ ...this.failures, ...this.stanzas.refused.map(one => one.xml), ...objections.map(one => one.xml) ];
  }

  _ice(state) {
    this.iceState = state;
    this.note(`ICE ${state}`);
  }

  _failed(what, reason) {
    this.failures.push([ what, ...reason.map(String) ].join(' '));
    this.note(what, { reason: reason.map(String) });
  }

  async leave() {
    await this.conference.leave();
    await this.connection.disconnect();
  }

  // --- what a person can do -------------------------------------------------------------------------

  get id() {
    return this.conference.myUserId();
  }

  async setMuted(type, muted) {
    const track = this.localTracks.find(one => one.getType() === type);
    await (muted ? track.mute() : track.unmute());
  }

  /** As a moderator does, by way of the focus. */
  muteOther(id) {
    this.conference.muteParticipant(id);
  }

  async addDesktop() {
    const tracks = await JitsiMeetJS.createLocalTracks({ devices: [ 'desktop' ] });
    const desktop = tracks.find(track => track.getType() === 'video');
    // A screen may come with its sound; one microphone is all a conference takes.
    await Promise.all(tracks.filter(track => track !== desktop).map(track => track.dispose()));
    this.localTracks.push(desktop);
    await this.conference.addTrack(desktop);
  }

  async removeDesktop() {
    const track = this.localTracks.pop();
    await this.conference.removeTrack(track);
    await track.dispose();
  }

  /** What the library does by itself when ICE fails: asks whether the server is there, waits, asks for a restart. */
  failIce() {
    this.conference._onIceConnectionFailed(this.conference.jvbJingleSession);
  }

  // --- what it sees ---------------------------------------------------------------------------------

  /** Whether an occupant is the focus of the room: the nickname says nothing, its real address does. */
  get knowsFocus() {
    return Boolean(this.conference && this.conference.isFocus(`${this.conference.room.roomjid}/focus`));
  }

  /** Whose sources the first offer listed ("jvb": the bridge's own). */
  get offeredOwners() {
    const offer = this.notes.find(note => note.what === 'received session-initiate');
    return Object.keys(JSON.parse(offer.jingle.querySelector('json-message').textContent).sources);
  }

  /** "audio, desktop muted" of somebody, in order of the alphabet; undefined when that person is not there. */
  tracksOf(id) {
    const person = this.people.get(id);
    // Unless it is a desktop, the library leaves the type of a remote video open.
    const name = track => track.getType() === 'audio' ? 'audio' : track.getVideoType() || 'camera';
    const describe = track => name(track) + (track.isMuted() ? ' muted' : '');
    return person && Array.from(person.tracks, describe).sort().join(', ');
  }
}

var client = new Client(new URLSearchParams(location.search));
window.addEventListener('load', () => client.start().catch(error => client._failed('could not start', [ error ])));
