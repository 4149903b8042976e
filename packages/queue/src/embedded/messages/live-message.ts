/** A message of the queue that is in use: its whole state is in memory, and what can be seen of it. */
import type { QueuedMessage, QueuedRecipient } from '../../contract/messages.js';
import type { OrderedTask } from '../index/due-order.js';
import { domainsOf, type StoredState } from './message-state.js';

export interface Live {
  readonly sequence: number;
  state: StoredState;
  /** Records since the whole state was stored. */
  links: number;
  readonly domains: readonly string[];
  /** Place of a recipient → fencing number of the claim that has it. */
  readonly claimed: Map<number, number>;
  /** What is being done to it; the next in turn waits for that. */
  turn: Promise<unknown>;
  /** It has left the queue. */
  isGone: boolean;
  /** Of one that was put by this process: its body, if that is in its record. */
  readonly body: Uint8Array | undefined;
}

export function liveMessage(sequence: number, state: StoredState, links = 0, body?: Uint8Array): Live {
  const domains = domainsOf(state.envelope);
  return {
    sequence,
    state,
    links,
    domains,
    claimed: new Map(),
    turn: Promise.resolve(),
    isGone: false,
    body,
  };
}

/** The recipients that wait, and that no claim has. */
export function waitingPlaces({ state, claimed }: Live): number[] {
  return [...state.recipients.keys()].filter(
    (place) => state.recipients[place]?.state === 'waiting' && !claimed.has(place),
  );
}

/** @param isWanted whether its recipients in a domain are */
export function duePlaces(live: Live, isWanted: (domain: string) => boolean, now: number): number[] {
  const { held, dropped, recipients } = live.state;
  if (held || dropped || live.isGone) return [];
  return waitingPlaces(live).filter(
    (place) => isWanted(live.domains[place] as string) && (recipients[place]?.next as number) <= now,
  );
}

/** For each domain that it waits for: when it is due there; open, unless it is held, or claimed for all recipients there. */
export function tasksOf({ state, domains, claimed }: Live): readonly OrderedTask[] {
  const { held, dropped } = state;
  const tasks = new Map<string, OrderedTask>();
  for (const [place, { state: recipient, next }] of state.recipients.entries()) {
    if (recipient !== 'waiting') continue;
    const domain = domains[place] as string;
    const isOpen = !held && !dropped && !claimed.has(place);
    const known = tasks.get(domain);
    if (known === undefined || (isOpen && !known.isOpen) || (isOpen === known.isOpen && next < known.due)) {
      tasks.set(domain, { domain, due: next, isOpen });
    }
  }
  return [...tasks.values()];
}

export function messageState({ state, claimed }: Live): QueuedMessage['state'] {
  if (claimed.size > 0) return 'delivering';
  return state.held ? 'held' : 'waiting';
}

export function describe(live: Live): QueuedMessage {
  const { id, arrived, size, envelope, sender, recipients } = live.state;
  const described = recipients.map(({ state, attempts, next, last, marks }, place): QueuedRecipient => {
    const recipient = envelope.recipients[place] as QueuedRecipient['recipient'];
    const common = { recipient, domain: live.domains[place] as string, attempts, last, marks };
    return state === 'waiting' ? { ...common, state, next } : { ...common, state };
  });
  return { id, arrived, size, envelope, sender, state: messageState(live), recipients: described };
}
