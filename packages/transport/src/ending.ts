/** How a session ended, read off the transition by which it did. */
import type { TransitionRecord } from '@sansmtp/core';
import type { Ending } from './observer.js';

const ENDED: readonly string[] = ['closing', 'closed'];

const ENDINGS: Readonly<Record<string, Ending>> = {
  'command.QUIT': 'quit',
  peerClosed: 'peerClosed',
  connectionLost: 'lost',
  tlsFailed: 'lost',
  shutdown: 'shutdown',
};

/** Undefined: the session goes on, or has ended before. */
export function endingBy({
  event,
  from,
  to,
}: Pick<TransitionRecord, 'event' | 'from' | 'to'>): Ending | undefined {
  if (!ENDED.includes(to) || ENDED.includes(from)) return undefined;
  if (event.startsWith('xstate.after.')) return 'timeout';
  // A client has said QUIT, whatever comes of that.
  if (from === 'session.quitting') return 'quit';
  return ENDINGS[event] ?? 'dismissed';
}
