/** An inbox: a mail server in memory that takes whatever is sent to it, for tests of what sends mail. */
import { type ByteStream, checkServeOptions, serveSession } from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import { createMailList, type Mail } from '../mail/mail-list.js';
import { createTime, type Host, type KitTime, type OwnTime } from '../time/kit-time.js';
import { memorySessions, type OpenSession } from '../time/memory-sessions.js';
import { sessionTimers } from '../time/session-timers.js';
import { checkInboxOptions, type InboxOptions, type Reception, receptionOf } from './inbox-options.js';

export interface Inbox<Parsed = undefined> extends Mail<Parsed> {
  readonly time: KitTime;
  /**
   * A client's end of a new connection, for `openSession` or any other client of a byte stream.
   * @throws {Error} the inbox is closed
   */
  connect(): ByteStream;
  /** Drops the connections that stand. Whoever waits for a message hears that none will come. Call it after each test. */
  close(): Promise<void>;
}

/**
 * Opens an inbox in memory. `openInbox` of `@sansmtp/testing/node` has a port as well, and options for nodemailer.
 * @throws {TypeError} an option is not known, or of the wrong kind
 * @throws {RangeError} an option is out of its range
 */
export async function openInbox<Parsed = undefined>(
  options: InboxOptions<Parsed> = {},
): Promise<Inbox<Parsed>> {
  return createInbox(options).inbox;
}

/** An inbox, and what it takes to bring it connections from elsewhere than its memory. */
export interface InboxParts<Parsed> {
  readonly inbox: Inbox<Parsed>;
  readonly reception: Reception;
  /**
   * Serves the server's end of a connection on the inbox's time. Resolves when it is closed.
   * @throws {Error} (rejects) the inbox is closed
   */
  readonly accept: (stream: ByteStream) => Promise<unknown>;
}

export function createInbox<Parsed>(options: InboxOptions<Parsed>, host: Host = {}): InboxParts<Parsed> {
  checkInboxOptions(options);
  const time = createTime(options, host);
  const mail = createMailList<Parsed>(time);
  const reception = receptionOf(options, mail, time);
  checkServeOptions(reception.session);
  const serve = (stream: ByteStream) => serveOn(time, reception, stream);
  const pair = () => createMemoryPair({ tls: { mode: 'startTls' } });
  const { connect, accept, close } = memorySessions(time, pair, serve);
  const { messages, next, clear } = mail;
  return {
    reception,
    accept,
    inbox: {
      time,
      messages,
      next,
      clear,
      connect,
      close() {
        mail.end();
        return close();
      },
    },
  };
}

function serveOn(time: OwnTime, { handlers, session }: Reception, stream: ByteStream): OpenSession {
  const timers = sessionTimers();
  const connection = serveSession(stream, handlers, {
    ...session,
    clock: time.clock,
    observer(event) {
      timers.hear(event);
      time.stir();
    },
  });
  return {
    closed: connection.closed,
    abort: () => connection.abort(),
    waitsFor() {
      const deadline = timers.describe(time.now());
      return deadline && `The server's session is in ${connection.state}; ${deadline}`;
    },
  };
}
