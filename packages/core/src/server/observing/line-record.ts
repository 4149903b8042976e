/**
 * What may be recorded of the lines of a client: asked for every line, once and in order (`take`), so that logs, traces
 * and pages need not know what a secret is. For the verb alone (`verbOf`), any line will do at any time.
 *
 * - Of AUTH: the verb, the mechanism if it is one that we know, and the length of what stands behind it.
 * - From an AUTH on, whatever the reply, a line with no known verb has a length only, until a known verb comes or 235 was
 *   said: clients go on with their password in base64 after a 504 or 530.
 * - From a DATA or BDAT on likewise, until a known verb comes: clients go on with their message after a 503 or 554.
 * - Of a line that is too long, or not well-formed: how it begins, if that is a known verb.
 */
import { serverMechanisms } from '../../sasl/server-mechanisms.js';
import { isKnownVerb } from '../../wire/commands/command.js';
import type { InboundLine } from '../../wire/inbound.js';
import { decodeText } from '../../wire/octets.js';

/** The longest verb that is looked for, in octets. */
const MAXIMUM_VERB_OCTETS = 32;

/** What follows a verb: a blank, or what may not stand in a line. */
const ENDS_OF_VERBS = ' \t\r\n\0';

const MECHANISMS: ReadonlySet<string> = new Set<string>(serverMechanisms.keys());

/** A line as it may be recorded. */
export interface RecordedLine {
  /** In upper case; undefined: the line begins with no verb that is known here. */
  readonly verb?: string;
  /** For people, on one line and without control characters: `[20 octets]` stands for what is withheld. */
  readonly line: string;
  /** Octets of the line with its line end; absent where it was refused before its end came. */
  readonly length?: number;
  /** The line without its CRLF, in an array of its own; absent where any of it is withheld. */
  readonly octets?: Uint8Array;
}

export class LineRecord {
  readonly #extensionVerbs: ReadonlySet<string>;
  /** The next line may be a secret, or one of a message, if it is no command. */
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
    const beginning = beginningOf(line);
    const verb = this.verbOf(line);
    // `AUTHENTICATE`, `AUTH:PLAIN` and the like are meant for AUTH, and bring secrets as well.
    const isAuth = verb === 'AUTH' || (verb === undefined && /^\s*auth/i.test(ascii(beginning)));
    const isWithheld = isAuth || (verb === undefined && this.#secretsMayFollow);
    if (verb !== undefined || isAuth) {
      this.#secretsMayFollow = isAuth || verb === 'DATA' || verb === 'BDAT';
    }

    const known = verb !== undefined && { verb };
    if (line.kind !== 'line') {
      const flaw = line.kind === 'tooLong' ? 'too long' : 'with a bare CR, bare LF or NUL';
      return { ...known, line: `${verb === undefined ? '' : `${verb} `}[a line ${flaw}]` };
    }
    const { octets } = line;
    const length = lengthOf(line);
    if (!isWithheld) return { ...known, line: printable(octets), ...length, octets: new Uint8Array(octets) };
    return { ...known, line: verb === undefined ? withheld(octets.length) : authLine(octets), ...length };
  }

  /** The verb with which the line begins, in upper case; undefined: with none that is known here. */
  verbOf(line: InboundLine): string | undefined {
    const text = ascii(beginningOf(line));
    const [name = ''] = /^[\dA-Za-z-]*/.exec(text) ?? [];
    const after = text.charAt(name.length);
    // A line that was refused on the way has more octets than are known here; but what condemns it ends the verb, too.
    if (after === '' ? line.kind !== 'line' : !ENDS_OF_VERBS.includes(after)) return undefined;
    const verb = name.toUpperCase();
    return isKnownVerb(verb) || this.#extensionVerbs.has(verb) ? verb : undefined;
  }
}

/** How many octets the line has with its line end: nobody knows where it was refused before the end came. */
export function lengthOf(line: InboundLine): { readonly length?: number } {
  if (line.kind !== 'line') return {};
  return { length: line.octets.length + (line.endsInBareLineFeed ? 1 : 2) };
}

function beginningOf(line: InboundLine): Uint8Array {
  return line.kind === 'line' ? line.octets : line.beginning;
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
