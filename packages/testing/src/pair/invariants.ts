/**
 * What holds of every session, whatever the network and the application do. Each is a function of a history that throws
 * an `InvariantError`, which says what was expected and what was seen.
 */
import { formatMailbox, readForwardPath, type Verdict } from '@sansmtp/core';
import type { ReceivedMessage } from '../mail/received-message.js';
import type { History, SentMessage } from './history.js';

/** An invariant does not hold. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

export type Invariant = (history: History) => void;

/** Each command has one reply, in order; the greeting and what ends a session unasked have none (RFC 5321 §4.2). */
export const repliesMatchCommands: Invariant = ({ server }) => {
  const asked: string[] = [];
  for (const event of server) {
    if (event.type === 'command') asked.push(event.verb ?? '');
    if (event.type !== 'reply' || event.verb === undefined) continue;
    const verb = asked.shift();
    if (verb !== event.verb) {
      throw new InvariantError(
        `The reply ${event.reply.code} is to ${event.verb}; the next command was ${verb ?? 'none'}`,
      );
    }
  }
};

/** What the application has stored was sent, to the octet; the same message to the same recipient once at most. */
export const storedIsWhatWasSent: Invariant = ({ sent, stored }) => {
  const left = [...sent];
  for (const message of stored) {
    const index = left.findIndex(({ body }) => isSame(message.raw, body));
    if (index < 0)
      throw new InvariantError(
        `A message of ${message.raw.length} octets was stored that was not sent, or twice`,
      );
    left.splice(index, 1);
  }
};

/** `delivered` means that the application has it (RFC 5321 §4.2.5). */
export const deliveredIsStored: Invariant = ({ sent, stored }) => {
  for (const each of sent) {
    for (const recipient of recipientsBy(each, 'delivered')) {
      if (stored.some((message) => isFor(message, each, recipient))) continue;
      throw new InvariantError(`The message to ${recipient} is delivered, but nobody has it`);
    }
  }
};

/** What the application has is `delivered` or `unknown` (RFC 1047), or the sender would try again and double it. */
export const storedIsNotRefused: Invariant = ({ sent, stored }) => {
  for (const each of sent) {
    for (const verdict of ['rejected', 'deferred'] as const) {
      for (const recipient of recipientsBy(each, verdict)) {
        if (!stored.some((message) => isFor(message, each, recipient))) continue;
        throw new InvariantError(`The message to ${recipient} is stored, but ${verdict}`);
      }
    }
  }
};

/** What was said before TLS is forgotten: the client says EHLO again before anything else (RFC 3207 §4.2). */
export const tlsBeginsAnew: Invariant = ({ client }) => {
  const begun = client.findIndex(({ type }) => type === 'tls');
  const next = begun < 0 ? undefined : client.slice(begun).find((event) => event.type === 'command');
  if (next?.type === 'command' && !/^(?:EHLO|LHLO|HELO|QUIT)$/.test(next.verb)) {
    throw new InvariantError(`After the handshake the client says ${next.verb}`);
  }
};

/** After the end nobody is asked, and nobody is told of anything. */
export const nothingAfterClose: Invariant = ({ askedAfterClose, client, server }) => {
  const [question] = askedAfterClose;
  if (question !== undefined) throw new InvariantError(`A handler was asked after onClose: ${question}`);
  for (const [end, events] of Object.entries({ client, server })) {
    const closed = events.findIndex(({ type }) => type === 'closed');
    if (closed >= 0 && closed < events.length - 1) {
      throw new InvariantError(`The ${end} told of ${events[closed + 1]?.type} after it was closed`);
    }
  }
};

/** Octets that an end may write while its stream is full: replies to what it has read, or a piece of a message. */
const MOST_WHILE_FULL = 140_000;

/** An end that is told to wait does not go on writing. */
export const backpressureIsHeeded: Invariant = ({ streams }) => {
  for (const end of ['client', 'server'] as const) {
    const { mostWhileFull } = streams[end];
    if (mostWhileFull <= MOST_WHILE_FULL) continue;
    throw new InvariantError(`The ${end} wrote ${mostWhileFull} octets while its stream was full`);
  }
};

/** Every session ends, and every message has its verdicts. */
export const everythingEnds: Invariant = ({ ended, duration, sent, faults }) => {
  if (!ended) throw new InvariantError(`After ${duration} ms the session is not over`);
  const [fault] = faults;
  if (fault !== undefined)
    throw new InvariantError(`Nobody had foreseen this: ${String(fault)}`, { cause: fault });
  for (const { to, verdicts } of sent) {
    if (verdicts === undefined || verdicts.length === to.length) continue;
    throw new InvariantError(`${verdicts.length} verdicts for ${to.length} recipients`);
  }
};

/** All of them. */
export const invariants: readonly Invariant[] = [
  everythingEnds,
  repliesMatchCommands,
  storedIsWhatWasSent,
  deliveredIsStored,
  storedIsNotRefused,
  tlsBeginsAnew,
  nothingAfterClose,
  backpressureIsHeeded,
];

/** @throws {InvariantError} the first that does not hold */
export function checkInvariants(history: History): void {
  for (const invariant of invariants) invariant(history);
}

function recipientsBy({ to, verdicts = [] }: SentMessage, verdict: Verdict['verdict']): string[] {
  return to
    .filter((_, index) => verdicts[index]?.verdict === verdict)
    .map((each) => formatMailbox(readForwardPath(each)));
}

function isFor(message: ReceivedMessage, { body }: SentMessage, recipient: string): boolean {
  return message.to.includes(recipient) && isSame(message.raw, body);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((octet, index) => octet === other[index]);
}
