/** How a driver lets go of the stream of a session that is over. */

import { complain, guarded } from '../guarded.js';
import type { Clock } from '../time/clock.js';
import type { DeadlineTimer } from '../time/deadline-timer.js';
import type { ByteStream } from './byte-stream.js';

/** How long the last octets may take to leave, in milliseconds. */
const FLUSH_TIME = 5_000;

/** Lets go at once, unless the peer has ended its side as it should: the last octets may then still be on their way. */
export function release(stream: ByteStream, peerEnded: boolean, clock: Clock, timer: DeadlineTimer): void {
  if (!peerEnded) {
    stream.abort();
    return;
  }
  stream.end();
  timer.clear();
  timer.arm(clock.now() + FLUSH_TIME, {
    due: () =>
      guarded(
        () => stream.abort(),
        (thrown) => complain('abort of a stream', thrown),
      ),
  });
}
