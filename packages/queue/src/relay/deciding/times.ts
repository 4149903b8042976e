/** Times that the sender of a message has asked for: milliseconds since 1970 UTC. */
import type { MailParameters } from '@sansmtp/core';
import type { QueuedMessage } from '../../contract/messages.js';

/** Until when it is to be held (FUTURERELEASE, RFC 4865 §4.2). @param now when it arrived */
export function releaseTime(parameters: MailParameters | undefined, now: number): number {
  const hold = parameters?.hold;
  if (hold === undefined) return now;
  const at = 'seconds' in hold ? now + hold.seconds * 1000 : Date.parse(hold.until);
  return Math.max(now, at);
}

/** From when on it is to be delivered: all that lasts so and so long begins then. */
export function heldUntil({ arrived, envelope }: QueuedMessage): number {
  return releaseTime(envelope.parameters, arrived);
}

/** By when it is to be delivered (DELIVERBY, RFC 2852 §4); undefined: whenever that may be. */
export function deliverByTime({ arrived, envelope }: QueuedMessage): number | undefined {
  const deliverBy = envelope.parameters?.deliverBy;
  return deliverBy && arrived + deliverBy.seconds * 1000;
}
