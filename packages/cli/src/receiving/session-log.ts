/**
 * What `serve` says of its sessions, as an observer: a line for each refused command, recipient and message, and for
 * each connection or TLS handshake that broke. A client that connects and leaves, such as a health check, has none.
 *
 * - Of a refused command the line has the verb, if that is known, else the length: it may be anything, a password too.
 * - Lines that repeat are folded: of one client so many a minute, of all together so many; the rest is counted, and told
 *   when the minute is over, and when the log ends. So are others' lines that ask `admits`. Failed logins are not among
 *   them: they have a line of `onAuthDecided`, and a limit of their own closes the address.
 */
import { formatMailbox, formatPath, type Reply, replyText } from '@sansmtp/core';
import {
  type Clock,
  clientNetwork,
  type EventOfType,
  ForeignProtocolError,
  type PeerInformation,
  type ServerEvent,
  type ServerSessionInformation,
} from '@sansmtp/transport';
import { systemClock } from '@sansmtp/transport-node';
import type { Logger } from '../log.js';

const MINUTE = 60_000;
const LINES_OF_A_CLIENT = 10;
const LINES_OF_ALL = 1000;

/** Counts the lines of this minute. */
class Folding {
  readonly #log: Logger;
  readonly #clock: Clock;
  /** Takes the timer back that ends the minute; undefined: none has begun. */
  #cancelTimer: (() => void) | undefined;
  #lines = 0;
  #folded = 0;
  #clients = new Map<string, number>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Whether the line is to be written. */
  take(client: string): boolean {
    this.#cancelTimer ??= this.#clock.set(this.#clock.now() + MINUTE, () => this.end());
    const lines = this.#clients.get(client) ?? 0;
    if (lines >= LINES_OF_A_CLIENT || this.#lines >= LINES_OF_ALL) {
      this.#folded += 1;
      return false;
    }
    this.#clients.set(client, lines + 1);
    this.#lines += 1;
    return true;
  }

  /** The minute is over, or nothing more will come: tells how many lines were not written. */
  end(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (this.#folded > 0) this.#log.warn({ lines: this.#folded }, 'refusals that were not told one by one');
    this.#lines = 0;
    this.#folded = 0;
    this.#clients = new Map();
  }
}

export interface SessionLog {
  readonly observer: KindsOf<'refusal' | 'message' | 'authentication' | 'tls' | 'closed'>;
  /** Whether a line about this client is to be written, or is folded and counted. */
  admits(peer: PeerInformation): boolean;
  /** The refusal of the message that this session brings has its line already. */
  messageTold(session: ServerSessionInformation): void;
  /** Tells what was folded and not counted yet. Call it once the server is down. */
  end(): void;
}

/** An observer of these kinds of events. */
type KindsOf<Type extends ServerEvent['type']> = {
  readonly [Kind in Type]: (event: EventOfType<ServerEvent, Kind>, session: ServerSessionInformation) => void;
};

export function sessionLog(log: Logger, clock: Clock = systemClock): SessionLog {
  const folding = new Folding(log, clock);
  const admits = (peer: PeerInformation): boolean =>
    folding.take(clientNetwork(peer) ?? peer.address ?? 'unix');
  const warn = ({ id, peer }: ServerSessionInformation, fields: object, message: string) => {
    if (admits(peer)) log.warn({ session: id, client: peer.address, ...fields }, message);
  };
  /** Sessions in which the next refusal, the refusal of the message, or the end has its line already. */
  const toldRefusal = new WeakSet<ServerSessionInformation>();
  const toldMessage = new WeakSet<ServerSessionInformation>();
  const toldEnd = new WeakSet<ServerSessionInformation>();

  const observer: SessionLog['observer'] = {
    refusal(event, session) {
      if (toldRefusal.delete(session)) return;
      const { state, verb, length, reply } = event;
      const outcome = { state, reply: replyText(reply) };
      if (event.refused === 'recipient') {
        warn(session, { to: formatMailbox(event.forwardPath), ...outcome }, 'recipient refused');
      } else if (event.refused === 'command') {
        const command = verb ?? (length === undefined ? 'a line without CRLF' : `${length} octets`);
        warn(session, { command, ...outcome }, 'command refused');
      } else {
        warn(session, outcome, 'session ended');
      }
    },
    authentication({ outcome }, session) {
      // The users' own handlers have the line that fail2ban matches.
      if (outcome === 'refused') toldRefusal.add(session);
      else toldRefusal.delete(session);
    },
    message(event, session) {
      if (toldMessage.delete(session)) return;
      for (const { to, reply } of refusalsOf(event)) {
        const { envelope, size, reason } = event;
        const from = formatPath(envelope.reversePath);
        const state = session.chartState;
        warn(session, { from, to, size, reason, state, reply: replyText(reply) }, 'message refused');
      }
    },
    tls(event, session) {
      if (event.outcome === 'established') return;
      toldEnd.add(session);
      warn(session, { reason: event.error.message }, 'TLS handshake failed');
    },
    closed(event, session) {
      if (toldEnd.has(session)) return;
      const { state, ending, reason, octetsReceived } = event;
      if (reason instanceof ForeignProtocolError) {
        warn(session, { state, reason: reason.message }, 'connection ended: no SMTP');
      } else if (octetsReceived > 0 && isBroken(event)) {
        const why = reason?.message ?? (ending === 'timeout' ? 'time-out' : 'lost');
        warn(session, { state, reason: why }, 'connection broken');
      }
    },
  };
  return {
    observer,
    admits,
    messageTold: (session) => toldMessage.add(session),
    end: () => folding.end(),
  };
}

/** Who is not to get the message, and why: all alike, or over LMTP each by a reply of their own. */
function refusalsOf({ envelope: { recipients }, replies }: EventOfType<ServerEvent, 'message'>): readonly {
  readonly to: string | string[];
  readonly reply: Reply;
}[] {
  if (replies.every(({ code }) => code < 400)) return [];
  const all = recipients.map(({ forwardPath }) => formatMailbox(forwardPath));
  const isForAll = replies.length === 1;
  return replies.flatMap((reply, index) =>
    reply.code < 400 ? [] : [{ to: isForAll ? all : (all[index] ?? ''), reply }],
  );
}

/** A client that ends its side amid a message has broken off, too: the message is lost. */
function isBroken({ ending, state }: EventOfType<ServerEvent, 'closed'>): boolean {
  return ending === 'lost' || ending === 'timeout' || state === 'session.transaction.receiving';
}

/** The dialogue, line by line, for `--verbose`: what may be a secret is told by its length. */
export function dialogueLog(log: Logger): KindsOf<'command' | 'response' | 'message' | 'reply'> {
  const say = ({ id, peer }: ServerSessionInformation, by: 'C' | 'S', line: string) =>
    log.info({ session: id, client: peer.address, [by]: line }, 'dialogue');
  return {
    command: ({ line }, session) => say(session, 'C', line),
    response: ({ length = 'too many' }, session) => say(session, 'C', `[${length} octets]`),
    message: ({ size }, session) => say(session, 'C', `(${size} octets of mail data)`),
    reply({ reply: { code, enhancedCode, lines } }, session) {
      for (const line of lines) {
        say(session, 'S', replyText({ code, ...(enhancedCode && { enhancedCode }), lines: [line] }));
      }
    },
  };
}
