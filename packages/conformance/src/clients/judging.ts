/** How a case or a rule judges what was seen of a client, and the words from which its judgement is made. */
import { CannotJudge } from '../dialogue/findings.js';
import type { ClientReport, ClientVerdict, Task } from './contract.js';
import { type Connection, type Exchange, is2, named } from './conversation.js';

/** All that is known of one run of a client. */
export interface Seen {
  readonly connections: readonly Connection[];
  readonly task: Task;
  /** The client was told to trust another certificate than the server's. */
  readonly stranger: boolean;
  readonly report: ClientReport;
}

/**
 * Says what is wrong; undefined: nothing.
 * @throws {CannotJudge} the client never came to what is judged
 */
export type Judge = (seen: Seen) => string | undefined;

/** The first thing that is wrong. */
export const all =
  (...judges: readonly Judge[]): Judge =>
  (seen) => {
    for (const judge of judges) {
      const wrong = judge(seen);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };

/** Every exchange of every connection. */
export const exchangesOf = ({ connections }: Seen): readonly Exchange[] => connections.flat();

/** Judges each exchange on its own. */
export const each =
  (judge: (exchange: Exchange, seen: Seen) => string | undefined): Judge =>
  (seen) => {
    for (const exchange of exchangesOf(seen)) {
      const wrong = judge(exchange, seen);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };

/** The client says something that matches, at least so many times. */
export const says =
  (pattern: RegExp, times = 1): Judge =>
  (seen) => {
    const found = exchangesOf(seen).filter(({ line }) => pattern.test(line)).length;
    return found >= times ? undefined : `the client said ${pattern.source} ${found} times; ${times} were due`;
  };

/** The client says nothing that matches. */
export const neverSays = (pattern: RegExp): Judge =>
  each((exchange) => {
    const { sent, line, moment } = exchange;
    if (moment === 'message' && !/^BDAT/i.test(line)) return undefined;
    return sent.split('\r\n').some((text) => pattern.test(text))
      ? `the client said ${named(exchange)}`
      : undefined;
  });

/** A prerequisite: without it nothing can be said of the client. */
export const provided =
  (pattern: RegExp, words: string): Judge =>
  (seen) => {
    if (exchangesOf(seen).some(({ line }) => pattern.test(line))) return undefined;
    throw new CannotJudge(words);
  };

const VERDICT_WORDS: Readonly<Record<ClientVerdict, string>> = {
  delivered: 'that the message was delivered',
  rejected: 'that the message was refused for good',
  deferred: 'that the message may be delivered later',
  unknown: 'that nobody knows what became of the message',
  failed: 'that it failed',
};

/** The client's word for a recipient, all of them if none is named, is one of these. */
export const reports =
  (allowed: readonly ClientVerdict[], recipient?: number): Judge =>
  ({ report, task }) => {
    if (report.unfinished) return 'the client did not come to an end';
    if (recipient !== undefined && !report.each) {
      throw new CannotJudge('the client has one word for all recipients');
    }
    const index = report.verdicts.findIndex(
      (verdict, at) => (recipient === undefined || at === recipient) && !allowed.includes(verdict),
    );
    const verdict = report.verdicts[index];
    return verdict === undefined ? undefined : `it says of ${task.to[index]} ${VERDICT_WORDS[verdict]}`;
  };

/** Anything but success, and an end. */
export const reportsFailure: Judge = reports(['rejected', 'deferred', 'unknown', 'failed']);
/** The server can take the message later: no word of a refusal for good. */
export const reportsTemporaryFailure: Judge = reports(['deferred', 'unknown', 'failed']);
/** Refused for good: a client that says which failure it was says so. */
export const reportsRefusal: Judge = reports(['rejected', 'failed']);
export const reportsDelivery: Judge = reports(['delivered']);
/** The client came to an end by itself. */
export const comesToAnEnd: Judge = ({ report }) =>
  report.unfinished ? 'the client did not come to an end' : undefined;

/** The server has taken a message. */
export const serverTook = ({ connections }: Seen): boolean =>
  connections.some((connection) => connection.some(({ moment, code }) => moment === 'message' && is2(code)));
