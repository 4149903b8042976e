/**
 * One SASL exchange of a client (RFC 4954 §4): joins a mechanism, which knows octets, to the lines of SMTP.
 *
 * - What the mechanism says stays a secret: each line comes with what may be recorded in its place, and `discretion`
 *   knows each, for the server may quote them to us.
 * - Base64 is strict both ways. The prompts of LOGIN are an exception, since they say nothing: some servers write them as they are.
 * - The AUTH command has 512 octets at most, like any other: with an initial response it may be longer by RFC 4954 §4
 *   alone, and many servers answer that by 500 (erratum 5224). An initial response that does not fit is sent when the
 *   server asks for it, on a line that may have 12288 octets.
 */

import { clientMechanisms } from '../../sasl/client-mechanisms.js';
import { decodeBase64, encodeBase64 } from '../../sasl/exchange/base64.js';
import type {
  ClientChannel,
  ClientCredentials,
  ClientExchange,
  ClientMechanism,
  Computation,
} from '../../sasl/exchange/exchange.js';
import { checkClientStep, checkExchange } from '../../sasl/exchange/given-steps.js';
import { Secret } from '../../secret.js';
import { MAXIMUM_AUTHENTICATION_OCTETS, MAXIMUM_COMMAND_OCTETS } from '../../wire/commands/command.js';
import { formatCommand } from '../../wire/commands/format-command.js';
import { encodeText, NOTHING } from '../../wire/octets.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { Finding } from '../chart/chart-events.js';
import { Discretion } from '../replies/discretion.js';

const CRLF = '\r\n';

/** A line to be sent. */
export interface ExchangeLine {
  readonly bytes: Uint8Array;
  /** What may be recorded in its place, if it holds a secret. */
  readonly redacted?: Uint8Array;
}

/** What the mechanism comes to next. */
export type Preparation =
  /** Have it computed, give the result to `computed`, and prepare again. */
  | { readonly type: 'compute'; readonly computation: Computation }
  /** Send what `nextLine` gives. */
  | { readonly type: 'respond' }
  /** Give up. `begun`: AUTH was sent. */
  | { readonly type: 'cancel'; readonly reason: string; readonly begun: boolean };

export class Authentication {
  readonly mechanism: string;
  /** What no text may show, also once the exchange is over. */
  readonly discretion: Discretion;
  readonly #exchange: ClientExchange;
  /** It is none of ours: nobody knows what of its words is secret, so all are. */
  readonly #isOwn: boolean;
  /** What the mechanism is resumed with; undefined before it begins. */
  #resumption: Uint8Array | undefined;
  /** The next response in base64; undefined: none, which only the first may be. */
  #response: Secret | undefined;
  #mayEnd = false;
  #begun = false;
  /** The initial response did not fit into the command. */
  #held = false;
  #computing = false;

  constructor(mechanism: ClientMechanism, credentials: ClientCredentials, channel: ClientChannel) {
    this.mechanism = mechanism.name;
    this.discretion = new Discretion(credentials);
    this.#isOwn = ![...clientMechanisms.values()].includes(mechanism);
    this.#exchange = checkExchange(mechanism.name, mechanism.begin(credentials, channel));
  }

  /** The host was asked to compute something, and has not given the result. */
  get computing(): boolean {
    return this.#computing;
  }

  /** Begins the exchange, or takes it on after a challenge or a result. */
  prepare(): Preparation {
    const resumption = this.#resumption;
    const step = resumption === undefined ? this.#exchange.next() : this.#exchange.next(resumption);
    if (step.done) return { type: 'cancel', reason: this.#reasonIn(step.value), begun: this.#begun };
    if (this.#isOwn) checkClientStep(this.mechanism, step.value);
    if (step.value.type === 'compute') {
      this.#computing = true;
      return { type: 'compute', computation: step.value.computation };
    }
    const { data, mayEnd } = step.value;
    if (this.#isOwn && data !== undefined) this.discretion.add(data);
    const text = data && encodeBase64(data.reveal());
    if (text !== undefined && text.length + CRLF.length > MAXIMUM_AUTHENTICATION_OCTETS) {
      const reason =
        `A response of ${this.mechanism} would take ${text.length} octets in base64; ` +
        `a line has ${MAXIMUM_AUTHENTICATION_OCTETS}, its CRLF included (RFC 4954 §4)`;
      return { type: 'cancel', reason, begun: this.#begun };
    }
    this.#response = text === undefined ? undefined : new Secret(text);
    if (this.#response !== undefined) this.discretion.add(this.#response);
    this.#mayEnd = mayEnd;
    return { type: 'respond' };
  }

  /** Takes the result of a computation. */
  computed(result: Uint8Array): void {
    this.#computing = false;
    this.#resumption = result;
  }

  /** The AUTH command, or the response to the last challenge. */
  nextLine(): ExchangeLine {
    const text = this.#response?.revealText();
    if (this.#begun) return secretLine('', text ?? '');
    this.#begun = true;
    const command = { verb: 'AUTH', mechanism: this.mechanism } as const;
    if (text === undefined) return { bytes: formatCommand(command) };
    const initialResponse = text === '' ? '=' : text;
    const octets = `AUTH ${this.mechanism} `.length + initialResponse.length + CRLF.length;
    this.#held = octets > MAXIMUM_COMMAND_OCTETS;
    return this.#held
      ? { bytes: formatCommand(command) }
      : secretLine(`AUTH ${this.mechanism} `, initialResponse);
  }

  /** Takes a 334. */
  challenge({ lines: [text = '', ...more] }: Reply): Finding | undefined {
    const decoded = more.length === 0 ? decodeBase64(text) : undefined;
    const challenge = decoded ?? (this.mechanism === 'LOGIN' ? NOTHING : undefined);
    if (challenge === undefined || (this.#held && challenge.length > 0)) return 'malformedChallenge';
    if (this.#held) {
      this.#held = false;
      return 'initialResponseAwaited';
    }
    this.#resumption = challenge;
    if (this.#isOwn) this.discretion.add(new Secret(challenge));
    return undefined;
  }

  /** Why the mechanism gives up, in its own words, unless they give away what was said. */
  #reasonIn(said: string): string {
    if (typeof said !== 'string' || said === '') return `${this.mechanism} has given up`;
    return this.discretion.isQuotedIn(encodeText(said))
      ? `${this.mechanism} has given up (its reason quotes the exchange)`
      : said;
  }

  /** Takes a 235. */
  accepted(): Finding | undefined {
    return this.#mayEnd && !this.#held ? undefined : 'unproven';
  }
}

function secretLine(before: string, secret: string): ExchangeLine {
  const octets = secret.length === 1 ? '1 octet' : `${secret.length} octets`;
  return {
    bytes: encodeText(`${before}${secret}${CRLF}`),
    redacted: encodeText(`${before}[${octets}]${CRLF}`),
  };
}
