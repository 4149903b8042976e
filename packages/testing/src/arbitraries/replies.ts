/** Replies of a server, well-formed and not (RFC 5321 §4.2). */
import { concatenate, encodeText } from '@sansmtp/core';
import * as fc from 'fast-check';
import { escaped, printedAs } from './printing.js';

/** A reply and its octets on the wire. */
export interface GeneratedReply {
  readonly code: number;
  /** Absent from some replies, as from those of servers without ENHANCEDSTATUSCODES. */
  readonly enhancedCode?: string;
  readonly lines: readonly string[];
  readonly octets: Uint8Array;
}

export interface ReplyOptions {
  /** @default any of RFC 5321 §4.2.3, and some that nobody defined */
  readonly code?: fc.Arbitrary<number>;
}

const CODES = [250, 220, 354, 421, 450, 451, 452, 500, 501, 503, 550, 552, 554, 221, 235, 334, 455, 530, 555];

const text = () =>
  fc.oneof(
    fc.constantFrom('', 'OK', 'Go on', 'No such user here', '2.0.0', 'a  b', '-', 'x'.repeat(400)),
    fc.stringMatching(/^[ -~]{0,40}$/),
  );

/** A reply of one line or several, with or without an enhanced status code. It shrinks towards `250 `. */
export function reply({
  code = fc.constantFrom(...CODES, 299, 399, 499, 599),
}: ReplyOptions = {}): fc.Arbitrary<GeneratedReply> {
  const detail = fc.tuple(fc.nat(7), fc.nat(30));
  return fc
    .record({
      code,
      detail: fc.option(detail, { nil: undefined }),
      lines: fc.array(text(), { minLength: 1, maxLength: 4 }),
    })
    .map(({ code, detail, lines }) => {
      const severity = Math.floor(code / 100);
      const enhancedCode =
        detail === undefined || severity === 3 ? undefined : `${severity}.${detail.join('.')}`;
      return printed({
        code,
        ...(enhancedCode && { enhancedCode }),
        lines,
        octets: octetsOf(code, enhancedCode, lines),
      });
    });
}

function octetsOf(code: number, enhancedCode: string | undefined, lines: readonly string[]): Uint8Array {
  const prefix = enhancedCode === undefined ? '' : `${enhancedCode} `;
  const whole = lines.map(
    (line, index) => `${code}${index === lines.length - 1 ? ' ' : '-'}${prefix}${line}\r\n`,
  );
  return encodeText(whole.join(''));
}

const printed = (each: GeneratedReply) => printedAs(each, ({ octets }) => `S: ${escaped(octets)}`);

/** Octets that are no reply, and why. */
export interface MalformedReply {
  readonly octets: Uint8Array;
  readonly flaw: string;
}

/** What a client must not take for a reply. */
export function malformedReply(): fc.Arbitrary<MalformedReply> {
  const flaw = fc.constantFrom<[string, (text: string) => string]>(
    ['a code of two digits', (line) => `25 ${line}\r\n`],
    ['a code of four digits', (line) => `2500 ${line}\r\n`],
    ['a code that begins with 1', (line) => `150 ${line}\r\n`],
    ['a code that begins with 6', (line) => `650 ${line}\r\n`],
    ['no code', (line) => `OK ${line}\r\n`],
    ['neither a blank nor a hyphen after the code', (line) => `250.${line}\r\n`],
    ['a line of another class', (line) => `250-${line}\r\n550 ${line}\r\n`],
    ['a second line without a code', (line) => `250-${line}\r\nOK\r\n`],
    ['a blank before the code', (line) => ` 250 ${line}\r\n`],
  );
  return fc.tuple(flaw, fc.stringMatching(/^[a-z ]{0,10}$/)).map(([[name, make], line]) => {
    const octets = encodeText(make(line));
    return printedAs({ octets, flaw: name }, () => `S: ${escaped(octets)} (${name})`);
  });
}

/** Several replies that arrive together, as those to a pipelined group do (RFC 2920). */
export function replies(options: ReplyOptions = {}): fc.Arbitrary<readonly GeneratedReply[]> {
  return fc.array(reply(options), { minLength: 1, maxLength: 5 });
}

/** Their octets, one after the other. */
export const octetsOfReplies = (all: readonly GeneratedReply[]): Uint8Array =>
  concatenate(all.map(({ octets }) => octets));
