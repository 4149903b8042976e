/** What the verdicts of a delivery say of its destination. */
import type { RecipientVerdict } from '@sansmtp/delivery';
import type { Delivered } from '../../scheduler/scheduler.js';

/** Failed connections, those that were lost before a greeting came included, and greetings of 421: nothing else is "down". */
function isUnreached({ verdict, phase, reply }: RecipientVerdict): boolean {
  if (verdict !== 'deferred') return false;
  return phase === 'connect' || (phase === 'greeting' && (reply === undefined || reply.code === 421));
}

/** DNS was asked, and nobody else. */
function saysNothing({ phase }: RecipientVerdict): boolean {
  return phase === 'routing';
}

export function reachOf(verdicts: readonly RecipientVerdict[]): Delivered {
  const unreached = verdicts.find(isUnreached);
  const others = verdicts.filter((verdict) => !isUnreached(verdict) && !saysNothing(verdict));
  if (others.length > 0) return { reach: 'reached', reason: '' };
  return unreached === undefined
    ? { reach: 'nothing', reason: '' }
    : { reach: 'failed', reason: unreached.reason };
}
