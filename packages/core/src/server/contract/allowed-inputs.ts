/**
 * What may be handed in where a session stands, for the error that something else was. What the peer does is left out
 * where our own side is waited for, though it may be handed in: it is not what brings the session on.
 */
import type { ServerState } from '../chart/chart-events.js';
import type { Question } from '../decisions/questions.js';

/** @param question the one that is open */
export function allowedIn(state: ServerState, question: Question | undefined): string {
  return `${awaitedIn(state, question)}, lost, timeout`;
}

function awaitedIn(state: ServerState, question: Question | undefined): string {
  if (question !== undefined) return `answer (${question.kind})`;
  if (state === 'session.authenticating.computing') return 'computed';
  if (state === 'session.securing') return 'tlsEstablished, tlsFailed';
  return 'bytes, eof, shutdown';
}
