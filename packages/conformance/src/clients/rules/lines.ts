/** The form of what a client sends: lines, commands, addresses, and the mail data to the octet. */
import { contentOf, type Exchange, latin1, named, parametersOf, pathIn, quoted } from '../conversation.js';
import { each, type Judge, type Seen } from '../judging.js';

/** Whether it is a command, and not mail data or a response of AUTH. */
export const isCommand = ({ moment, sent }: Exchange): boolean =>
  sent !== '' &&
  moment !== 'greeting' &&
  moment !== 'closed' &&
  (moment !== 'message' || /^BDAT/i.test(sent));

/** RFC 5321 §2.3.8, §4.1.1: a command is one line that ends in CRLF; no bare CR or LF, no NUL. */
export const commandsEndInCrlf: Judge = each((exchange) => {
  if (!isCommand(exchange)) return undefined;
  const command = /^BDAT/i.test(exchange.sent) ? `${exchange.sent.split('\n', 1)[0]}\n` : exchange.sent;
  const shown = exchange.moment === 'AUTH' ? named(exchange) : quoted(command);
  if (!command.endsWith('\r\n')) return `a line that does not end in CRLF: ${shown}`;
  if (/[\r\n\0]/.test(command.slice(0, -2))) return `a bare CR, LF or NUL in a command: ${shown}`;
  return undefined;
});

/** RFC 5321 §4.5.3.1.4, §4.5.3.1.1: 512 octets, and more where an extension of the parameters allows it. */
export const commandsAreShort: Judge = each((exchange) => {
  const limit = exchange.moment === 'AUTH' ? 12_288 : exchange.line.includes('=') ? 2048 : 512;
  const length = isCommand(exchange) ? exchange.line.length + 2 : 0;
  return length > limit ? `a command of ${length} octets; ${limit} are allowed` : undefined;
});

const COMMANDS: readonly RegExp[] = [
  /^(?:EHLO|LHLO|HELO) (?:[\w-]+(?:\.[\w-]+)*|\[[\w.:-]+\])$/i,
  /^MAIL FROM:<[^ ]*>(?: [A-Za-z\d][A-Za-z\d-]*(?:=[!-<>-~\x80-\xff]+)?)*$/i,
  /^RCPT TO:<"(?:[^"\\]|\\.)*"@[^ <>@"]+>(?: [A-Za-z\d][A-Za-z\d-]*(?:=[!-<>-~\x80-\xff]+)?)*$/i,
  /^RCPT TO:<[^ <>"]+>(?: [A-Za-z\d][A-Za-z\d-]*(?:=[!-<>-~\x80-\xff]+)?)*$/i,
  /^(?:DATA|RSET|QUIT|STARTTLS)$/i,
  /^(?:NOOP|HELP)(?: [^\r\n]+)?$/i,
  /^(?:VRFY|EXPN|ETRN) [^\r\n]+$/i,
  /^BDAT \d{1,20}(?: LAST)?$/i,
];

/** RFC 5321 §4.1.1: each command has the form that its grammar gives it, without a blank after the colon. */
export const commandsAreWellFormed: Judge = each((exchange) => {
  if (!isCommand(exchange) || exchange.moment === 'AUTH') return undefined;
  const { line } = exchange;
  return COMMANDS.some((form) => form.test(line)) ? undefined : `no command of SMTP: ${quoted(line)}`;
});

/** RFC 5321 §3.3: the reverse-path and the forward-paths are those that the client was given, to the octet. */
export const addressesAreKept: Judge = each(({ moment, line }, { task }) => {
  if (moment === 'MAIL' && /^MAIL FROM:</i.test(line) && pathIn(line) !== task.from) {
    return `the reverse-path was to be <${task.from}>; it is ${quoted(line)}`;
  }
  if (moment === 'RCPT' && /^RCPT TO:</i.test(line) && !task.to.includes(pathIn(line) ?? '')) {
    return `no such recipient was given: ${quoted(line)}`;
  }
  return undefined;
});

/** RFC 5321 §2.3.8: CR and LF come as CRLF only, in mail data as well. */
export const dataHasNoBareLineEnds: Judge = each(({ moment, sent }) => {
  if (moment !== 'message') return undefined;
  const bare = /\r(?!\n)|(?<!\r)\n/.exec(sent);
  return bare
    ? `a bare ${bare[0] === '\r' ? 'CR' : 'LF'} in the mail data, at octet ${bare.index}`
    : undefined;
});

/** The mail data that stand in one transaction, chunks put together; undefined: it never came to its end. */
function messagesOf(connection: readonly Exchange[]): string[] {
  const messages: string[] = [];
  let chunks = '';
  for (const exchange of connection) {
    if (exchange.moment === 'MAIL' || exchange.moment === 'RSET') chunks = '';
    if (exchange.moment === 'BDAT') chunks += contentOf(exchange);
    if (exchange.moment !== 'message' || exchange.sent === '') continue;
    messages.push(chunks + contentOf(exchange));
    chunks = '';
  }
  return messages;
}

/** Where they part, for a finding. */
function difference(sent: string, given: string): string {
  let at = 0;
  while (at < given.length && sent[at] === given[at]) at++;
  const from = Math.max(0, at - 10);
  return `at octet ${at} ${quoted(sent.slice(from, at + 30))} came in the place of ${quoted(given.slice(from, at + 30))}`;
}

/** The client may add header fields (RFC 6409 §8); what it was given must be there, in order, and the body to the octet. */
function differs(sent: string, given: string): string | undefined {
  // A last line without an end gets one before the final dot (§4.1.1.4).
  if (sent === given || (sent === `${given}\r\n` && !given.endsWith('\r\n'))) return undefined;
  const split = (text: string) => {
    const end = text.indexOf('\r\n\r\n');
    return end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end)];
  };
  const [sentHeader = '', sentBody = ''] = split(sent);
  const [givenHeader = '', givenBody = ''] = split(given);
  const isEnded = sentBody === givenBody || (sentBody === `${givenBody}\r\n` && !givenBody.endsWith('\r\n'));
  if (!isEnded) return difference(sentBody, givenBody);
  const lines = sentHeader.split('\r\n');
  const missing = givenHeader.split('\r\n').find((line) => !lines.includes(line));
  return missing === undefined ? undefined : `the header has lost ${quoted(missing)}`;
}

/** RFC 5321 §4.5.2: a dot at the beginning of a line is doubled, and the server reads the very message that was given. */
export const contentIsTransparent: Judge = ({ connections, task }: Seen) => {
  const given = latin1(task.message);
  for (const connection of connections) {
    let accepted = 0;
    let refused = false;
    for (const { moment, code = 0 } of connection) {
      if (moment === 'MAIL') [accepted, refused] = [0, code >= 300];
      if (moment === 'RCPT' && code >= 200 && code < 300 && !refused) accepted++;
      if (moment === 'message') break;
    }
    for (const message of messagesOf(connection)) {
      const wrong = accepted === 0 && message === '' ? undefined : differs(message, given);
      if (wrong !== undefined) return wrong;
    }
  }
  return undefined;
};

/** RFC 1870 §6.1: the declared size is the size of the message, more or less. */
export const sizeIsTrue: Judge = each(({ moment, line }, { task }) => {
  const size = moment === 'MAIL' ? parametersOf(line).get('SIZE') : undefined;
  if (size === undefined) return undefined;
  const real = task.message.length;
  return Math.abs(Number(size) - real) <= 2048 && Number(size) > real * 0.8
    ? undefined
    : `SIZE=${size} for a message of ${real} octets`;
});
