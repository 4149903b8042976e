/** Command lines of a client, with their parameters (RFC 5321 §4.1, and the service extensions). */
import * as fc from 'fast-check';
import { addressLiteral, domain, forwardPath, mailbox, reversePath } from './mailboxes.js';
import { damaged, type NearValid } from './near-valid.js';

export interface CommandOptions {
  /**
   * The EHLO keywords whose parameters and verbs may stand in the commands.
   * @default SIZE, 8BITMIME, PIPELINING and DSN
   */
  readonly offers?: readonly string[];
}

/** What most servers offer. */
export const DEFAULT_OFFERS: readonly string[] = ['SIZE', '8BITMIME', 'PIPELINING', 'DSN'];

/** Xtext of RFC 3461 §4. */
const xtext = () =>
  fc.string({ unit: fc.constantFrom(...'azAZ09._@-', '+2B', '+3D', '+40'), minLength: 1, maxLength: 12 });

/** The parameters of MAIL, by the keyword that offers them. */
const MAIL_PARAMETERS: Readonly<Record<string, readonly fc.Arbitrary<string>[]>> = {
  SIZE: [fc.nat(1_000_000).map((size) => `SIZE=${size}`)],
  '8BITMIME': [fc.constantFrom('BODY=7BIT', 'BODY=8BITMIME', 'body=8bitmime')],
  SMTPUTF8: [fc.constant('SMTPUTF8')],
  DSN: [fc.constantFrom('RET=FULL', 'RET=HDRS'), xtext().map((text) => `ENVID=${text}`)],
  AUTH: [
    fc.oneof(
      fc.constant('AUTH=<>'),
      mailbox().map((text) => `AUTH=${encoded(text)}`),
    ),
  ],
};

const NOTIFY = fc
  .subarray(['SUCCESS', 'FAILURE', 'DELAY'], { minLength: 1 })
  .map((words) => `NOTIFY=${words.join(',')}`);

const RCPT_PARAMETERS: Readonly<Record<string, readonly fc.Arbitrary<string>[]>> = {
  DSN: [
    fc.oneof(fc.constant('NOTIFY=NEVER'), NOTIFY),
    mailbox().map((text) => `ORCPT=rfc822;${encoded(text)}`),
  ],
};

/** Printable ASCII as xtext. */
function encoded(text: string): string {
  return text.replace(
    /[^!-~]|[+=]/g,
    (character) => `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

/** Some of the parameters that are offered, each once. */
function parametersOf(
  all: Readonly<Record<string, readonly fc.Arbitrary<string>[]>>,
  offers: readonly string[],
): fc.Arbitrary<string> {
  const offered = offers.flatMap((keyword) => all[keyword] ?? []);
  const each = offered.map((parameter) => fc.option(parameter, { nil: undefined, freq: 2 }));
  return fc.tuple(...each).map((given) =>
    given
      .filter((one) => one !== undefined)
      .map((one) => ` ${one}`)
      .join(''),
  );
}

/** A name of a client for EHLO and HELO. */
const clientName = () => fc.oneof(domain(), addressLiteral());

export function mailCommand({ offers = DEFAULT_OFFERS }: CommandOptions = {}): fc.Arbitrary<string> {
  return fc
    .tuple(reversePath(), parametersOf(MAIL_PARAMETERS, offers))
    .map(([path, parameters]) => `MAIL FROM:${path}${parameters}`);
}

export function rcptCommand({ offers = DEFAULT_OFFERS }: CommandOptions = {}): fc.Arbitrary<string> {
  return fc
    .tuple(forwardPath(), parametersOf(RCPT_PARAMETERS, offers))
    .map(([path, parameters]) => `RCPT TO:${path}${parameters}`);
}

/**
 * One command line, without its CRLF: well-formed, whether or not it comes at the right time. Verbs are in either case
 * (RFC 5321 §2.4).
 */
export function command(options: CommandOptions = {}): fc.Arbitrary<string> {
  const word = fc.stringMatching(/^[a-zA-Z0-9]{1,8}$/);
  const line = fc.oneof(
    mailCommand(options),
    rcptCommand(options),
    fc.constantFrom('DATA', 'RSET', 'NOOP', 'QUIT', 'HELP'),
    clientName().map((name) => `EHLO ${name}`),
    clientName().map((name) => `HELO ${name}`),
    fc.tuple(fc.constantFrom('VRFY', 'EXPN', 'NOOP', 'HELP'), word).map((words) => words.join(' ')),
  );
  return fc.tuple(line, fc.boolean()).map(([text, lower]) => (lower ? withLowerVerb(text) : text));
}

const withLowerVerb = (line: string): string =>
  line.replace(/^\w+(?: (?:FROM|TO):)?/, (verb) => verb.toLowerCase());

/** A command line with one flaw, without its CRLF. Tolerable ones a liberal server takes; those of RFC 5321 need not. */
export function nearCommand(options: CommandOptions = {}): fc.Arbitrary<NearValid> {
  const paths = fc.record({
    mail: mailCommand({ offers: [] }),
    rcpt: rcptCommand({ offers: [] }),
    any: command(options),
  });
  return damaged(paths, [
    { flaw: 'an unknown verb', damage: () => 'XYZZY' },
    { flaw: 'no verb', damage: () => '' },
    { flaw: 'a letter too many in the verb', damage: ({ mail }) => `X${mail}` },
    { flaw: 'MAIL without FROM:', damage: ({ mail }) => mail.replace('FROM:', '') },
    { flaw: 'MAIL without a colon', damage: ({ mail }) => mail.replace(':', ' ') },
    { flaw: 'RCPT with FROM:', damage: ({ rcpt }) => rcpt.replace('TO:', 'FROM:') },
    { flaw: 'RCPT with the null path', damage: () => 'RCPT TO:<>' },
    { flaw: 'a path that is not closed', damage: ({ mail }) => mail.replace(/>$/, '') },
    { flaw: 'text right after a path', damage: ({ mail }) => `${mail}x` },
    { flaw: 'two paths', damage: ({ rcpt }) => `${rcpt} <b@example.com>` },
    { flaw: 'an unknown parameter', damage: ({ mail }) => `${mail} XYZZY=1` },
    { flaw: 'a parameter twice', damage: ({ mail }) => `${mail} SIZE=1 SIZE=2` },
    { flaw: 'a parameter without a value', damage: ({ mail }) => `${mail} SIZE=` },
    { flaw: 'a size that is no number', damage: ({ mail }) => `${mail} SIZE=1k` },
    { flaw: 'an argument of DATA', damage: () => 'DATA now' },
    { flaw: 'an argument of RSET', damage: () => 'RSET now' },
    { flaw: 'no argument of EHLO', damage: () => 'EHLO' },
    { flaw: 'a NUL', damage: ({ any }) => `${any}\u0000` },
    { flaw: 'a bare CR', damage: ({ any }) => `${any}\rQUIT` },
    { flaw: 'a line of 10,000 octets', damage: () => `NOOP ${'x'.repeat(10_000)}` },
    { flaw: 'a blank before the path', tolerable: true, damage: ({ mail }) => mail.replace(':', ': ') },
    { flaw: 'blanks at the end', tolerable: true, damage: () => 'NOOP  ' },
    { flaw: 'an argument of QUIT', tolerable: true, damage: () => 'QUIT now' },
  ]);
}
