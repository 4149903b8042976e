/** Gives out claims of what is due, and takes back those whose lease is over. */
import type { Claim } from '../../contract/messages.js';
import type { ClaimRequest } from '../../contract/queue-store.js';
import { duePlaces, type Live } from '../messages/live-message.js';
import type { StoredMessages } from '../messages/stored-messages.js';
import type { Claims } from './claims.js';

/** Messages that are read from the disk at a time. */
const READ_AT_ONCE = 32;

interface SomeClaims {
  readonly some: readonly Claim[];
  /** What could not be read. */
  readonly failure?: unknown;
  /** Nothing more is to be had now. */
  readonly isOver: boolean;
}

/** @throws the system's error where a message cannot be read for now, unless there are others: it stays due */
export async function claimDue(
  messages: StoredMessages,
  claims: Claims,
  request: ClaimRequest,
): Promise<readonly Claim[]> {
  const { limit = 1 } = request;
  const granted: Claim[] = [];
  while (granted.length < limit) {
    const atOnce = Math.min(limit - granted.length, READ_AT_ONCE);
    const { some, failure, isOver } = await claimSome(messages, claims, request, atOnce);
    granted.push(...some);
    if (failure !== undefined && granted.length === 0) throw failure;
    if (isOver) break;
  }
  return granted;
}

async function claimSome(
  messages: StoredMessages,
  claims: Claims,
  { now, lease, domain, except, destinationOf = (each) => each }: ClaimRequest,
  atOnce: number,
): Promise<SomeClaims> {
  const { index, inUse } = messages;
  const isWanted = wantedIn(domain, except);
  const taken: { readonly sequence: number; readonly domain: string }[] = [];
  for (let task = index.take(now, isWanted); task !== undefined; ) {
    taken.push(task);
    task = taken.length < atOnce ? index.take(now, isWanted) : undefined;
  }
  if (taken.length === 0) return { some: [], isOver: true };
  const read = await Promise.allSettled(taken.map(({ sequence }) => inUse.borrow(sequence)));
  const some: Claim[] = [];
  let failure: unknown;
  for (const [i, task] of taken.entries()) {
    const each = read[i] as PromiseSettledResult<Live | undefined>;
    if (each.status === 'rejected') {
      failure ??= each.reason;
      index.putBack(task);
      continue;
    }
    const live = each.value;
    if (live === undefined) continue;
    const destination = destinationOf(task.domain);
    const places = duePlaces(live, (each) => destinationOf(each) === destination, now);
    // The claim takes over the message that was borrowed.
    if (places.length > 0) some.push(claims.grant(live, task.domain, places, now + lease));
    // Others that go there, or these, may be due later.
    messages.reschedule(live);
    if (places.length === 0) inUse.release(task.sequence);
  }
  return { some, failure, isOver: failure !== undefined };
}

/** Ends the claims whose lease is over. */
export async function takeBack(messages: StoredMessages, claims: Claims, now: number): Promise<void> {
  await Promise.all(
    claims.overdue(now).map((granted) =>
      messages.inTurn(granted.live, async () => {
        // It may have been renewed, or have ended, meanwhile.
        if (!claims.isOverdue(granted, now)) return;
        const { live, places } = granted;
        await messages.settleAsUnknown(live, places, 'the lease ended');
        claims.free(granted, [...places]);
        messages.reschedule(live);
      }),
    ),
  );
}

export function wantedIn(
  domain: string | undefined,
  except: Iterable<string> | undefined,
): (each: string) => boolean {
  const excepted = new Set(except);
  return (each) => (domain === undefined || each === domain) && !excepted.has(each);
}
