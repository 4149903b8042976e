/** What is generated for a client: a server, a task, and how the client is set up. It shrinks towards a server that takes everything. */
import type { Script } from '@sansmtp/testing';
import { serverBehaviour } from '@sansmtp/testing/arbitraries';
import * as fc from 'fast-check';
import type { Setup } from '../contract.js';
import type { Scene } from '../observe.js';
import { oddServer } from './odd-moments.js';
import { beginning } from './offering.js';
import { task } from './tasks.js';
import { hurried } from './timing.js';

export interface SceneChoice {
  readonly setups: readonly Setup[];
  /** Milliseconds after which the client gives up on a reply, if it is worth waiting for; then servers fall silent as well. */
  readonly silence: number | undefined;
}

function scriptFor(setup: Setup, silence: number | undefined): fc.Arbitrary<Script> {
  const behaviour = fc.oneof(
    { weight: 2, arbitrary: fc.constant<Script>({}) },
    { weight: 7, arbitrary: oddServer(setup === 'lmtp', silence) },
    { weight: 1, arbitrary: serverBehaviour().map(hurried) },
  );
  // Where TLS is wanted, an odd reply to EHLO would be the end each time.
  const isSecure = setup === 'startTls' || setup === 'login';
  return fc
    .tuple(beginning(setup), behaviour)
    .map(([first, odd]) => (isSecure ? { ...odd, ...first } : { ...first, ...odd }));
}

/** What is met, and what is asked for. */
export function scene({ setups, silence }: SceneChoice): fc.Arbitrary<Omit<Scene, 'limit'>> {
  return fc.constantFrom(...setups).chain((setup) => {
    const hasCertificate = setup !== 'plain' && setup !== 'lmtp';
    return fc.record({
      setup: fc.constant(setup),
      script: scriptFor(setup, silence),
      task,
      stranger: fc.constantFrom(false, false, false, false, false, hasCertificate),
    });
  });
}
