/** A mail server in memory that follows a script, for tests of what a client does when a server does not behave. */
import { checkNames } from '@sansmtp/core';
import type { ByteStream } from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import { createMailList, type Mail } from '../mail/mail-list.js';
import { createTime, type Host, type KitTime, type TimeOptions } from '../time/kit-time.js';
import { memorySessions, type OpenSession } from '../time/memory-sessions.js';
import type { PassedMoment } from './passed-moment.js';
import { checkScript, type Script, stepsFor } from './script.js';
import { type FailHandshake, ScriptedSession } from './scripted-session.js';
import { formatTranscript, type SpokenLine } from './transcript.js';

export interface ScriptedServerOptions extends TimeOptions {
  /** @default 'smtp' */
  readonly protocol?: 'smtp' | 'lmtp';
  /** @default 'script.test' */
  readonly hostname?: string;
  /** Told of each moment as it passes, with every octet that the client sent: to judge what the client does. */
  readonly onMoment?: (moment: PassedMoment) => void;
}

/** The messages are those that were answered by 2yz. */
export interface ScriptedServer extends Mail {
  readonly time: KitTime;
  /** What was said so far, connection after connection. */
  readonly lines: readonly SpokenLine[];
  /** The same as text: a `C:` or `S:` line each. */
  transcript(): string;
  /**
   * A client's end of a new connection, for `openSession` or any other client of a byte stream.
   * @throws {Error} the server is closed
   */
  connect(): ByteStream;
  /** Drops the connections that stand. Whoever waits for a message hears that none will come. Call it after each test. */
  close(): Promise<void>;
}

/**
 * Opens a server in memory that follows a script, or a script for each connection: the last one repeats.
 * `openScriptedServer` of `@sansmtp/testing/node` has a port as well.
 * @throws {TypeError} a script has a name or a step that is not known
 * @throws {RangeError} a number of a script is out of its range
 */
export async function openScriptedServer(
  script: Script | readonly Script[] = {},
  options: ScriptedServerOptions = {},
): Promise<ScriptedServer> {
  return createScriptedServer(script, options).server;
}

/** How connections that come from elsewhere than memory are treated. */
interface Elsewhere {
  readonly host?: Host;
  readonly failHandshake?: FailHandshake;
}

/** A server, and what it takes to bring it connections from elsewhere than its memory. */
export interface ScriptedServerParts {
  readonly server: ScriptedServer;
  /**
   * Serves the server's end of a connection. Resolves when it is closed.
   * @throws {Error} the server is closed
   */
  readonly accept: (stream: ByteStream) => Promise<unknown>;
}

export function createScriptedServer(
  script: Script | readonly Script[],
  options: ScriptedServerOptions,
  { host, failHandshake = playedFailure }: Elsewhere = {},
): ScriptedServerParts {
  checkNames('The option', options, ['realTime', 'protocol', 'hostname', 'onMoment']);
  const { protocol = 'smtp', hostname = 'script.test', onMoment = () => {} } = options;
  const scripts = [script].flat();
  if (scripts.length === 0) throw new TypeError('There is no script: the list is empty');
  for (const each of scripts) checkScript(each);

  const time = createTime(options, host);
  const mail = createMailList<undefined>(time);
  const lines: SpokenLine[] = [];
  let connections = 0;

  function serve(stream: ByteStream): OpenSession {
    const turn = Math.min(connections++, scripts.length - 1);
    const connection = connections;
    return new ScriptedSession(stream, {
      id: `connection ${connection}`,
      script: scripts[turn] ?? {},
      protocol,
      hostname,
      clock: time.clock,
      failHandshake,
      onMessage(message) {
        mail.add(message);
        time.stir();
      },
      onLine(line) {
        lines.push(line);
        time.stir();
      },
      onMoment: (moment) => onMoment({ connection, ...moment }),
    });
  }

  const pair = () =>
    createMemoryPair({ tls: { mode: 'startTls', failHandshake: scripts.some(failsHandshake) } });
  const { connect, accept, close } = memorySessions(time, pair, serve);
  const { messages, next, clear } = mail;
  return {
    accept,
    server: {
      time,
      messages,
      next,
      clear,
      lines,
      transcript: () => formatTranscript(lines),
      connect,
      close() {
        mail.end();
        return close();
      },
    },
  };
}

/** In memory a handshake fails by itself: the pair was made so. */
const playedFailure: FailHandshake = async (stream) => stream.startTls();

const failsHandshake = (script: Script): boolean =>
  stepsFor(script, 'STARTTLS').some((step) => typeof step === 'object' && step.ending === 'failHandshake');
