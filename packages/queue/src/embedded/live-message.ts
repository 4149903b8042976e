/** A message of the queue in memory, and what can be seen of it. */
import type { QueuedMessage, QueuedRecipient } from '../contract/messages.js';
import type { Place } from './journal.js';
import type { StoredState } from './message-state.js';

/** A message in memory. */
export interface Live {
  state: StoredState;
  /** Where its whole state stands. */
  home: Place;
  readonly domains: readonly string[];
  /** Place of a recipient → fencing number of the claim that has it. */
  readonly claimed: Map<number, number>;
  /** Domain → the earliest entry of the order that is about it. */
  readonly scheduled: Map<string, number>;
  /** What is being done to it; the next in turn waits for that. */
  turn: Promise<unknown>;
}

/** The recipients that wait, and that no claim has. */
export function waitingPlaces({ state, claimed }: Live): number[] {
  return [...state.recipients.keys()].filter(
    (place) => state.recipients[place]?.state === 'waiting' && !claimed.has(place),
  );
}

export function duePlaces(live: Live, domain: string, now: number): number[] {
  const { held, dropped, recipients } = live.state;
  if (held || dropped) return [];
  return waitingPlaces(live).filter(
    (place) => live.domains[place] === domain && (recipients[place]?.next as number) <= now,
  );
}

/** As much of a message as it takes to show it. */
type Described = Pick<Live, 'state' | 'domains' | 'claimed'>;

export function messageState({ state, claimed }: Described): QueuedMessage['state'] {
  if (claimed.size > 0) return 'delivering';
  return state.held ? 'held' : 'waiting';
}

export function describe(live: Described): QueuedMessage {
  const { id, arrived, size, envelope, sender, recipients } = live.state;
  const described = recipients.map(({ state, attempts, next, last, marks }, place): QueuedRecipient => {
    const recipient = envelope.recipients[place] as QueuedRecipient['recipient'];
    const common = { recipient, domain: live.domains[place] as string, attempts, last, marks };
    return state === 'waiting' ? { ...common, state, next } : { ...common, state };
  });
  return { id, arrived, size, envelope, sender, state: messageState(live), recipients: described };
}
