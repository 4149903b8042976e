/**
 * What a mechanism of the application's own gives, at either end: it need not be compiled, and what is no step would be
 * taken for a refusal, or be found by the engine. Nothing of it is shown, for it may be a secret.
 */
import { Secret } from '../../secret.js';
import type { ClientExchange, ClientStep, ServerExchange, ServerOutcome, ServerStep } from './exchange.js';

/** @throws {TypeError} `begin()` is no generator function */
export function checkExchange<Exchange extends ServerExchange | ClientExchange>(
  mechanism: string,
  exchange: Exchange,
): Exchange {
  if (typeof (exchange as Partial<Exchange> | undefined)?.next === 'function') return exchange;
  throw new TypeError(`begin() of the mechanism ${mechanism} gave no generator; write it as *begin() { … }`);
}

/** @throws {TypeError} it is none */
export function checkClientStep(mechanism: string, step: ClientStep): void {
  if (step?.type === 'compute' && typeof step.computation === 'object') return;
  if (step?.type === 'respond' && (step.data === undefined || step.data instanceof Secret)) return;
  throw new TypeError(
    `The mechanism ${mechanism} yielded what is no step; it takes { type: 'respond', data, mayEnd }, where data is a ` +
      "Secret or undefined, or { type: 'compute', computation }",
  );
}

/** @throws {TypeError} it is none */
export function checkServerStep(
  mechanism: string,
  { done, value }: IteratorResult<ServerStep, ServerOutcome>,
): ServerStep | ServerOutcome {
  if (done ? isOutcome(value) : isStep(value)) return value;
  throw new TypeError(
    done
      ? `The mechanism ${mechanism} returned no outcome; it takes { type: 'success' }, or ` +
          "{ type: 'failure', reason: 'refused' or 'malformed' }"
      : `The mechanism ${mechanism} yielded what is no step; it takes { type: 'challenge', data }, where data is a ` +
          "Uint8Array, { type: 'verify', attempt }, { type: 'retrieve', mechanism, username } or " +
          "{ type: 'compute', computation }",
  );
}

function isStep(step: ServerStep): boolean {
  switch (step?.type) {
    case 'challenge':
      return step.data instanceof Uint8Array;
    case 'compute':
      return typeof step.computation === 'object';
    case 'retrieve':
      return typeof step.username === 'string';
    case 'verify':
      return typeof step.attempt?.mechanism === 'string';
    default:
      return false;
  }
}

function isOutcome(outcome: ServerOutcome): boolean {
  return (
    outcome?.type === 'success' ||
    (outcome?.type === 'failure' && (outcome.reason === 'refused' || outcome.reason === 'malformed'))
  );
}
