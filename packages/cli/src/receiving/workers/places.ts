/**
 * The places that sessions of one worker take. Each is counted by the process that supervises, under its client, and asked for
 * there. The place of a session that has ended is kept for the next one of that client, so that most connections ask nobody;
 * kept places count as taken. Where somebody is in want of one, all are given back, and none is kept any more until told.
 */
import type { ConnectionLimit, ConnectionLimiter } from '@sansmtp/transport-node';
import type { FromWorker, ToWorker } from './messages.js';

/** Of all clients together; beyond it the client whose place was kept longest ago gives one back. */
const MAXIMUM_KEPT = 100;

export interface Places extends ConnectionLimiter {
  /** What the process that supervises says. */
  hear(message: ToWorker): void;
}

export function places(tell: (message: FromWorker) => void): Places {
  const asked = new Map<number, (limit: ConnectionLimit | undefined) => void>();
  let questions = 0;
  /** By client; whose place was kept last stands last. */
  const kept = new Map<string | undefined, number>();
  let size = 0;
  let areScarce = false;

  function takeKept(client: string | undefined): boolean {
    const count = kept.get(client);
    if (count === undefined) return false;
    if (count === 1) kept.delete(client);
    else kept.set(client, count - 1);
    size -= 1;
    return true;
  }

  function keep(client: string | undefined): void {
    const count = kept.get(client) ?? 0;
    kept.delete(client);
    kept.set(client, count + 1);
    size += 1;
    if (size > MAXIMUM_KEPT) giveOldestBack();
  }

  function giveOldestBack(): void {
    const [client] = kept.keys();
    if (takeKept(client)) tell({ type: 'leave', client });
  }

  return {
    enter(client, maximum) {
      if (takeKept(client)) return undefined;
      return new Promise((resolve) => {
        questions += 1;
        asked.set(questions, resolve);
        tell({ type: 'enter', question: questions, client, maximum });
      });
    },
    leave(client) {
      if (areScarce) tell({ type: 'leave', client });
      else keep(client);
    },
    hear(message) {
      switch (message.type) {
        case 'answer':
          asked.get(message.question)?.(message.limit);
          asked.delete(message.question);
          break;
        case 'placesAreScarce':
          areScarce = true;
          while (size > 0) giveOldestBack();
          tell({ type: 'placesGivenBack' });
          break;
        case 'placesAreMany':
          areScarce = false;
      }
    },
  };
}
