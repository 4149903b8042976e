/**
 * The steps of an exchange, each as a generator that returns what the exchange is resumed with, typed as that
 * step has it; and the two ways in which the server's half fails.
 *
 * Whoever runs an exchange and resumes it with something else has a defect: that throws, and lets nobody in.
 */
import type {
  AuthenticationAttempt,
  Computation,
  Judgement,
  ServerOutcome,
  ServerStep,
  StoredCredentials,
} from './exchange.js';

/** The one step that both ends have. */
export type ComputeStep = { readonly type: 'compute'; readonly computation: Computation };

/** All that an exchange at either end can be resumed with. */
export type Resumption = Uint8Array | StoredCredentials | Judgement | undefined;

export const SUCCESS: ServerOutcome = { type: 'success' };
export const MALFORMED: ServerOutcome = { type: 'failure', reason: 'malformed' };
export const REFUSED: ServerOutcome = { type: 'failure', reason: 'refused' };

function octetsFor(step: string, resumption: Resumption): Uint8Array {
  if (resumption instanceof Uint8Array) return resumption;
  throw new TypeError(`A SASL step '${step}' is to be resumed with a Uint8Array`);
}

export function* compute(computation: Computation): Generator<ComputeStep, Uint8Array, Resumption> {
  return octetsFor('compute', yield { type: 'compute', computation });
}

/** Returns the client's response. */
export function* challenge(data: Uint8Array): Generator<ServerStep, Uint8Array, Resumption> {
  return octetsFor('challenge', yield { type: 'challenge', data });
}

export function* retrieve(
  mechanism: string,
  username: string,
): Generator<ServerStep, StoredCredentials | undefined, Resumption> {
  const resumption = yield { type: 'retrieve', mechanism, username };
  if (resumption instanceof Uint8Array || (resumption !== undefined && !('kind' in resumption))) {
    throw new TypeError("A SASL step 'retrieve' is to be resumed with StoredCredentials or undefined");
  }
  return resumption;
}

/** The last step but those that tell the client of it. */
export function* judge(attempt: AuthenticationAttempt): Generator<ServerStep, Judgement, Resumption> {
  const resumption = yield { type: 'verify', attempt };
  if (typeof resumption === 'object' && 'accepted' in resumption) return resumption;
  throw new TypeError("A SASL step 'verify' is to be resumed with a Judgement");
}

/** `judge` for a mechanism that has nothing to say about a refusal: whether they are let in. */
export function* verify(attempt: AuthenticationAttempt): Generator<ServerStep, boolean, Resumption> {
  return (yield* judge(attempt)).accepted;
}
