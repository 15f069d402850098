// What the daemon is doing, kept up to date: by its stream of events, or by asking when there is none.

import { ApiError, ask, stream } from './api.js';
import { access } from './access.js';

const POLL_MS = 2000;
const STALE_MS = 5000;
const RETRY_MS = [1000, 2000, 4000, 8000];
const LOG_MAX = 1000;
const LOAD_MS = 60_000;

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

/**
 * Events: `overview` when there is a new one, `log` when something was noted, `load` when the last hour was read, and
 * `state` when how we are connected changes.
 */
class Live extends EventTarget {
  overview = null;
  overviewAt = null; // When it came here.
  log = []; // Newest last.
  logSince = null;
  load = null;
  trouble = ''; // Why there is nothing new.
  standsBy = false; // Another process is the active one.
  #streaming = false;
  #isDue = false; // Listeners will be told with the next picture.
  #stale = false;

  /** starting, live, polling, stale, standby, or refused. */
  get state() {
    if (access.declined) {
      return 'refused';
    }
    if (this.standsBy) {
      return 'standby';
    }
    if (this.#stale) {
      return 'stale';
    }
    if (this.overview === null) {
      return 'starting';
    }
    return this.#streaming ? 'live' : 'polling';
  }

  start() {
    this.startedAt = Date.now();
    this.#streamForever();
    this.#pollForever();
    this.#readLoadForever();
    setInterval(() => this.#watch(), 500);
  }

  /** What a change brought is to be seen at once. */
  async refresh() {
    this.#take(await ask('/v1/overview'));
  }

  #tell(name) {
    this.dispatchEvent(new Event(name));
  }

  #take(overview) {
    const before = this.state;
    this.overview = overview;
    this.overviewAt = Date.now();
    this.trouble = '';
    this.standsBy = false;
    this.#watch();
    if (this.state !== before) {
      this.#tell('state');
    }
    if (!this.#isDue) { // A page that is behind, or not seen, draws the last one only.
      this.#isDue = true;
      requestAnimationFrame(() => {
        this.#isDue = false;
        this.#tell('overview');
      });
    }
  }

  #watch() {
    const stale = Date.now() - (this.overviewAt ?? this.startedAt) > STALE_MS;
    if (stale !== this.#stale) {
      this.#stale = stale;
      this.#tell('state');
    }
  }

  #setStreaming(streaming) {
    if (streaming !== this.#streaming) {
      this.#streaming = streaming;
      this.#tell('state');
    }
  }

  async #streamForever() {
    let lastId = '';
    for (let failures = 0; ; ++failures) {
      try {
        await stream('/v1/events', (name, data, id) => {
          failures = 0;
          lastId = id || lastId;
          this.#setStreaming(true);
          this.#receive(name, JSON.parse(data));
        }, lastId);
      } catch (error) {
        this.trouble = error.message;
      }
      this.#setStreaming(false);
      await this.#pauseUnlessRefused(RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
    }
  }

  #receive(name, data) {
    if (name === 'overview') {
      this.#take(data);
    } else if (name === 'log') {
      this.logSince ??= data.at;
      this.log.push(data);
      if (this.log.length > LOG_MAX) {
        this.log.splice(0, this.log.length - LOG_MAX);
      }
      this.#tell('log');
    }
  }

  /** The first one at once: a stream may take a second to say something. */
  async #pollForever() {
    for (;;) {
      if (!this.#streaming) {
        try {
          await this.refresh();
        } catch (error) {
          this.trouble = error.message;
          this.standsBy = error.status === 404; // Who stands by has no overview.
          this.#tell('state');
        }
      }
      await this.#pauseUnlessRefused(POLL_MS);
    }
  }

  async #readLoadForever() {
    for (;;) {
      try {
        this.load = await ask('/v1/load?minutes=60&step=60');
        this.#tell('load');
      } catch (error) {
        if (!(error instanceof ApiError)) {
          throw error;
        }
      }
      await this.#pauseUnlessRefused(this.load ? LOAD_MS : POLL_MS);
    }
  }

  async #pauseUnlessRefused(milliseconds) {
    await pause(milliseconds);
    while (access.declined) {
      await pause(200);
    }
  }
}

export const live = new Live();

/** Calls `read` now and every `milliseconds` until `signal` ends it; what goes wrong is given to `failed`. */
export async function repeat(read, milliseconds, signal, failed) {
  while (!signal.aborted) {
    try {
      await read();
      failed(null);
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      failed(error);
    }
    await pause(milliseconds);
  }
}
