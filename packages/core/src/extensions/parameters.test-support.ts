/**
 * Parameters as they travel in tests: over the wire, from the client that writes them to the server that reads them.
 */
import fc from 'fast-check';
import type { Parameter } from '../wire/commands/command.js';
import { formatCommand } from '../wire/commands/format-command.js';
import { parseCommand } from '../wire/commands/parse-command.js';
import { encodeText } from '../wire/octets.js';
import type { ServiceExtension, SessionStanding } from './contract/extension.js';
import type { MailParameters, RcptParameters } from './contract/parameters.js';
import {
  offeredKeywords,
  readMailParameters,
  readRcptParameters,
  writeMailParameters,
  writeRcptParameters,
} from './table.js';

/** A session to which everything may be offered. */
export const standing: SessionStanding = {
  protocol: 'smtp',
  maximumMessageSize: 1000,
  maximumRecipients: 100,
  startTls: true,
  secured: true,
  mechanisms: ['PLAIN'],
  trusted: true,
};

const recipient = { localPart: 'a', domain: 'b.example' };

function parametersOf(line: Uint8Array): readonly Parameter[] {
  const command = parseCommand(line, { utf8: true, lenient: false, extensionVerbs: new Set() });
  if ('parameters' in command) return command.parameters;
  throw new Error(`Not a command with parameters: ${JSON.stringify(command)}`);
}

/** Reads the parameters of MAIL as they stand on a command line. */
export function readMail(text: string, extensions: readonly ServiceExtension[], session = standing) {
  return readMailParameters(parametersOf(encodeText(`MAIL FROM:<> ${text}`)), extensions, session);
}

/** Reads the parameters of RCPT as they stand on a command line. */
export function readRcpt(text: string, extensions: readonly ServiceExtension[], session = standing) {
  return readRcptParameters(parametersOf(encodeText(`RCPT TO:<a@b> ${text}`)), extensions, session);
}

function offerOf(extensions: readonly ServiceExtension[]): Map<string, string> {
  return new Map(
    offeredKeywords(extensions, standing).map((line): [string, string] => {
      const [keyword = '', ...words] = line.split(' ');
      return [keyword, words.join(' ')];
    }),
  );
}

/** The parameters of MAIL as text, for a server that offers the extensions. */
export function writeMail(meant: MailParameters, extensions: readonly ServiceExtension[]): string {
  return textOf(writeMailParameters(meant, extensions, offerOf(extensions)));
}

/** The parameters of RCPT as text, for a server that offers the extensions. */
export function writeRcpt(meant: RcptParameters, extensions: readonly ServiceExtension[]): string {
  return textOf(writeRcptParameters(meant, extensions, offerOf(extensions)));
}

function textOf(parameters: readonly Parameter[]): string {
  return parameters
    .map(({ keyword, value }) => (value === undefined ? keyword : `${keyword}=${value}`))
    .join(' ');
}

/** What a server makes of the parameters of MAIL that a client sends. */
export function sendMail(meant: MailParameters, extensions: readonly ServiceExtension[]) {
  const parameters = writeMailParameters(meant, extensions, offerOf(extensions));
  const line = formatCommand({ verb: 'MAIL', reversePath: null, parameters }).slice(0, -2);
  return readMailParameters(parametersOf(line), extensions, standing);
}

/** What a server makes of the parameters of RCPT that a client sends. */
export function sendRcpt(meant: RcptParameters, extensions: readonly ServiceExtension[]) {
  const parameters = writeRcptParameters(meant, extensions, offerOf(extensions));
  const line = formatCommand({ verb: 'RCPT', forwardPath: recipient, parameters }).slice(0, -2);
  return readRcptParameters(parametersOf(line), extensions, standing);
}

export const refusal = (code: number, enhancedCode: string, text: string) => ({
  refusal: { code, enhancedCode, lines: [text] },
});

/** Date-times without fractions, with any offset. */
export const dateTimes = fc
  .tuple(
    fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    }),
    fc.constantFrom('Z', '+00:00', '-11:30', '+14:00'),
  )
  .map(([date, offset]) => date.toISOString().slice(0, 19) + offset);

/** Printable ASCII. */
export const printable = (constraints: { minLength: number; maxLength: number }) =>
  fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    ...constraints,
  });

/** The text with a few characters replaced, removed or added. */
export function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const edit = fc.record({ at: fc.nat(), remove: fc.nat({ max: 3 }), insert: fc.string({ maxLength: 3 }) });
  return fc.tuple(texts, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([text, edits]) =>
    edits.reduce((edited, { at, remove, insert }) => {
      const from = at % (edited.length + 1);
      return edited.slice(0, from) + insert + edited.slice(from + remove);
    }, text),
  );
}
