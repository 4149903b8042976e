/**
 * What `serve` says of its sessions, as an observer: a line for each refused command, recipient and message, and for
 * each connection or TLS handshake that broke. A client that connects and leaves, such as a health check, has none.
 *
 * - Of a refused command the line has the verb, if that is known, else the length: it may be anything, a password too.
 * - Lines that repeat are folded: of one client so many a minute, of all together so many; the rest is counted, and told
 *   when the minute is over, and when the log ends. So are others' lines that ask `admits`. Failed logins are not among
 *   them: they have a line of `onAuthDecided`, and a limit of their own closes the address.
 */
import { formatMailbox, formatPath, replyText } from '@sansmtp/core';
import {
  type Clock,
  clientNetwork,
  ForeignProtocolError,
  type PeerInformation,
  type ServerEvent,
  type ServerObserver,
  type ServerSessionInformation,
} from '@sansmtp/transport';
import { systemClock } from '@sansmtp/transport-node';
import type { Logger } from './log.js';

const MINUTE = 60_000;
const LINES_OF_A_CLIENT = 10;
const LINES_OF_ALL = 1000;

/** What is remembered of a session until its next reply. */
interface Pending {
  command?: string;
  /** The recipient on whom was decided. */
  recipient?: string;
  /** The next reply has a line already. */
  told: boolean;
  /** Commands that came. */
  commands: number;
  /** The handshake failed, and has its line. */
  handshakeFailed: boolean;
}

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
  readonly observe: ServerObserver;
  /** Whether a line about this client is to be written, or is folded and counted. */
  admits(peer: PeerInformation): boolean;
  /** Tells what was folded and not counted yet. Call it once the server is down. */
  end(): void;
}

export function sessionLog(log: Logger, clock: Clock = systemClock): SessionLog {
  const sessions = new WeakMap<ServerSessionInformation, Pending>();
  const folding = new Folding(log, clock);
  const pendingOf = (session: ServerSessionInformation): Pending => {
    const known = sessions.get(session) ?? { told: false, commands: 0, handshakeFailed: false };
    sessions.set(session, known);
    return known;
  };

  const admits = (peer: PeerInformation): boolean =>
    folding.take(clientNetwork(peer) ?? peer.address ?? 'unix');

  const observe: ServerObserver = (event, session) => {
    const about = { session: session.id, client: session.peer.address };
    const warn = (fields: object, message: string) => {
      if (admits(session.peer)) log.warn({ ...about, ...fields }, message);
    };
    switch (event.type) {
      case 'command': {
        const pending = pendingOf(session);
        pending.commands += 1;
        pending.told = false;
        pending.command =
          event.verb ?? (event.length === undefined ? 'a line without end' : `${event.length} octets`);
        break;
      }
      case 'decision':
        if (event.question.kind === 'rcpt' && event.decision === 'reject') {
          pendingOf(session).recipient = formatMailbox(event.question.forwardPath);
        }
        break;
      case 'authentication':
        // The users' own handlers have the line that fail2ban matches.
        pendingOf(session).told = event.outcome === 'refused';
        break;
      case 'message':
        pendingOf(session).told = true;
        if (event.outcome === 'refused') {
          const { envelope, size, reason } = event;
          const reply = event.replies.map(replyText).join(' / ');
          const state = session.chartState;
          warn({ from: formatPath(envelope.reversePath), size, reason, state, reply }, 'message refused');
        }
        break;
      case 'reply':
        tellRefusal(event, pendingOf(session), warn);
        break;
      case 'tls':
        if (event.outcome === 'established') break;
        pendingOf(session).handshakeFailed = true;
        warn({ reason: event.error.message }, 'TLS handshake failed');
        break;
      case 'closed':
        if (pendingOf(session).handshakeFailed) break;
        if (event.reason instanceof ForeignProtocolError) {
          warn({ state: event.state, reason: event.reason.message }, 'connection ended: no SMTP');
          break;
        }
        if (!isBroken(event)) break;
        if (pendingOf(session).commands === 0) break;
        warn(
          {
            state: event.state,
            reason: event.reason?.message ?? (event.ending === 'timeout' ? 'time-out' : 'lost'),
          },
          'connection broken',
        );
    }
  };
  return { observe, admits, end: () => folding.end() };
}

/** A client that ends its side amid a message has broken off, too: the message is lost. */
function isBroken({ ending, state }: Extract<ServerEvent, { readonly type: 'closed' }>): boolean {
  return ending === 'lost' || ending === 'timeout' || state === 'session.transaction.receiving';
}

function tellRefusal(
  { reply, state }: Extract<ServerEvent, { readonly type: 'reply' }>,
  pending: Pending,
  warn: (fields: object, message: string) => void,
): void {
  const { command, recipient, told } = pending;
  delete pending.command;
  delete pending.recipient;
  pending.told = false;
  if (reply.code < 400 || told) return;
  const text = replyText(reply);
  if (recipient !== undefined) warn({ to: recipient, state, reply: text }, 'recipient refused');
  else if (command !== undefined) warn({ command, state, reply: text }, 'command refused');
  else warn({ state, reply: text }, 'session ended');
}

/** The dialogue, line by line, for `--verbose`: what may be a secret is told by its length. */
export function dialogueLog(log: Logger): ServerObserver {
  return (event, session) => {
    const say = (by: 'C' | 'S', line: string) =>
      log.info({ session: session.id, client: session.peer.address, [by]: line }, 'dialogue');
    if (event.type === 'command') say('C', event.line);
    else if (event.type === 'response') say('C', `[${event.length ?? 'too many'} octets]`);
    else if (event.type === 'message') say('C', `(${event.size} octets of mail data)`);
    else if (event.type === 'reply') {
      const { code, enhancedCode, lines } = event.reply;
      for (const line of lines)
        say('S', replyText({ code, ...(enhancedCode && { enhancedCode }), lines: [line] }));
    }
  };
}
