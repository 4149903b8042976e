/**
 * Command lines as RFC 5321 §4.1 has them, read once more and in the plainest way: the model must not share an error with
 * what it judges.
 */

/**
 * `odd`: the grammar lacks it, or leaves it open, but where everything ends and whom it is for is plain. A server may take
 * it or refuse it.
 */
export type Form = 'valid' | 'odd' | 'invalid';

export interface ReadCommand {
  /** In capitals; empty if the line has none. */
  readonly verb: string;
  readonly form: Form;
  /** What follows the verb and its blank. */
  readonly argument: string;
  /** The mailbox of MAIL or RCPT without its route; empty for the null reverse-path. */
  readonly mailbox: string;
  /** Keywords in capitals with their values; empty where a keyword has none. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** RFC 5321 §4.5.3.1.4: the CRLF counts. */
export const LONGEST_LINE = 512;

/** What the grammar gives no argument. */
const BARE = new Set(['DATA', 'RSET', 'QUIT', 'STARTTLS']);

export function readCommand(line: string): ReadCommand {
  const [, verb = '', rest = ''] = /^([a-z0-9]*)(.*)$/is.exec(line) ?? [];
  const name = verb.toUpperCase();
  const argument = rest.startsWith(' ') ? rest.slice(1) : rest;
  const nothing = { mailbox: '', parameters: new Map<string, string>() };
  const read = (form: Form, more: Partial<ReadCommand> = {}): ReadCommand => ({
    verb: name,
    form: worst(form, lengthForm(line)),
    argument,
    ...nothing,
    ...more,
  });
  if (hasControls(line)) return read('invalid');
  if (name === 'MAIL' || name === 'RCPT') {
    const path = readPathArgument(argument, name);
    return path === undefined ? read('invalid') : read(path.form, path);
  }
  if (rest !== '' && !rest.startsWith(' ')) return read('invalid');
  return read(argumentForm(name, argument));
}

/** Longer lines may be taken (RFC 5321 §4.5.3.1). */
const lengthForm = (line: string): Form => (octetsOf(line) + 2 > LONGEST_LINE ? 'odd' : 'valid');

/** Octets of a text in UTF-8. */
function octetsOf(text: string): number {
  let octets = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    octets += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return octets;
}

function hasControls(text: string): boolean {
  for (const character of text) if (character < ' ' || character === '\x7f') return true;
  return false;
}

const isAscii = (text: string): boolean => [...text].every((character) => character <= '~');

function argumentForm(verb: string, argument: string): Form {
  if (BARE.has(verb)) {
    if (argument.trim() === '') return argument === '' ? 'valid' : 'odd';
    return verb === 'QUIT' ? 'odd' : 'invalid';
  }
  if (verb === 'EHLO' || verb === 'HELO' || verb === 'LHLO') {
    if (argument === '') return 'invalid';
    return isAscii(argument) && mailboxDomainForm(argument) === 'valid' ? 'valid' : 'odd';
  }
  if (verb === 'VRFY' || verb === 'EXPN') return argument.trim() === '' ? 'invalid' : 'valid';
  if (verb === 'BDAT') return /^\d{1,9}(?: LAST)?$/i.test(argument) ? 'valid' : 'invalid';
  if (!isAscii(argument)) return 'invalid';
  return argument.endsWith(' ') ? 'odd' : 'valid';
}

const ORDER: readonly Form[] = ['valid', 'odd', 'invalid'];

function worst(...forms: readonly Form[]): Form {
  return ORDER[Math.max(...forms.map((form) => ORDER.indexOf(form)))] ?? 'invalid';
}

type PathArgument = Pick<ReadCommand, 'form' | 'mailbox' | 'parameters'>;

/** `FROM:<path> parameters`, `TO:<path> parameters`; undefined: there is no path. */
function readPathArgument(argument: string, verb: 'MAIL' | 'RCPT'): PathArgument | undefined {
  const word = verb === 'MAIL' ? 'FROM:' : 'TO:';
  if (argument.slice(0, word.length).toUpperCase() !== word) return undefined;
  const behind = argument.slice(word.length);
  const trimmed = behind.trimStart();
  const end = endOfPath(trimmed);
  if (end === undefined) return undefined;
  const path = readPath(trimmed.slice(1, end - 1), verb);
  const parameters = readParameters(trimmed.slice(end));
  const form = worst(behind === trimmed ? 'valid' : 'odd', path.form, parameters.form);
  return { form, mailbox: path.mailbox, parameters: parameters.parameters };
}

/** Where the `>` of a path ends that is not within quotes. */
function endOfPath(text: string): number | undefined {
  if (!text.startsWith('<')) return undefined;
  let quoted = false;
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\' && quoted) at++;
    else if (text[at] === '"') quoted = !quoted;
    else if (text[at] === '>' && !quoted) return at + 1;
  }
  return undefined;
}

/** RFC 5321 §4.1.2, Appendix C: a source route is read, and left aside. */
function readPath(path: string, verb: 'MAIL' | 'RCPT'): { readonly form: Form; readonly mailbox: string } {
  if (path === '') return { form: verb === 'MAIL' ? 'valid' : 'invalid', mailbox: '' };
  if (verb === 'RCPT' && path.toLowerCase() === 'postmaster') return { form: 'valid', mailbox: path };
  if (!path.startsWith('@')) return { form: mailboxForm(path), mailbox: path };
  const colon = path.indexOf(':');
  const mailbox = path.slice(colon + 1);
  const route = path.slice(0, Math.max(0, colon)).split(',');
  const good = route.every((hop) => hop.startsWith('@') && mailboxDomainForm(hop.slice(1)) === 'valid');
  return { form: good ? mailboxForm(mailbox) : 'invalid', mailbox };
}

function mailboxForm(mailbox: string): Form {
  const at = mailbox.startsWith('"') ? mailbox.indexOf('@', endOfQuotes(mailbox)) : mailbox.indexOf('@');
  if (at <= 0) return 'invalid';
  return worst(localPartForm(mailbox.slice(0, at)), mailboxDomainForm(mailbox.slice(at + 1)));
}

function endOfQuotes(text: string): number {
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

/** Whether a quoted string ends in a quote of its own. */
function isClosed(text: string): boolean {
  let at = 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at === text.length - 1;
}

const ATEXT = "!#$%&'*+/=?^_`{|}~-.";

function localPartForm(local: string): Form {
  const length = octetsOf(local) > 64 ? 'odd' : 'valid';
  if (local.startsWith('"')) {
    // A quote that is quoted closes nothing.
    return endOfQuotes(local) === local.length && local.length > 1 && isClosed(local) ? length : 'invalid';
  }
  const dots = local.startsWith('.') || local.endsWith('.') || local.includes('..') ? 'odd' : 'valid';
  const isAtom = [...local].every(
    (character) => /^[a-z0-9]$/i.test(character) || ATEXT.includes(character) || character > '~',
  );
  return isAtom ? worst(length, dots) : 'invalid';
}

function mailboxDomainForm(domain: string): Form {
  if (domain.startsWith('[')) return literalForm(domain);
  if (octetsOf(domain) > 255) return 'invalid';
  const dotted = domain.endsWith('.') ? 'odd' : 'valid';
  const labels = (dotted === 'odd' ? domain.slice(0, -1) : domain).split('.');
  return worst(dotted, ...labels.map(labelForm));
}

function labelForm(label: string): Form {
  if (label === '' || octetsOf(label) > 63 || label.startsWith('-') || label.endsWith('-')) return 'invalid';
  const known = [...label].every((character) => /^[a-z0-9_-]$/i.test(character) || character > '~');
  if (!known) return 'invalid';
  return label.includes('_') ? 'odd' : 'valid';
}

/** RFC 5321 §4.1.3. A tag that nobody has registered leaves it open. */
function literalForm(text: string): Form {
  if (!text.endsWith(']')) return 'invalid';
  const inner = text.slice(1, -1);
  if (/^IPv6:/i.test(inner)) return isIpv6(inner.slice(5)) ? 'valid' : 'invalid';
  return isIpv4(inner) ? 'valid' : inner.includes(':') ? 'odd' : 'invalid';
}

function isIpv4(text: string): boolean {
  const numbers = text.split('.');
  return numbers.length === 4 && numbers.every((each) => /^\d{1,3}$/.test(each) && Number(each) <= 255);
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1) ?? '';
  const count = groups.length + (last.includes('.') ? 1 : 0);
  const known = groups.every(
    (group, index) => /^[0-9a-f]{1,4}$/i.test(group) || (index === groups.length - 1 && isIpv4(group)),
  );
  return known && (halves.length === 2 ? count <= 7 : count === 8);
}

/** RFC 5321 §4.1.2: `Mail-parameters`. */
function readParameters(text: string): {
  readonly form: Form;
  readonly parameters: ReadonlyMap<string, string>;
} {
  const parameters = new Map<string, string>();
  if (text === '') return { form: 'valid', parameters };
  if (!text.startsWith(' ')) return { form: 'invalid', parameters };
  const words = text.slice(1).split(' ');
  let form: Form = 'valid';
  for (const word of words) {
    const [, keyword, value] = /^([a-z0-9][a-z0-9-]*)(?:=([^ ]+))?$/i.exec(word) ?? [];
    if (word === '') form = worst(form, 'odd');
    else if (keyword === undefined) form = 'invalid';
    else {
      // "=" in a value is against the grammar, and stands in many an ENVID.
      if (value?.includes('=')) form = worst(form, 'odd');
      if (parameters.has(keyword.toUpperCase())) form = worst(form, 'odd');
      parameters.set(keyword.toUpperCase(), value ?? '');
    }
  }
  return { form, parameters };
}
