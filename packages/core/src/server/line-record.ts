/**
 * What may be recorded of the lines of a client. It is asked for every line, once and in order, so that logs, traces and
 * pages need not know what a secret is.
 *
 * - Of AUTH: the verb, the mechanism if it is one that we know, and the length of what stands behind it.
 * - From an AUTH on, whatever the reply, a line with no known verb has a length only, until a known verb comes or 235 was
 *   said: clients go on with their password in base64 after a 504 or 530.
 * - Of a line that is too long, or not well-formed: how it begins, if that is a known verb.
 */
import { serverMechanisms } from '../sasl/mechanisms.js';
import { isKnownVerb } from '../wire/command.js';
import type { InboundLine } from '../wire/inbound.js';
import { decodeText } from '../wire/octets.js';

/** The longest verb that is looked for, in octets. */
const MAXIMUM_VERB_OCTETS = 32;

const MECHANISMS: ReadonlySet<string> = new Set<string>(serverMechanisms.keys());

/** A line as it may be recorded. */
export interface RecordedLine {
  /** In upper case; undefined: the line begins with no verb that is known here. */
  readonly verb?: string;
  /** For people, on one line and without control characters: `[20 octets]` stands for what is withheld. */
  readonly line: string;
  /** Octets of the line with its CRLF; absent where it was refused before its end came. */
  readonly length?: number;
  /** The line without its CRLF; absent where any of it is withheld. Usually a view: copy it to keep it. */
  readonly octets?: Uint8Array;
}

export class LineRecord {
  readonly #extensionVerbs: ReadonlySet<string>;
  /** The next line may be a secret, if it is no command. */
  #secretsMayFollow = false;

  /** @param extensionVerbs of an embedder's extensions, in upper case */
  constructor(extensionVerbs: ReadonlySet<string>) {
    this.#extensionVerbs = extensionVerbs;
  }

  /** An AUTH exchange has succeeded: what follows is commands. */
  authenticated(): void {
    this.#secretsMayFollow = false;
  }

  /** A line where a command was expected. */
  take(line: InboundLine): RecordedLine {
    const beginning = line.kind === 'line' ? line.octets : line.beginning;
    const verb = this.#verbOf(beginning, line.kind === 'line');
    // `AUTHENTICATE`, `AUTH:PLAIN` and the like are meant for AUTH, and bring secrets as well.
    const isAuth = verb === 'AUTH' || (verb === undefined && /^\s*auth/i.test(ascii(beginning)));
    const isWithheld = isAuth || (verb === undefined && this.#secretsMayFollow);
    if (verb !== undefined || isAuth) this.#secretsMayFollow = isAuth;

    const known = verb !== undefined && { verb };
    if (line.kind !== 'line') {
      const flaw = line.kind === 'tooLong' ? 'too long' : 'with a bare CR, bare LF or NUL';
      return { ...known, line: `${verb === undefined ? '' : `${verb} `}[a line ${flaw}]` };
    }
    const { octets } = line;
    const length = octets.length + 2;
    if (!isWithheld) return { ...known, line: printable(octets), length, octets };
    return { ...known, line: verb === undefined ? withheld(octets.length) : authLine(octets), length };
  }

  /** @param isWhole the octets are the whole line, so that a verb may end with them */
  #verbOf(octets: Uint8Array, isWhole: boolean): string | undefined {
    const text = ascii(octets);
    const [name = ''] = /^[\dA-Za-z-]*/.exec(text) ?? [];
    if (name === '' || (!isWhole && name.length === octets.length)) return undefined;
    const behind = text.charAt(name.length);
    if (behind !== '' && behind !== ' ' && behind !== '\t') return undefined;
    const verb = name.toUpperCase();
    return isKnownVerb(verb) || this.#extensionVerbs.has(verb) ? verb : undefined;
  }
}

/** What stands in the place of so many octets that are withheld. */
export function withheld(octets: number): string {
  return `[${octets} octets]`;
}

/** The beginning of a line, for a look at its verb. */
function ascii(octets: Uint8Array): string {
  return String.fromCharCode(...octets.subarray(0, MAXIMUM_VERB_OCTETS));
}

/** The line for people: what is no UTF-8, and all control characters, become `?`. */
function printable(octets: Uint8Array): string {
  const text = decodeText(octets) ?? decodeText(octets.map((octet) => (octet < 0x80 ? octet : 0x3f))) ?? '';
  return /^[ -~]*$/.test(text) ? text : text.replace(/[\p{Cc}\u2028\u2029]/gu, '?');
}

/** An AUTH line. What stands in the place of a mechanism and is none may be a password. */
function authLine(octets: Uint8Array): string {
  const [words = ''] = /^AUTH[ \t]+[\w-]+(?![^ \t])/i.exec(ascii(octets)) ?? [];
  const mechanism = words.slice('AUTH'.length).trim().toUpperCase();
  const shown = MECHANISMS.has(mechanism) ? words : 'AUTH';
  const rest = octets.length - shown.length - 1;
  return rest > 0 ? `${shown} ${withheld(rest)}` : shown;
}
