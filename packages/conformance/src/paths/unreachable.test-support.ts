/**
 * The transitions of the server's chart that the paths do not take, each with the reason. Those that no session can take
 * stand beside the chart.
 */
import { unreachable as ofNoSession } from '../../../core/src/server/chart/unreachable.test-support.js';

export interface Untaken {
  /** Identifiers of transitions. */
  readonly transitions: RegExp;
  readonly reason: string;
}

/** A session can take them, and the paths cannot. */
export const untaken: readonly Untaken[] = [
  {
    transitions: /^session\.permittingTls\|(?:rejected\|\d|after decision\|0)$/,
    reason:
      'The driver decides by the stream alone, at once: it does not offer STARTTLS where the stream cannot start TLS.',
  },
  {
    transitions: /^session\.securing\|(?:plaintext|tlsFailed)\|0$/,
    reason:
      'A stream in memory takes nothing in the clear between the 220 and the handshake, and closes when that fails: a lost connection.',
  },
  {
    transitions: /^session\.authenticating\.(?:computing|retrieving)\|/,
    reason:
      'PLAIN and LOGIN, which the paths speak, neither compute nor retrieve: SCRAM and CRAM-MD5 do, whose clients answer what they are told.',
  },
  {
    transitions: /^session\.(?:ready\|command\.AUTH|authenticating\.challenged\|response)\|/,
    reason: 'What comes next is for the mechanism to say: PLAIN and LOGIN do not come to it here.',
  },
  {
    transitions: /^session\.authenticating\.judging\|(?:accepted|rejected)\|/,
    reason: 'Once somebody has decided, PLAIN and LOGIN ask nothing more.',
  },
];

/** Why a transition is not taken; undefined: it has to be. */
export const reasonFor = (transition: string): string | undefined =>
  ofNoSession[transition] ?? untaken.find(({ transitions }) => transitions.test(transition))?.reason;

/** Reasons for nothing: for what is taken, or what no session can take. */
export const idleReasons = (left: readonly string[]): readonly Untaken[] =>
  untaken.filter(
    ({ transitions }) => !left.some((id) => ofNoSession[id] === undefined && transitions.test(id)),
  );
