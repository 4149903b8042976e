/**
 * The commands of an ordinary mail transaction, read off their octets: MAIL and RCPT with a plain address and without
 * parameters, DATA, RSET and QUIT, in capitals. They are nearly all that a busy server reads.
 *
 * Equal to `parseCommand()`, whatever its grammar: what is read here gives the same command there, and a property says so.
 * Anything out of the ordinary (a parameter, a quote, a source route, a final dot, a blank too many, small letters) is not
 * looked into further: it gives undefined, and is for `parseCommand()`.
 */

import { DOT, decodeAscii } from '../octets.js';
import { type Command, NO_PARAMETERS } from './command.js';
import { MAXIMUM_DOMAIN_OCTETS, MAXIMUM_LABEL_OCTETS } from './domain.js';

export type OrdinaryCommand =
  | Extract<Command, { readonly verb: 'MAIL' }>
  | Extract<Command, { readonly verb: 'RCPT' }>
  | { readonly verb: 'DATA' | 'RSET' | 'QUIT' };

const HYPHEN = 0x2d;
const CLOSE = 0x3e;
const AT = 0x40;

/** What may stand where in a plain address, by octet. */
const ATEXT = 1;
const LABEL = 2;
const CLASSES = Uint8Array.from({ length: 0x100 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  if (/^[\dA-Za-z_-]$/.test(character)) return ATEXT | LABEL;
  return /^[!#$%&'*+/=?^`{|}~]$/.test(character) ? ATEXT : 0;
});

const octetsOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const MAIL = octetsOf('MAIL FROM:<');
const RCPT = octetsOf('RCPT TO:<');
const NULL_REVERSE_PATH: OrdinaryCommand = { verb: 'MAIL', reversePath: null, parameters: NO_PARAMETERS };

/** Without arguments, by the first letter: those have four letters each. */
const BARE: ReadonlyMap<number, { readonly octets: Uint8Array; readonly command: OrdinaryCommand }> = new Map(
  (['DATA', 'RSET', 'QUIT'] as const).map((verb) => {
    const octets = octetsOf(verb);
    return [octets[0] as number, { octets, command: { verb } }];
  }),
);

/** The command that the octets between two places are, without the CRLF; they may stand among others. */
export function ordinaryCommand(
  octets: Uint8Array,
  from = 0,
  to = octets.length,
): OrdinaryCommand | undefined {
  if (to - from === 4) {
    const bare = BARE.get(octets[from] as number);
    return bare !== undefined && beginsWith(octets, from, bare.octets) ? bare.command : undefined;
  }
  const close = to - 1;
  if (octets[close] !== CLOSE) return undefined;
  if (beginsWith(octets, from, MAIL)) {
    if (to - from === MAIL.length + 1) return NULL_REVERSE_PATH;
    const reversePath = mailboxIn(octets, from + MAIL.length, close);
    return reversePath && { verb: 'MAIL', reversePath, parameters: NO_PARAMETERS };
  }
  if (!beginsWith(octets, from, RCPT)) return undefined;
  const forwardPath = mailboxIn(octets, from + RCPT.length, close);
  return forwardPath && { verb: 'RCPT', forwardPath, parameters: NO_PARAMETERS };
}

function beginsWith(octets: Uint8Array, from: number, beginning: Uint8Array): boolean {
  for (let i = 0; i < beginning.length; i++) if (octets[from + i] !== beginning[i]) return false;
  return true;
}

/** The mailbox from `from` up to the closing bracket. */
function mailboxIn(
  line: Uint8Array,
  from: number,
  close: number,
): { localPart: string; domain: string } | undefined {
  let at = from;
  for (; at < close; at++) {
    const octet = line[at] as number;
    if (((CLASSES[octet] as number) & ATEXT) === 0 && octet !== DOT) break;
  }
  if (at === from || line[at] !== AT || close - at - 1 > MAXIMUM_DOMAIN_OCTETS) return undefined;
  let label = at + 1;
  for (let i = label; i <= close; i++) {
    const octet = line[i] as number;
    if (((CLASSES[octet] as number) & LABEL) !== 0) continue;
    if (octet !== DOT && i !== close) return undefined;
    const length = i - label;
    if (length === 0 || length > MAXIMUM_LABEL_OCTETS) return undefined;
    if (line[label] === HYPHEN || line[i - 1] === HYPHEN) return undefined;
    label = i + 1;
  }
  const localPart = decodeAscii(line, from, at);
  const domain = decodeAscii(line, at + 1, close);
  return localPart === undefined || domain === undefined ? undefined : { localPart, domain };
}
