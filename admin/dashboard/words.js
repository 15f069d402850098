// The daemon's closed lists in words (docs/operations.md, docs/selection.md). What is not listed is shown as it came.

import { known } from './format.js';

export const wordsFor = (list, value) => (known(value) ? list[value] ?? String(value) : '–');

export const MODES = {
  normal: 'normal',
  service_down: 'service link down: nothing is placed',
  settling: 'settling: bridges are still arriving',
  blind: 'blind: our own counts decide',
  full: 'full: running meetings come first'
};

export const OVERLOADS = {
  none: 'new rooms are welcome',
  queue_long: 'new rooms are put off: the queue is long',
  fleet_full: 'new rooms are put off: the fleet is full',
  settling: 'new rooms are put off: few bridges are back',
  no_bridge: 'new rooms are put off: no bridge takes them'
};

export const CLASSES = {
  displaced: 'lost their media',
  joins_live: 'join running meetings',
  first: 'first of new meetings'
};

export const KINDS = {
  join: 'joins',
  reinvite: 'lost its media',
  move: 'moves, and keeps its media meanwhile'
};

export const RULES = {
  join: 'its meeting is on this bridge, and there was room',
  join_late: 'its meeting is on this bridge; a little above the limit, after a long wait',
  split: 'the bridges of its meeting were full: another one joined in',
  plan: 'its whole meeting was planned onto this bridge',
  new: 'a new meeting: least loaded bridge with room for everybody expected',
  new_full: 'a new meeting while most bridges are full: room up to the limit for joins',
  new_max: 'a meeting that lost its bridge: room up to the highest limit',
  small_need: 'no bridge had room for everybody expected; this one had room for four',
  no_growth: 'no bridge had room to grow; this one had room for two',
  alone: 'its meeting has killed bridges: it got an almost idle one',
  preference: 'the order of the Jicofo strategy that is configured'
};

export const WAITS = {
  service_down: 'the service link is down, so nothing is placed',
  settling: 'the link is new and bridges are still arriving',
  no_bridge: 'no bridge is present',
  all_failed: 'every present bridge has failed',
  all_draining: 'every working bridge drains or shuts down',
  capacity: 'every suitable bridge is at its limit',
  pace: 'a bridge has room, but is filled one by one',
  retry_wait: 'its room failed repeatedly and has to wait',
  bridge_absent: 'the bridge of its meeting is not there',
  version: 'no bridge of the version its meeting needs'
};

export const FLAGS = {
  drain: 'drains',
  cordoned: 'cordoned: nobody new',
  graceful_shutdown: 'shuts down when empty',
  shutting_down: 'shuts down',
  unhealthy: 'unhealthy',
  suspect: 'slow or silent: nobody new until a health check',
  ice_failing: 'many people on it cannot connect',
  standby: 'standby',
  activated: 'standby, in use'
};

export const STATES = {
  unknown: 'no report yet',
  fresh: 'working',
  stale: 'silent: our own counts decide',
  failed: 'failed'
};

export const PEOPLE_STATES = {
  discovering: 'asked what it can do',
  waiting: 'alone, needs no session',
  queued: 'waits for a place',
  allocating: 'placed, the bridge is asked',
  inviting: 'invited',
  active: 'has media',
  moving: 'moves, keeps its media meanwhile',
  backoff: 'invitation failed, tried again',
  detached: 'ended its session itself',
  gone: 'has left'
};

export const MEETING_STATES = {
  joining: 'the room is being entered',
  waiting: 'waits for a second person',
  active: 'runs',
  suspended: 'server gone, media goes on',
  rejoining: 'the room is entered again',
  ended: 'over'
};

export const LINKS = {
  client: 'client link (rooms)',
  service: 'service link (bridges)',
  requests: 'requests link'
};
