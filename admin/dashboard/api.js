// Requests to the daemon that served this page.

import { access } from './access.js';

/** What went wrong in words for people; `status` 0: the daemon could not be reached. */
export class ApiError extends Error {
  constructor(status, title, detail = '') {
    super(detail ? `${title}: ${detail}` : title);
    this.status = status;
  }
}

async function problemOf(response) {
  try {
    const problem = await response.json(); // RFC 9457
    return new ApiError(response.status, problem.title ?? `Status ${response.status}`, problem.detail ?? '');
  } catch {
    return new ApiError(response.status, `The daemon answered with status ${response.status}`);
  }
}

async function send(path, options) {
  try {
    return await fetch(path, { ...options, cache: 'no-store', credentials: 'omit', redirect: 'error' });
  } catch (error) {
    if (error.name === 'AbortError') {
      throw error;
    }
    throw new ApiError(0, 'The daemon does not answer');
  }
}

/** A response that is a success. Asks for a token as long as the daemon wants another one. */
async function request(path, { method = 'GET', body, signal, accept = 'application/json', lastId } = {}) {
  for (;;) {
    const used = access.token;
    const headers = { Accept: accept, ...access.header() };
    if (body !== undefined) {
      headers['Content-Type'] = 'application/json';
    }
    if (lastId) {
      headers['Last-Event-ID'] = lastId;
    }
    const response = await send(path, { method, headers, signal, body: body && JSON.stringify(body) });
    if (response.ok) {
      return response;
    }
    if (response.status !== 401 || !await access.another(used)) {
      throw await problemOf(response);
    }
  }
}

/** The JSON of an answer; null when there is none (204). */
export async function ask(path, options) {
  const response = await request(path, options);
  return response.status === 204 ? null : response.json();
}

/** `path` with the parameters that have a value. */
export function withQuery(path, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return given.length === 0 ? path : `${path}?${given.map(pair => pair.map(encodeURIComponent).join('=')).join('&')}`;
}

/**
 * Calls `each(name, data, id)` for every server-sent event until the stream ends; EventSource cannot send a token.
 * `lastId`: of the last event heard, so that none is told twice.
 */
export async function stream(path, each, lastId) {
  const response = await request(path, { accept: 'text/event-stream', lastId });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const events = (rest + value).split(/\r?\n\r?\n/);
    rest = events.pop();
    for (const event of events) {
      deliver(event, each);
    }
  }
}

/** One event of the text/event-stream format (HTML, 9.2.6). Lines that are comments keep the connection alive. */
function deliver(text, each) {
  let name = 'message';
  let id = '';
  const data = [];
  for (const line of text.split(/\r?\n/)) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    if (field === 'event') {
      name = value;
    } else if (field === 'data') {
      data.push(value);
    } else if (field === 'id') {
      id = value;
    }
  }
  if (data.length > 0) {
    each(name, data.join('\n'), id);
  }
}
