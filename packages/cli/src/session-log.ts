/**
 * What `serve` says of its sessions, as an observer: a line for each refused command, recipient and message, and for
 * each connection that broke. A client that connects and leaves, such as a health check, has none.
 *
 * - Of a refused command the line has the verb, if that is known, else the length: it may be anything, a password too.
 * - Lines that repeat are folded: of one client so many a minute, of all together so many; the rest is counted, and told
 *   when the minute is over. Failed logins are not among them: they have a line of `onAuthDecided`, and a limit of their
 *   own closes the address.
 */
import { formatMailbox, formatPath, replyText } from '@sansmtp/core';
import {
  clientNetwork,
  type ServerEvent,
  type ServerObserver,
  type ServerSessionInformation,
} from '@sansmtp/transport';
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
  commands: number;
}

/** Counts the lines of this minute. */
class Folding {
  readonly #log: Logger;
  #endsAt = 0;
  #lines = 0;
  #folded = 0;
  #clients = new Map<string, number>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Whether the line is to be written. */
  take(client: string, time: number): boolean {
    if (time >= this.#endsAt) this.#begin(time);
    const lines = this.#clients.get(client) ?? 0;
    if (lines >= LINES_OF_A_CLIENT || this.#lines >= LINES_OF_ALL) {
      this.#folded += 1;
      return false;
    }
    this.#clients.set(client, lines + 1);
    this.#lines += 1;
    return true;
  }

  #begin(time: number): void {
    if (this.#folded > 0) this.#log.warn({ lines: this.#folded }, 'refusals that were not told one by one');
    this.#endsAt = time + MINUTE;
    this.#lines = 0;
    this.#folded = 0;
    this.#clients = new Map();
  }
}

export function sessionLog(log: Logger): ServerObserver {
  const sessions = new WeakMap<ServerSessionInformation, Pending>();
  const folding = new Folding(log);
  const pendingOf = (session: ServerSessionInformation): Pending => {
    const known = sessions.get(session) ?? { told: false, commands: 0 };
    sessions.set(session, known);
    return known;
  };

  return (event, session) => {
    const about = { session: session.id, client: session.peer.address };
    const warn = (fields: object, message: string) => {
      const client = clientNetwork(session.peer) ?? session.peer.address ?? 'unix';
      if (folding.take(client, event.time)) log.warn({ ...about, ...fields }, message);
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
          warn({ from: formatPath(envelope.reversePath), size, reason, reply }, 'message refused');
        }
        break;
      case 'reply':
        tellRefusal(event, pendingOf(session), warn);
        break;
      case 'closed':
        if (event.ending !== 'lost' && event.ending !== 'timeout') break;
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
