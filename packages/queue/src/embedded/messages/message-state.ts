/**
 * What the journal says of a message: a state, and the changes that lead from one to the next. The same function applies
 * them when they happen and when they are read again.
 */
import type { ClientEnvelope } from '@sansmtp/core';
import { comparableDomain } from '@sansmtp/delivery';
import type { Attempt, Marks, NewMessage, Settlement } from '../../contract/messages.js';
import { senderOf } from '../../contract/sender.js';

/** One recipient of the envelope, at the same index. */
export interface RecipientState {
  readonly state: 'waiting' | 'delivered' | 'bounced';
  readonly attempts: number;
  /** When an attempt is due; of no meaning unless waiting. */
  readonly next: number;
  readonly last: Attempt | null;
  readonly marks: Marks;
  /** Since when the final dot may have been sent, by whichever claim; absent: it was not. */
  readonly committingSince?: number;
}

export interface StoredState {
  readonly id: string;
  readonly arrived: number;
  /** Octets of the body. */
  readonly size: number;
  /** Where the body stands: in the record itself, or in a file of its own. */
  readonly body: 'inline' | 'file';
  readonly envelope: ClientEnvelope;
  readonly sender: string;
  readonly held: boolean;
  /** Dropped while a claim was out: it goes when that is over. */
  readonly dropped: boolean;
  readonly recipients: readonly RecipientState[];
}

/** A change as it is stored: those of one message are found from the last to the first. */
export type StoredChange =
  | Extract<Change, { t: 'message' }>
  | (LaterChange & Link)
  /** It was damaged, and has left the queue; `size`: octets of its body. */
  | { readonly t: 'setAside'; readonly id: string; readonly size: number };

export type LaterChange = Exclude<Change, { t: 'message' }>;

/** What became of recipients of a message. */
export interface Settled {
  readonly id: string;
  readonly settlements: readonly Settlement[];
}

/** Where the record before it about the same message begins, and how many there are since the whole state was stored. */
export interface Link {
  readonly prev: { readonly segment: number; readonly offset: number };
  readonly links: number;
}

/** A record of the journal. */
export type Change =
  /** Everything about a message: when it is put, when it is copied from a segment that is to go, or has many changes. */
  | {
      readonly t: 'message';
      readonly message: StoredState;
      /** What it was put with: both are stored by one record. */
      readonly settles?: Settled & Link;
    }
  | { readonly t: 'committing'; readonly id: string; readonly places: readonly number[]; readonly at: number }
  /** No final dot was sent after all. */
  | { readonly t: 'givenBack'; readonly id: string; readonly places: readonly number[] }
  | ({ readonly t: 'settled' } & Settled)
  | { readonly t: 'held'; readonly id: string; readonly held: boolean }
  | { readonly t: 'dropped'; readonly id: string }
  | { readonly t: 'due'; readonly id: string; readonly places: readonly number[]; readonly next: number };

export function newState(
  message: NewMessage,
  stored: Pick<StoredState, 'id' | 'size' | 'body'>,
): StoredState {
  const { envelope, now, due = now, held = false } = message;
  return {
    ...stored,
    arrived: now,
    envelope,
    sender: senderOf(message),
    held,
    dropped: false,
    recipients: envelope.recipients.map(() => ({
      state: 'waiting',
      attempts: 0,
      next: due,
      last: null,
      marks: {},
    })),
  };
}

/** The next state; undefined: nothing is left to be done with the message. */
export function changed(state: StoredState, change: Change): StoredState | undefined {
  switch (change.t) {
    case 'message':
      return change.message;
    case 'committing':
      return at(state, change.places, (recipient) => ({ ...recipient, committingSince: change.at }));
    case 'givenBack':
      return at(state, change.places, ({ committingSince: _, ...recipient }) => recipient);
    case 'settled':
      return unlessFinished(settled(state, change.settlements));
    case 'held':
      return { ...state, held: change.held };
    case 'dropped':
      return { ...state, dropped: true };
    case 'due':
      return at(state, change.places, (recipient) => ({ ...recipient, next: change.next }));
  }
}

function at(
  state: StoredState,
  places: readonly number[],
  update: (recipient: RecipientState) => RecipientState,
): StoredState {
  const recipients = [...state.recipients];
  for (const place of places) recipients[place] = update(recipients[place] as RecipientState);
  return { ...state, recipients };
}

function settled(state: StoredState, settlements: readonly Settlement[]): StoredState {
  const recipients = [...state.recipients];
  for (const settlement of settlements) {
    const { attempts, next, last, marks } = recipients[settlement.place] as RecipientState;
    recipients[settlement.place] = {
      state: settlement.state,
      attempts: settlement.attempt === undefined ? attempts : attempts + 1,
      next: settlement.state === 'waiting' ? settlement.next : next,
      last: settlement.attempt ?? last,
      marks: { ...marks, ...settlement.marks },
    };
  }
  return { ...state, recipients };
}

function unlessFinished(state: StoredState): StoredState | undefined {
  return state.recipients.some((recipient) => recipient.state === 'waiting') ? state : undefined;
}

/** How the store settles recipients whose worker may have sent the final dot and never said what came of it. */
export function unknownSettlements(
  state: StoredState,
  places: Iterable<number>,
  reason: string,
): readonly Settlement[] {
  return [...places].flatMap((place) => {
    const since = state.recipients[place]?.committingSince;
    if (since === undefined) return [];
    const attempt = { at: since, verdict: 'unknown', reply: null, host: null, reason } as const;
    return [{ place, state: 'waiting', next: since, attempt } as const];
  });
}

/** The domain of each recipient; '' for `<Postmaster>`. */
export function domainsOf(envelope: ClientEnvelope): readonly string[] {
  return envelope.recipients.map(({ domain }) => comparableDomain(domain) ?? domain.toLowerCase());
}

/** The number of a message, of which its ID is made; 0: there is no such ID. */
export function sequenceOf(id: string): number {
  if (!/^[0-9a-z]{1,11}$/.test(id)) return 0;
  const sequence = Number.parseInt(id, 36);
  return Number.isSafeInteger(sequence) && idOf(sequence) === id ? sequence : 0;
}

export function idOf(sequence: number): string {
  return sequence.toString(36);
}
