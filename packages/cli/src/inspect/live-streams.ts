/** The two streams of the live page: how the list of sessions changes, and the records of one session. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { EventStream } from './event-stream.js';
import type { ListChange, LiveSession, LiveSessions } from './live-sessions.js';

/** Those who may follow sessions at a time; and as many again may watch the list. */
const MAXIMUM_FOLLOWERS = 16;

/** Milliseconds between two looks at sessions that change all the time. */
const LIST_INTERVAL = 200;

export class LiveStreams {
  readonly #sessions: LiveSessions;
  #followers = 0;
  #watchers = 0;

  constructor(sessions: LiveSessions) {
    this.#sessions = sessions;
  }

  /** Events `opened`, `changed` and `closed`, each with the session; at first all that there are are `opened`. */
  list(response: ServerResponse): void {
    if (this.#watchers >= MAXIMUM_FOLLOWERS) {
      refuseFollower(response);
      return;
    }
    this.#watchers += 1;
    const pending = new Map<LiveSession, ListChange>();
    for (const session of this.#sessions.all) pending.set(session, 'opened');
    const flush = () => {
      for (const [session, change] of pending) {
        if (!stream.hasRoom) return;
        pending.delete(session);
        stream.send(JSON.stringify(session.listed), { event: change });
        // Whoever was never told of it is told that it is over, too.
        if (change === 'opened' && session.isClosed) {
          stream.send(JSON.stringify(session.listed), { event: 'closed' });
        }
      }
    };
    const stopWatching = this.#sessions.watch((change, session) => {
      const known = pending.get(session);
      pending.set(session, known === 'opened' ? 'opened' : change);
    });
    const timer = setInterval(flush, LIST_INTERVAL);
    const stream = new EventStream(response, flush, () => {
      clearInterval(timer);
      stopWatching();
      this.#watchers -= 1;
    });
    flush();
  }

  /** The session's records, from the one behind `Last-Event-ID` on; a session that is over ends the stream. */
  follow(session: LiveSession, request: IncomingMessage, response: ServerResponse): void {
    let seq = lastEventId(request);
    // An EventSource that connects again, though all is told, stops at this.
    if (session.isClosed && session.after(seq).length === 0) {
      response.writeHead(204).end();
      return;
    }
    if (this.#followers >= MAXIMUM_FOLLOWERS) {
      refuseFollower(response);
      return;
    }
    this.#followers += 1;
    const send = () => {
      while (stream.hasRoom) {
        const records = session.after(seq);
        if (records.length === 0) {
          if (session.isClosed) stream.end();
          return;
        }
        for (const record of records) {
          stream.send(record.text, { id: record.seq });
          seq = record.seq;
          if (!stream.hasRoom) return;
        }
      }
    };
    const stream = new EventStream(response, send, () => {
      session.followers.delete(send);
      this.#followers -= 1;
    });
    session.followers.add(send);
    send();
  }
}

function lastEventId({ headers }: IncomingMessage): number {
  const value = headers['last-event-id'];
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : -1;
}

function refuseFollower(response: ServerResponse): void {
  response
    .writeHead(503, { 'Content-Type': 'text/plain; charset=utf-8', 'Retry-After': '5' })
    .end(`${MAXIMUM_FOLLOWERS} follow already; close another page\n`);
}
