// Figures as people read them. Loads are shares of a bridge: 1 is full.

const NUMBER = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const NONE = '–';

export const known = value => value !== undefined && value !== null;

export function percent(share) {
  return known(share) ? `${Math.round(share * 100)} %` : NONE;
}

/** For shares far below a hundredth. */
export const finePercent = share => (known(share) ? `${(share * 100).toFixed(2)} %` : NONE);

export function number(value) {
  return known(value) ? NUMBER.format(value) : NONE;
}

export function decimal(value, digits = 2) {
  return known(value) ? value.toFixed(digits) : NONE;
}

/** `1 bridge`, `2 bridges`; other plurals are given. */
export function count(value, one, many = `${one}s`) {
  return `${number(value)} ${value === 1 ? one : many}`;
}

export const peopleOf = people => count(people, 'person', 'people');

export const peopleIn = ({ participants, conferences }) =>
  `${peopleOf(participants)} in ${count(conferences, 'conference')}`;

/** 0.3 s, 12 s, 4 min 10 s, 25 min, 3 h 20 min, 2 d 4 h. */
export function duration(milliseconds) {
  if (!known(milliseconds)) {
    return NONE;
  }
  const seconds = milliseconds / 1000;
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  if (whole < 3600) {
    return whole < 600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.floor(whole / 60)} min`;
  }
  const minutes = Math.floor(whole / 60);
  return minutes < 1440 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    : `${Math.floor(minutes / 1440)} d ${Math.floor(minutes % 1440 / 60)} h`;
}

const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const HOUR_MINUTE = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** An RFC 3339 time or a Date as local clock time, with the day when it is not today. */
export function clock(at) {
  if (!known(at)) {
    return NONE;
  }
  const date = new Date(at);
  const today = new Date().toDateString() === date.toDateString();
  return today ? CLOCK.format(date) : `${DAY.format(date)} ${CLOCK.format(date)}`;
}

export function hourMinute(at) {
  return HOUR_MINUTE.format(new Date(at));
}

/** How long ago a time of the daemon was, by the daemon's clock `now`. */
export function since(at, now) {
  return known(at) ? duration(Math.max(0, new Date(now) - new Date(at))) : NONE;
}

/** The short name of a bridge: what it calls itself in the brewery. */
export function nickOf(bridge) {
  const slash = bridge.indexOf('/');
  return slash < 0 ? bridge : bridge.slice(slash + 1);
}

// What would make a name look like another one, or turn the text around it: controls, marks of direction, zero width.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Somebody's text with what cannot be seen made visible. */
export function visible(text) {
  return String(text).replace(UNSEEN, sign => `‹U+${sign.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}›`);
}

/** The part of a room's address that people know. */
export function roomName(room) {
  const at = room.lastIndexOf('@');
  return at < 0 ? room : room.slice(0, at);
}
