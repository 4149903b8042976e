/** Writing a command: a value to one line, in which nothing can end the line, begin another command or add a parameter. */

import { encodeText } from '../octets.js';
import {
  type Command,
  isAscii,
  isKeyword,
  isName,
  MAXIMUM_AUTHENTICATION_OCTETS,
  MAXIMUM_COMMAND_OCTETS,
  MAXIMUM_NAME_OCTETS,
  type Parameter,
} from './command.js';
import { formatPath } from './path.js';

/** `esmtp-value` (RFC 5321 §4.1.2), as it is written. */
function isValue(text: string): boolean {
  return /^[!-<>-~]+$/.test(text);
}

function formatParameters(parameters: readonly Parameter[]): string {
  let text = '';
  if (parameters.length === 0) return text;
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
