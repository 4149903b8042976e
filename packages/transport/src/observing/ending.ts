/** How a session ended, read off the step by which it did. */
import type { SessionEnding } from '@sansmtp/core';
import type { Ending } from './observer.js';

const ENDINGS: Readonly<Record<string, Ending>> = {
  'command.QUIT': 'quit',
  peerClosed: 'peerClosed',
  connectionLost: 'lost',
  tlsFailed: 'lost',
  shutdown: 'shutdown',
};

export function endingBy({ event, from }: SessionEnding): Ending {
  if (event.startsWith('xstate.after.')) return 'timeout';
  // A client has said QUIT, whatever comes of that.
  if (from === 'session.quitting') return 'quit';
  return ENDINGS[event] ?? 'dismissed';
}
