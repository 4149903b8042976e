/** What a recorded step is about, in a sentence, by the rung with which it begins. */
import type { Rung } from '@sansmtp/charts/trace';
import { type End, otherEnd } from '../simulation/ends.js';
import { eventWords, questionWords } from './words.js';

/** Empty: it does not say, and the next rung may. */
export function titleOfRung(rung: Rung, end: End): string {
  switch (rung.kind) {
    case 'line': {
      const what = rung.code ?? rung.verb ?? 'a line';
      return rung.by === end ? `The ${end} says ${what}.` : `The ${end} reads ${what}.`;
    }
    case 'decision':
      return rung.decision.about === 'question'
        ? `The server’s application ${rung.decision.decision === 'accept' ? 'accepts' : 'refuses'} ${questionWords(rung.decision.question)}.`
        : '';
    case 'state':
      if (rung.event === 'opened') return 'The client connects.';
      if (rung.event.startsWith('after '))
        return `A deadline of the ${end} has passed: ${rung.event.slice(6)}.`;
      return `The ${end}: ${eventWords(rung.event)}.`;
    case 'mailData':
      return `The ${end === 'server' ? 'server reads' : 'client sends'} the message.`;
    case 'tls':
      return rung.handshake.outcome === 'established'
        ? 'The TLS handshake is done.'
        : 'The TLS handshake fails.';
    case 'error':
      return `Something is wrong: ${rung.error.message}.`;
    case 'gap':
      return `${rung.missing} records are missing here.`;
    case 'closed':
      return `The connection is closed (${rung.closed.ending}).`;
    case 'bytes':
      return '';
    case 'timer':
      return `The ${otherEnd(end)} is waited for.`;
  }
}
