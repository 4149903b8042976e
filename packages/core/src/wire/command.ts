/**
 * Commands (RFC 5321 §4.1): one line of the peer to a value, and back.
 *
 * A line that is no command gives a `CommandFailure` with the reply to send. Its text never quotes the line
 * but for a parameter's keyword, which is letters, digits and hyphens: nothing can be smuggled into a log.
 * Verbs are data: what a verb takes for its argument stands in `VERBS`. Whether the command is legal now, and
 * what its parameters mean, others say.
 *
 * Every line takes time in proportion to its length; how long a line may be, the framer says.
 */
import { Secret } from '../secret.js';
import { decodeText, encodeText } from './octets.js';
import {
  type ForwardPath,
  formatPath,
  type PathFailure,
  parseForwardPath,
  parseReversePath,
  type ReversePath,
} from './path.js';
import type { Reply } from './reply.js';

/** One ESMTP parameter of MAIL or RCPT (RFC 5321 §4.1.2 `esmtp-param`). The keyword is in upper case. */
export interface Parameter {
  readonly keyword: string;
  readonly value?: string;
}

/** A command of the peer, well-formed by RFC 5321 §4.1; whether it is legal now, the chart says. */
export type Command =
  /** LHLO is EHLO where LMTP is spoken (RFC 2033 §4.1). */
  | { readonly verb: 'EHLO' | 'HELO' | 'LHLO'; readonly name: string }
  | { readonly verb: 'MAIL'; readonly reversePath: ReversePath; readonly parameters: readonly Parameter[] }
  | { readonly verb: 'RCPT'; readonly forwardPath: ForwardPath; readonly parameters: readonly Parameter[] }
  | { readonly verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS' }
  | { readonly verb: 'NOOP' | 'HELP'; readonly argument: string }
  /** `utf8`: SMTPUTF8 stood behind the argument, and the reply may hold UTF-8 (RFC 6531 §3.7.4). */
  | { readonly verb: 'VRFY' | 'EXPN'; readonly argument: string; readonly utf8?: true }
  /** The size of the chunk that follows the line, in octets (RFC 3030 §2). */
  | { readonly verb: 'BDAT'; readonly size: number; readonly last: boolean }
  /**
   * The mechanism in upper case; the initial response as it stands on the wire, in base64, or `=` for an empty one
   * (RFC 4954 §4).
   */
  | { readonly verb: 'AUTH'; readonly mechanism: string; readonly initialResponse?: Secret }
  /** RFC 1985; Postfix. */
  | { readonly verb: 'ETRN' | 'XCLIENT' | 'XFORWARD'; readonly argument: string }
  /** A verb of an embedder's extension, in upper case. */
  | { readonly verb: 'extension'; readonly name: string; readonly argument: string };

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

/** The longest command line with its CRLF, in octets, where no extension allows more (RFC 5321 §4.5.3.1.4). */
export const MAXIMUM_COMMAND_OCTETS = 512;

/** The longest line of an AUTH exchange with its CRLF, in octets (RFC 4954 §4). */
export const MAXIMUM_AUTHENTICATION_OCTETS = 12_288;

/** The longest name in EHLO and HELO, in octets: that of a domain (RFC 5321 §4.5.3.1.2). */
const MAXIMUM_NAME_OCTETS = 255;

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DELETE = 0x7f;
/** The last of those that Unicode has behind ASCII. */
const LAST_CONTROL_CHARACTER = 0x9f;

/** Shared by all commands without any. */
export const NO_PARAMETERS: readonly Parameter[] = Object.freeze([]);

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
 * A name by which an end of ours introduces itself: any token. What a peer says in EHLO or HELO has no more to it than
 * that it can be printed: `localhost`, `my_host`, a Windows machine's name with blanks. RFC 5321 §4.1.4 forbids refusing
 * mail for a name that does not verify.
 */
export function isName(text: string): boolean {
  return text.length <= MAXIMUM_NAME_OCTETS && /^[!-~]+$/.test(text);
}

/** `esmtp-keyword` (RFC 5321 §4.1.2). */
function isKeyword(text: string): boolean {
  return /^[\dA-Za-z][\dA-Za-z-]*$/.test(text);
}

/**
 * The value of a parameter as it is read: `esmtp-value` (RFC 5321 §4.1.2), which SMTPUTF8 extends (RFC 6531 §3.3), and
 * which may hold a `=`, as stock software writes it.
 */
function isReadableValue(text: string, utf8: boolean): boolean {
  return utf8 ? /^(?:[!-~]|[^\p{Cc}\p{ASCII}])+$/u.test(text) : /^[!-~]+$/.test(text);
}

/** `esmtp-value` (RFC 5321 §4.1.2), as it is written. */
function isValue(text: string): boolean {
  return /^[!-<>-~]+$/.test(text);
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

function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
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

/** Verbs that clients know from elsewhere: 502 tells them more than 500 would (RFC 5321 §4.2.4). */
const NOT_IMPLEMENTED = ['SEND', 'SOML', 'SAML', 'TURN', 'ATRN'];

const PLAIN_GRAMMAR: CommandGrammar = { utf8: false, lenient: false, extensionVerbs: new Set() };

const VERBS: ReadonlyMap<string, VerbRule> = new Map<string, VerbRule>([
  ['EHLO', unicode(hello('EHLO'))],
  ['HELO', unicode(hello('HELO'))],
  ['LHLO', unicode(hello('LHLO'))],
  ['MAIL', unicode(mail)],
  ['RCPT', unicode(rcpt)],
  ['DATA', ascii(withoutArgument('DATA'))],
  ['RSET', ascii(withoutArgument('RSET'))],
  ['QUIT', ascii(withoutArgument('QUIT'))],
  ['STARTTLS', ascii(withoutArgument('STARTTLS'))],
  ['AUTH', ascii(auth)],
  ['BDAT', ascii(bdat)],
  ['NOOP', ascii(withOptionalText('NOOP'))],
  ['HELP', ascii(withOptionalText('HELP'))],
  ['VRFY', unicode(withName('VRFY', 'user name or address'))],
  ['EXPN', unicode(withName('EXPN', 'name of a mailing list'))],
  ['ETRN', ascii(withText('ETRN', 'node'))],
  ['XCLIENT', ascii(withText('XCLIENT', 'attribute=value...'))],
  ['XFORWARD', ascii(withText('XFORWARD', 'attribute=value...'))],
  ...NOT_IMPLEMENTED.map((verb): [string, VerbRule] => [verb, ascii(notImplemented(verb))]),
]);

/** Whether a verb, in upper case, is known here: implemented, or answered by 502. */
export function isKnownVerb(verb: string): boolean {
  return VERBS.has(verb);
}

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

function formatParameters(parameters: readonly Parameter[]): string {
  let text = '';
  const keywords = new Set<string>();
  for (const { keyword, value } of parameters) {
    if (!isKeyword(keyword)) throw new RangeError(`${JSON.stringify(keyword)} is no parameter keyword`);
    if (keywords.has(keyword.toUpperCase())) throw new RangeError(`Parameter ${keyword} is given twice`);
    keywords.add(keyword.toUpperCase());
    if (value !== undefined && !isValue(value)) {
      throw new RangeError(
        `${JSON.stringify(value)} is no value for parameter ${keyword}: it may hold neither "=" nor spaces, ` +
          'must not be empty, and anything outside printable ASCII needs an encoding such as xtext',
      );
    }
    text += value === undefined ? ` ${keyword}` : ` ${keyword}=${value}`;
  }
  return text;
}

function formatArgument(verb: string, argument: string): string {
  if (/^ | $/.test(argument)) throw new RangeError(`The argument of ${verb} has spaces around it`);
  return argument === '' ? verb : `${verb} ${argument}`;
}

function formatLine(command: Command): string {
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      if (!isName(command.name)) {
        throw new RangeError(
          `${JSON.stringify(command.name)} is no name for ${command.verb}: it takes 1 to ` +
            `${MAXIMUM_NAME_OCTETS} printable ASCII characters without spaces`,
        );
      }
      return `${command.verb} ${command.name}`;
    case 'MAIL':
      if (command.reversePath?.domain === '') throw new RangeError('A reverse-path needs a domain');
      return `MAIL FROM:${formatPath(command.reversePath)}${formatParameters(command.parameters)}`;
    case 'RCPT':
      return `RCPT TO:${formatPath(command.forwardPath)}${formatParameters(command.parameters)}`;
    case 'DATA':
    case 'RSET':
    case 'QUIT':
    case 'STARTTLS':
      return command.verb;
    case 'BDAT':
      if (!Number.isSafeInteger(command.size) || command.size < 0) {
        throw new RangeError(`A chunk of ${command.size} octets cannot be announced: it takes 0 or more`);
      }
      return `BDAT ${command.size}${command.last ? ' LAST' : ''}`;
    case 'AUTH': {
      const response = command.initialResponse?.revealText();
      if (
        !/^[\w-]{1,20}$/.test(command.mechanism) ||
        (response !== undefined && !/^[!-~]+$/.test(response))
      ) {
        throw new RangeError(
          'AUTH takes the name of a mechanism, and for an initial response base64, or "="',
        );
      }
      return `AUTH ${command.mechanism}${response === undefined ? '' : ` ${response}`}`;
    }
    case 'VRFY':
    case 'EXPN':
      if (command.argument === '') throw new RangeError(`${command.verb} needs an argument`);
      return `${formatArgument(command.verb, command.argument)}${command.utf8 ? ' SMTPUTF8' : ''}`;
    case 'ETRN':
    case 'XCLIENT':
    case 'XFORWARD':
      if (command.argument === '') throw new RangeError(`${command.verb} needs an argument`);
      return formatArgument(command.verb, command.argument);
    case 'NOOP':
    case 'HELP':
      return formatArgument(command.verb, command.argument);
    case 'extension':
      if (!/^[A-Z\d][A-Z\d-]*$/i.test(command.name)) {
        throw new RangeError(`${JSON.stringify(command.name)} is no verb: letters, digits and hyphens`);
      }
      return formatArgument(command.name, command.argument);
  }
}

/**
 * The command as a line, with its CRLF: the inverse of `parseCommand`, which understands all that this writes.
 *
 * @param options.utf8 let UTF-8 stand where SMTPUTF8 allows it (RFC 6531 §3.3); only to a server that offers it
 * @throws {RangeError} a value cannot be written, so that nothing in it can end the line, start another command or
 *   add a parameter: characters outside printable ASCII, an address, keyword or value against the grammar of
 *   RFC 5321 §4.1.2, a keyword given twice, or more octets than RFC 5321 §4.5.3.1 allows (RFC 4954 §4 for AUTH; for
 *   MAIL and RCPT that of their paths only: each extension raises the limit of the line for its parameters)
 */
export function formatCommand(
  command: Command,
  { utf8 = false }: { readonly utf8?: boolean } = {},
): Uint8Array {
  const { verb } = command;
  const line = formatLine(command);
  const mayHoldUtf8 = utf8 && (verb === 'MAIL' || verb === 'RCPT' || verb === 'VRFY' || verb === 'EXPN');
  if (mayHoldUtf8 ? /\p{Cc}/u.test(line) : !isAscii(line)) {
    const shown = verb === 'AUTH' ? '' : `: ${JSON.stringify(line)}`;
    throw new RangeError(`${verb} can only be written in printable ASCII${shown}`);
  }
  const octets = encodeText(`${line}\r\n`);
  const limit = verb === 'AUTH' ? MAXIMUM_AUTHENTICATION_OCTETS : MAXIMUM_COMMAND_OCTETS;
  if (verb !== 'MAIL' && verb !== 'RCPT' && octets.length > limit) {
    throw new RangeError(
      `${verb} would take ${octets.length} octets; a command line has ${limit}, its CRLF included`,
    );
  }
  return octets;
}
