/**
 * smtp-server's handlers of commands, called without any connection, as tests do: a session of the core is brought to
 * where the connection says that it stands, gets the command, and its reply goes to `send()`.
 */
import type { TlsInformation } from '@sansmtp/core';
import {
  type ByteStream,
  type ByteStreamListener,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import { handlersOf } from '../handlers/handlers.js';
import type { ServedConnection } from '../served.js';

const SOME_TLS: TlsInformation = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  channelBindings: {},
};

/** A stream whose other end is a string. */
class HandStream implements ByteStream {
  readonly peer = {};
  readonly canStartTls = false;
  readonly tls: TlsInformation | undefined;
  #listener: ByteStreamListener | undefined;
  #heard = '';
  #wake: () => void = () => {};

  constructor(tls: TlsInformation | undefined) {
    this.tls = tls;
  }

  open(listener: ByteStreamListener): void {
    this.#listener = listener;
  }

  write(bytes: Uint8Array): boolean {
    this.#heard += Buffer.from(bytes).toString();
    this.#wake();
    return true;
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  startTls(): void {}

  abort(): void {
    this.#listener?.close();
  }

  /** Says a line, and waits for the lines of the reply. */
  async say(line: string): Promise<string[]> {
    await Promise.resolve();
    this.#listener?.data(Buffer.from(`${line}\r\n`));
    return this.reply();
  }

  async reply(): Promise<string[]> {
    while (!/^\d{3} .*\r\n$/m.test(this.#heard)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const lines = this.#heard.trimEnd().split('\r\n');
    this.#heard = '';
    return lines;
  }
}

/** Has the line answered by `connection.send()`, then calls back. */
export function commandByHand(connection: ServedConnection, line: string, callback: () => void): void {
  void command(connection, String(line)).finally(callback);
}

async function command(connection: ServedConnection, line: string): Promise<void> {
  const stream = new HandStream(connection.secure ? SOME_TLS : undefined);
  const { onMailFrom, onRcptTo } = handlersOf(connection);
  const { mailFrom } = connection.session.envelope;
  let handlers: ServerHandlers = { onMessage() {} };
  // What was accepted before is not asked about again.
  const asked: ServerHandlers = {
    onMailFrom: (...mail) => handlers.onMailFrom?.(...mail),
    onRcptTo: (...recipient) => handlers.onRcptTo?.(...recipient),
    onMessage() {},
  };
  const session = serveSession(stream, asked, connection.sessionOptions());
  await stream.reply();
  const verb = line.slice(0, 4).toUpperCase();
  if (verb === 'MAIL' || verb === 'RCPT') await stream.say('EHLO by-hand');
  if (verb === 'RCPT' && mailFrom) await stream.say(`MAIL FROM:<${mailFrom.address}>`);
  handlers = {
    onMessage() {},
    onMailFrom: unauthenticated(connection, onMailFrom),
    ...(onRcptTo && { onRcptTo }),
  };
  const reply = await stream.say(line);
  session.abort();
  const texts = reply.map((each) => each.slice(4));
  connection.send(Number(reply[0]?.slice(0, 3)), texts.length > 1 ? texts : (texts[0] ?? ''));
}

/** Whoever calls a handler by hand has decided that the client may. */
function unauthenticated(
  connection: ServedConnection,
  onMailFrom: ServerHandlers['onMailFrom'],
): NonNullable<ServerHandlers['onMailFrom']> {
  return async (...mail) => {
    const { user } = connection.session;
    connection.session.user = user || true;
    try {
      return await onMailFrom?.(...mail);
    } finally {
      connection.session.user = user;
    }
  };
}
