/** What a generated client answers in an exchange without a password, and what it holds against the server's side of it. */
import type { Credentials } from '../contract/target.js';
import { Deviation } from '../dialogue/findings.js';
import {
  digestOf,
  finalOf,
  firstBareOf,
  MSG_ID,
  NONCE,
  readServerFirst,
  SERVER_FIRST,
} from '../running/proofs.js';
import type { Proof } from './steps.js';
import { base64 } from './stretches/surroundings.js';

/** The challenges of a session: none may come again. */
export type Challenges = Map<string, string>;

/** The client's part of an exchange: what it says, and what has to come of it. */
export interface Prover {
  /** AUTH, with its initial response if it has one. */
  readonly command: string;
  /**
   * The response to a challenge, both with base64 undone. `*`: the exchange is cancelled.
   * @throws {Deviation} the challenge is not one that the mechanism has
   */
  readonly respond: (challenge: string, turn: number) => string;
  /** What is cancelled fails as well. */
  readonly outcome: 'succeeds' | 'fails' | 'is501';
  /** What is wrong with what the server has shown when it lets the client in. */
  readonly shown: () => string | undefined;
}

const nothing = (): undefined => undefined;

export function proverOf({ mechanism, how }: Proof, credentials: Credentials, known: Challenges): Prover {
  const outcome = how === 'right' ? 'succeeds' : how === 'atOnce' ? 'is501' : 'fails';
  const { user, password } = credentials;
  const other = { user, password: `${password}x` };
  if (mechanism === 'EXTERNAL') {
    const name = how === 'forSomebody' ? base64('postmaster') : '=';
    return { command: `AUTH EXTERNAL ${name}`, respond: () => '', outcome, shown: nothing };
  }
  if (mechanism === 'CRAM-MD5') {
    return {
      command: how === 'atOnce' ? `AUTH CRAM-MD5 ${base64(`${user} 0`)}` : 'AUTH CRAM-MD5',
      respond(challenge) {
        if (!MSG_ID.test(challenge)) throw new Deviation(`the challenge ${challenge} is no msg-id`);
        isNew(known, challenge, challenge);
        if (how === 'begun') return '*';
        if (how === 'malformed') return `${user} `;
        return digestOf(challenge, how === 'ofAnotherPassword' ? other : credentials);
      },
      outcome,
      shown: nothing,
    };
  }
  return scramProver(how, credentials, { outcome, known });
}

function scramProver(
  how: Proof['how'],
  credentials: Credentials,
  { outcome, known }: { readonly outcome: Prover['outcome']; readonly known: Challenges },
): Prover {
  const gs2 = how === 'withoutBinding' ? 'y,,' : 'n,,';
  let signature = '';
  let shown = '';
  return {
    command: `AUTH SCRAM-SHA-256 ${base64(how === 'malformed' ? 'n,,x=1' : `${gs2}${firstBareOf(credentials)}`)}`,
    respond(challenge, turn) {
      if (how === 'malformed') throw new Deviation('it goes on after a first message that is none');
      if (turn > 0) {
        shown = challenge;
        return '';
      }
      if (!SERVER_FIRST.test(challenge)) throw new Deviation(`the first message is ${challenge}`);
      const first = readServerFirst(challenge);
      if (!first.nonce.startsWith(NONCE) || first.nonce === NONCE)
        throw new Deviation(`the nonce is ${first.nonce}`);
      isNew(known, first.nonce, `the nonce ${first.nonce}`);
      isAsBefore(known, `salt of ${credentials.user}`, first.salt.toString('base64'));
      if (how === 'begun') return '*';
      const { user, password } = credentials;
      const of = how === 'ofAnotherPassword' ? { user, password: `${password}x` } : credentials;
      const final = finalOf(of, first, {
        gs2: how === 'withAnotherHeader' ? 'y,,' : gs2,
        ...(how === 'withAnotherNonce' && { sentNonce: NONCE }),
      });
      signature = final.signature;
      return final.message;
    },
    outcome,
    shown: () => (shown === signature ? undefined : `the signature is ${shown || 'missing'}`),
  };
}

/** A challenge that was heard before is of use to whoever listened. */
function isNew(known: Challenges, challenge: string, what: string): void {
  if (known.has(challenge)) throw new Deviation(`${what} came twice`);
  known.set(challenge, challenge);
}

function isAsBefore(known: Challenges, what: string, value: string): void {
  const before = known.get(what);
  if (before !== undefined && before !== value) throw new Deviation(`the ${what} changes`);
  known.set(what, value);
}
