/**
 * Reading a command: one line of the peer to a value.
 *
 * A line that is no command gives a `CommandFailure` with the reply to send. Its text never quotes the line, except
 * a parameter's keyword, which is letters, digits and hyphens: nothing can be smuggled into a log. Verbs are data: what a
 * verb takes for its argument stands in `IMPLEMENTED`.
 *
 * Every line takes time in proportion to its length; how long a line may be, the framer says.
 */
import { Secret } from '../../secret.js';
import { decodeText } from '../octets.js';
import type { Reply } from '../replies/reply.js';
import {
  type Command,
  type IMPLEMENTED_VERBS,
  isAscii,
  isKeyword,
  NO_PARAMETERS,
  NOT_IMPLEMENTED_VERBS,
  type Parameter,
} from './command.js';
import { type PathFailure, parseForwardPath, parseReversePath } from './path.js';

/**
 * Why a line is no command: the verb is not known or not legible (500), known but not implemented (502), or its
 * argument is wrong (501, 553). `unframed`: it announces octets, but nobody can tell how many, so that where the
 * next command begins is not known either.
 */
type CommandFailureKind = 'unrecognized' | 'notImplemented' | 'syntax' | 'unframed';

/** A line that is no command, and the reply to give to it. */
export interface CommandFailure {
  readonly failure: CommandFailureKind;
  readonly reply: Reply;
  /** The verb whose argument is wrong. */
  readonly verb?: Command['verb'];
  /** It is MAIL or RCPT, and wrong in its address. */
  readonly aboutAddress?: true;
}

/** What decides about the reading of a line. */
export interface CommandGrammar {
  /** Paths, and what VRFY and EXPN ask about, may hold UTF-8 (RFC 6531 §3.3). */
  readonly utf8: boolean;
  /**
   * TAB separates as a blank does, paths may have blanks inside their angle brackets, or no brackets, and QUIT may have an
   * argument.
   */
  readonly lenient: boolean;
  /** Verbs of an embedder's extensions, in upper case. */
  readonly extensionVerbs: ReadonlySet<string>;
  /** Told of each part as it is read: from which character of the text to which. */
  readonly mark?: Mark;
}

/** Parts of a command that a reader can be shown. */
export type CommandPart = 'verb' | 'clause' | 'path' | 'name' | 'keyword' | 'value' | 'size' | 'argument';

export type Mark = (part: CommandPart, from: number, to: number) => void;

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DELETE = 0x7f;
/** The last of those that Unicode has behind ASCII. */
const LAST_CONTROL_CHARACTER = 0x9f;

function refuse(code: 500 | 501 | 502 | 553, enhancedCode: string, text: string): CommandFailure {
  const failure = code === 500 ? 'unrecognized' : code === 502 ? 'notImplemented' : 'syntax';
  return { failure, reply: { code, enhancedCode, lines: [text] } };
}

// 5.5.1 is a verb that means nothing here, 5.5.2 a line that cannot be interpreted, 5.5.4 a valid verb with
// an argument that is not (RFC 3463 §3.6).
const EMPTY = refuse(500, '5.5.2', 'Empty line where a command was expected');
const UNRECOGNIZED = refuse(500, '5.5.1', 'Command not recognized');
const NON_ASCII = refuse(500, '5.5.2', 'Commands are written in ASCII');
const CONTROL_CHARACTER = refuse(501, '5.5.2', 'Control characters are not allowed in a command');
const MAIL_SYNTAX = refuse(501, '5.5.4', 'Syntax: MAIL FROM:<address> [parameters]');
const RCPT_SYNTAX = refuse(501, '5.5.4', 'Syntax: RCPT TO:<address> [parameters]');
const UTF8_NOT_DECLARED = refuse(553, '5.6.7', 'Characters outside ASCII need SMTPUTF8 behind them');
/** More than one address, most likely, or a display name. */
const TEXT_AFTER_PATH: CommandFailure = {
  ...refuse(501, '5.5.4', 'After the ">" of the address comes a space, or the end of the line'),
  aboutAddress: true,
};
const MALFORMED_PARAMETERS = refuse(
  501,
  '5.5.4',
  'Parameters stand behind the address and a space, as KEYWORD or KEYWORD=value',
);

/** For MAIL and RCPT, which get characters outside ASCII because those may stand in a path. */
function unlessNonAscii(argument: string, failure: CommandFailure): CommandFailure {
  return isAscii(argument) ? failure : NON_ASCII;
}

/**
 * RFC 5321 §4.3.2 allows 553 for both verbs. RFC 6531 §3.5 has 550 for MAIL, but only on servers that offer
 * SMTPUTF8.
 */
function refusePath(failure: PathFailure, syntaxCode: string): CommandFailure {
  const refusal =
    failure.failure === 'nonAscii'
      ? refuse(553, '5.6.7', `${failure.problem}, which needs SMTPUTF8`)
      : refuse(501, syntaxCode, failure.problem);
  return { ...refusal, aboutAddress: true };
}

/**
 * The value of a parameter as it is read: `esmtp-value` (RFC 5321 §4.1.2), which SMTPUTF8 extends (RFC 6531 §3.3), and
 * which may hold a `=`, as stock software writes it.
 */
function isReadableValue(text: string, utf8: boolean): boolean {
  return utf8 ? /^(?:[!-~]|[^\p{Cc}\p{ASCII}])+$/u.test(text) : /^[!-~]+$/.test(text);
}

function skipSpaces(text: string, from: number): number {
  let i = from;
  while (text.charCodeAt(i) === SPACE) i++;
  return i;
}

/** Reads the parameters from the end of the path on (RFC 5321 §4.1.2 `Mail-parameters`). */
function parseParameters(
  argument: string,
  from: number,
  { utf8, mark }: CommandGrammar,
): readonly Parameter[] | CommandFailure {
  if (from === argument.length) return NO_PARAMETERS;
  const parameters: Parameter[] = [];
  const keywords = new Set<string>();
  for (let i = from; i < argument.length; ) {
    const start = skipSpaces(argument, i);
    if (start === i) return unlessNonAscii(argument.slice(i), TEXT_AFTER_PATH);
    const space = argument.indexOf(' ', start);
    i = space < 0 ? argument.length : space;

    const parameter = argument.slice(start, i);
    const equals = parameter.indexOf('=');
    if (mark !== undefined) {
      mark('keyword', start, equals < 0 ? i : start + equals);
      if (equals >= 0) mark('value', start + equals + 1, i);
    }
    const written = equals < 0 ? parameter : parameter.slice(0, equals);
    const value = equals < 0 ? undefined : parameter.slice(equals + 1);
    if (!isKeyword(written) || (value !== undefined && !isReadableValue(value, utf8))) {
      return unlessNonAscii(parameter, MALFORMED_PARAMETERS);
    }

    const keyword = written.toUpperCase();
    if (keywords.has(keyword)) {
      return refuse(501, '5.5.4', `Parameter ${keyword.slice(0, 32)} is given more than once`);
    }
    keywords.add(keyword);
    parameters.push(value === undefined ? { keyword } : { keyword, value });
  }
  return parameters;
}

/** Of a line with octets that are in no command: in MAIL and RCPT they most likely stand in the address. */
function withAddressVerb(failure: CommandFailure, line: Uint8Array): CommandFailure {
  const beginning = String.fromCharCode(...line.subarray(0, 'MAIL FROM:'.length));
  if (/^MAIL FROM:/i.test(beginning)) return { ...failure, verb: 'MAIL', aboutAddress: true };
  if (/^RCPT TO:/i.test(beginning)) return { ...failure, verb: 'RCPT', aboutAddress: true };
  return failure;
}

/**
 * TABs as spaces. Between quotes a TAB stays what it is everywhere else: a control character, which no command may hold.
 */
function withoutTabs(text: string): string {
  if (!text.includes('\t')) return text;
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) quoted = !quoted;
    else if (code === BACKSLASH && quoted) i++;
    else if (code === TAB && !quoted) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, text.slice(from)].join(' ');
}

/** Makes a command of what stands behind the verb, spaces on both sides of it removed. */
type ArgumentParser = (argument: string, grammar: CommandGrammar) => Command | CommandFailure;

/** Control characters have been refused by here. */
function hello(verb: 'EHLO' | 'HELO' | 'LHLO'): ArgumentParser {
  const missing = refuse(501, '5.5.4', `Syntax: ${verb} domain or address literal`);
  return (argument, { mark }) => {
    if (argument === '') return missing;
    mark?.('name', 0, argument.length);
    return { verb, name: argument };
  };
}

function mail(argument: string, grammar: CommandGrammar): Command | CommandFailure {
  const { utf8, lenient, mark } = grammar;
  if (!/^FROM:/i.test(argument)) return unlessNonAscii(argument, MAIL_SYNTAX);
  // The space after the colon is none of RFC 5321 §3.3's, and common all the same.
  mark?.('clause', 0, 'FROM:'.length);
  const pathStart = skipSpaces(argument, 'FROM:'.length);
  if (pathStart === argument.length) return MAIL_SYNTAX;
  const read = parseReversePath(argument, pathStart, utf8, lenient);
  if ('failure' in read) return refusePath(read, '5.1.7');
  mark?.('path', pathStart, read.end);
  const parameters = parseParameters(argument, read.end, grammar);
  return 'failure' in parameters ? parameters : { verb: 'MAIL', reversePath: read.path, parameters };
}

function rcpt(argument: string, grammar: CommandGrammar): Command | CommandFailure {
  const { utf8, lenient, mark } = grammar;
  if (!/^TO:/i.test(argument)) return unlessNonAscii(argument, RCPT_SYNTAX);
  mark?.('clause', 0, 'TO:'.length);
  const pathStart = skipSpaces(argument, 'TO:'.length);
  if (pathStart === argument.length) return RCPT_SYNTAX;
  const read = parseForwardPath(argument, pathStart, utf8, lenient);
  if ('failure' in read) return refusePath(read, '5.1.3');
  mark?.('path', pathStart, read.end);
  const parameters = parseParameters(argument, read.end, grammar);
  return 'failure' in parameters ? parameters : { verb: 'RCPT', forwardPath: read.path, parameters };
}

function withoutArgument(verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS'): ArgumentParser {
  const command: Command = { verb };
  const surplus = refuse(501, '5.5.4', `Syntax: ${verb}, without an argument`);
  return (argument, { lenient }) => (argument === '' || (lenient && verb === 'QUIT') ? command : surplus);
}

function withOptionalText(verb: 'NOOP' | 'HELP'): ArgumentParser {
  return (argument, { mark }) => {
    mark?.('argument', 0, argument.length);
    return { verb, argument };
  };
}

function withText(verb: 'ETRN' | 'XCLIENT' | 'XFORWARD', what: string): ArgumentParser {
  const missing = refuse(501, '5.5.4', `Syntax: ${verb} ${what}`);
  return (argument, { mark }) => {
    mark?.('argument', 0, argument.length);
    return argument === '' ? missing : { verb, argument };
  };
}

/** What is asked about may hold UTF-8, if SMTPUTF8 stands behind it (RFC 6531 §3.7.4). */
function withName(verb: 'VRFY' | 'EXPN', what: string): ArgumentParser {
  const missing = refuse(501, '5.5.4', `Syntax: ${verb} ${what}`);
  return (argument, { utf8, mark }) => {
    const declared = utf8 ? /^(.*[^ ]) +SMTPUTF8$/is.exec(argument)?.[1] : undefined;
    mark?.('argument', 0, declared?.length ?? argument.length);
    if (declared !== undefined) {
      mark?.('keyword', argument.length - 'SMTPUTF8'.length, argument.length);
      return { verb, argument: declared, utf8: true };
    }
    if (argument === '') return missing;
    if (isAscii(argument)) return { verb, argument };
    return utf8 ? UTF8_NOT_DECLARED : NON_ASCII;
  };
}

const BDAT_SYNTAX: CommandFailure = {
  failure: 'unframed',
  reply: { code: 501, enhancedCode: '5.5.4', lines: ['Syntax: BDAT size [LAST]; closing the session'] },
};

/** RFC 3030 §2 `bdat-cmd`; the size has 20 digits at most, as that of SIZE has. */
function bdat(argument: string, { mark }: CommandGrammar): Command | CommandFailure {
  const match = /^(\d{1,20})(?: +(LAST))?$/i.exec(argument);
  const size = Number(match?.[1]);
  if (match === null || !Number.isSafeInteger(size)) return BDAT_SYNTAX;
  if (mark !== undefined) {
    mark('size', 0, match[1]?.length ?? 0);
    if (match[2] !== undefined) mark('keyword', argument.length - match[2].length, argument.length);
  }
  return { verb: 'BDAT', size, last: match[2] !== undefined };
}

const AUTH_SYNTAX = refuse(501, '5.5.4', 'Syntax: AUTH mechanism [initial response in base64, or "="]');

/** RFC 4954 §4; mechanisms are named as RFC 4422 §3.1 has it. Whether it is base64, the exchange finds out. */
function auth(argument: string, { mark }: CommandGrammar): Command | CommandFailure {
  const match = /^([\w-]{1,20})(?: +([^ ]+))?$/.exec(argument);
  if (match === null) return AUTH_SYNTAX;
  mark?.('name', 0, match[1]?.length ?? 0);
  const mechanism = (match[1] ?? '').toUpperCase();
  const response = match[2];
  if (response === undefined) return { verb: 'AUTH', mechanism };
  return { verb: 'AUTH', mechanism, initialResponse: new Secret(response) };
}

function notImplemented(verb: string): ArgumentParser {
  const failure = refuse(502, '5.5.1', `${verb} is not implemented`);
  return () => failure;
}

interface VerbRule {
  readonly parseArgument: ArgumentParser;
  /** The argument may hold characters outside ASCII: its parser looks for them. */
  readonly nonAscii: boolean;
}

const ascii = (parseArgument: ArgumentParser): VerbRule => ({ parseArgument, nonAscii: false });
const unicode = (parseArgument: ArgumentParser): VerbRule => ({ parseArgument, nonAscii: true });

const PLAIN_GRAMMAR: CommandGrammar = { utf8: false, lenient: false, extensionVerbs: new Set() };

const IMPLEMENTED: Readonly<Record<(typeof IMPLEMENTED_VERBS)[number], VerbRule>> = {
  EHLO: unicode(hello('EHLO')),
  HELO: unicode(hello('HELO')),
  LHLO: unicode(hello('LHLO')),
  MAIL: unicode(mail),
  RCPT: unicode(rcpt),
  DATA: ascii(withoutArgument('DATA')),
  RSET: ascii(withoutArgument('RSET')),
  QUIT: ascii(withoutArgument('QUIT')),
  STARTTLS: ascii(withoutArgument('STARTTLS')),
  AUTH: ascii(auth),
  BDAT: ascii(bdat),
  NOOP: ascii(withOptionalText('NOOP')),
  HELP: ascii(withOptionalText('HELP')),
  VRFY: unicode(withName('VRFY', 'user name or address')),
  EXPN: unicode(withName('EXPN', 'name of a mailing list')),
  ETRN: ascii(withText('ETRN', 'node')),
  XCLIENT: ascii(withText('XCLIENT', 'attribute=value...')),
  XFORWARD: ascii(withText('XFORWARD', 'attribute=value...')),
};

const VERBS: ReadonlyMap<string, VerbRule> = new Map([
  ...Object.entries(IMPLEMENTED),
  ...NOT_IMPLEMENTED_VERBS.map((verb): [string, VerbRule] => [verb, ascii(notImplemented(verb))]),
]);

/**
 * The command that a line spells, or why it spells none.
 *
 * Beyond the grammar of RFC 5321 §4.1 it tolerates white space at the end of the line (as §4.1.1 asks), more
 * than one space where one may stand, and spaces behind `MAIL FROM:` and `RCPT TO:`.
 *
 * @param line without its CRLF
 */
export function parseCommand(
  line: Uint8Array,
  grammar: CommandGrammar = PLAIN_GRAMMAR,
): Command | CommandFailure {
  const decoded = decodeText(line);
  // Not even SMTPUTF8 allows what is not UTF-8 (RFC 6531 §3.3).
  if (decoded === undefined) return withAddressVerb(NON_ASCII, line);
  const text = grammar.lenient ? withoutTabs(decoded) : decoded;

  let end = text.length;
  while (end > 0 && (text.charCodeAt(end - 1) === SPACE || text.charCodeAt(end - 1) === TAB)) end--;
  if (end === 0) return EMPTY;

  let firstNonAscii = end;
  for (let i = 0; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code < SPACE || (code >= DELETE && code <= LAST_CONTROL_CHARACTER))
      return withAddressVerb(CONTROL_CHARACTER, line);
    if (code > DELETE && firstNonAscii === end) firstNonAscii = i;
  }

  const space = text.indexOf(' ');
  const verbEnd = space < 0 || space > end ? end : space;
  // Before upper case is made of it: that would turn "maıl", with a dotless i, into MAIL.
  if (firstNonAscii < verbEnd) return NON_ASCII;
  const verb = text.slice(0, verbEnd);
  const argumentStart = skipSpaces(text, verbEnd);
  const argument = text.slice(argumentStart, end);
  const { mark } = grammar;
  mark?.('verb', 0, verbEnd);
  const rule = VERBS.get(verb) ?? VERBS.get(verb.toUpperCase());
  if (rule === undefined) {
    const name = verb.toUpperCase();
    if (!grammar.extensionVerbs.has(name)) return UNRECOGNIZED;
    mark?.('argument', argumentStart, end);
    return firstNonAscii < end ? NON_ASCII : { verb: 'extension', name, argument };
  }
  if (firstNonAscii < end && !rule.nonAscii) return NON_ASCII;
  const read = rule.parseArgument(
    argument,
    mark === undefined ? grammar : marking(grammar, mark, argumentStart),
  );
  if (!('failure' in read) || read.failure === 'notImplemented') return read;
  return { ...read, verb: verb.toUpperCase() as Command['verb'] };
}

/** The same grammar for the parser of an argument that stands so far into the text. */
function marking(grammar: CommandGrammar, mark: Mark, start: number): CommandGrammar {
  return { ...grammar, mark: (part, from, to) => mark(part, from + start, to + start) };
}
