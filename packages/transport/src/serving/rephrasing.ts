import { isReply, type Reply } from '@sansmtp/core';
import { guarded } from '../guarded.js';
import { isPromiseLike } from '../handlers/handler-answers.js';
import type { ServeOptions } from './server-connection.js';

type Rephrase = NonNullable<ServeOptions['rephrase']>;

/** A reply that cannot be put in other words goes out in ours: the client waits for it. */
export function guardedRephrase(rephrase: Rephrase, onFault: (error: unknown) => void): Rephrase {
  return (reply, occasion) => {
    let said: Reply | undefined;
    guarded(() => {
      const result = rephrase(reply, occasion);
      if (isPromiseLike(result)) return result;
      if (!isReply(result)) throw new TypeError('rephrase returned no reply');
      if (Math.floor(result.code / 100) !== Math.floor(reply.code / 100)) {
        throw new RangeError(
          `rephrase made ${result.code} of the reply ${reply.code}: it may change the words, but not what they mean (RFC 5321 §4.2.1)`,
        );
      }
      said = result;
      return undefined;
    }, onFault);
    return said ?? reply;
  };
}
