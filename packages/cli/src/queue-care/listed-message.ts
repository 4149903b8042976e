/** A message of the queue as `sansmtp queue` shows it: to programs as JSON, to people in lines. */
import { formatMailbox } from '@sansmtp/core';
import type { QueuedMessage, QueuedRecipient } from '@sansmtp/queue';

/** Times are ISO 8601, in UTC. Scripts read this: properties may be added, and none changes. */
export interface ListedMessage {
  readonly id: string;
  /** The reverse-path without angle brackets; empty: the null one. */
  readonly from: string;
  /** Octets. */
  readonly size: number;
  readonly arrived: string;
  readonly state: 'waiting' | 'held' | 'delivering';
  readonly recipients: readonly ListedRecipient[];
}

export interface ListedRecipient {
  readonly address: string;
  readonly state: 'waiting' | 'delivered' | 'bounced';
  readonly attempts: number;
  /** When the next attempt is due; null: there is none. */
  readonly next: string | null;
  readonly last: {
    readonly at: string;
    readonly verdict: string;
    readonly reply: string | null;
    readonly host: string | null;
    readonly reason: string;
  } | null;
}

const iso = (time: number): string => new Date(time).toISOString();

export function listed({ id, envelope, size, arrived, state, recipients }: QueuedMessage): ListedMessage {
  return {
    id,
    from: envelope.reversePath === null ? '' : formatMailbox(envelope.reversePath),
    size,
    arrived: iso(arrived),
    state,
    recipients: recipients.map(listedRecipient),
  };
}

function listedRecipient(given: QueuedRecipient): ListedRecipient {
  const { recipient, state, attempts, last } = given;
  return {
    address: formatMailbox(recipient),
    state,
    attempts,
    next: given.state === 'waiting' ? iso(given.next) : null,
    last: last && {
      at: iso(last.at),
      verdict: last.verdict,
      reply: last.reply,
      host: last.host,
      reason: last.reason,
    },
  };
}

/** What a peer said cannot steer a terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\p{Bidi_Control}]/gu, '?');
}

/** A line for a list. */
export function lineOf({ id, from, size, arrived, state, recipients }: ListedMessage): string {
  const waiting = recipients.filter((each) => each.state === 'waiting').map(({ address }) => address);
  const [first = '', ...more] = waiting;
  const to = more.length === 0 ? first : `${first} and ${more.length} more`;
  return printable(`${id}  ${state.padEnd(10)}  ${arrived}  ${size}  <${from}>  ${to}`);
}

/** Why it is still here, in lines. */
export function linesOf(message: ListedMessage): readonly string[] {
  const { id, from, size, arrived, state, recipients } = message;
  return [
    `${id}  ${state}, ${size} octets from <${from}>, arrived ${arrived}`,
    ...recipients.flatMap((each) => [
      `  <${each.address}>  ${each.state}, ${attempts(each.attempts)}${each.next === null ? '' : `, next ${each.next}`}`,
      ...(each.last === null
        ? []
        : [
            `    ${each.last.at}  ${each.last.verdict}: ${each.last.reply ?? each.last.reason}${at(each.last.host)}`,
          ]),
    ]),
  ].map(printable);
}

function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

function at(host: string | null): string {
  return host === null ? '' : ` (${host})`;
}
