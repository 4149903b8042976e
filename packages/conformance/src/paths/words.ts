/** What a client may say where the server waits for it: each word of the protocol, right and in the ways it can be wrong. */
import { concatenate, encodeText } from '@sansmtp/core';
import type { Need } from '../contract/case.js';
import { CannotJudge } from '../dialogue/findings.js';
import { type GeneratedStep, mailDataOf } from '../generated/steps.js';
import type { ChartTransition } from './skeleton.js';

/** Whose words they are. */
export interface Speaker {
  readonly protocol: 'smtp' | 'lmtp';
  /** Mailboxes, without angle brackets. */
  readonly from: string;
  readonly to: string;
  /** The name in EHLO. */
  readonly hostname: string;
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
  /** What a message begins with. */
  readonly preface: Uint8Array;
  /** What EHLO offers for SIZE; 0 for nothing. */
  readonly sizeLimit: number;
}

/** What is said where the server waits for it. */
export interface Word {
  /** For the path's name. */
  readonly name: string;
  /** @default none */
  readonly needs?: readonly Need[];
  /** Only there; a login that fails costs half a minute. @default in all states */
  readonly state?: string;
  /**
   * @throws {CannotJudge} it cannot be said to this server
   */
  steps(speaker: Speaker): readonly GeneratedStep[];
}

const said = (name: string, ...lines: readonly string[]): Word => saidBy(name, () => lines);

const saidBy = (name: string, lines: (speaker: Speaker) => readonly string[]): Word => ({
  name,
  steps: (speaker) => lines(speaker).map((line) => ({ kind: 'lines', lines: [line] })),
});

/** A message behind DATA. */
const message = (name: string, ending: (speaker: Speaker) => string): Word => ({
  name,
  steps: (speaker) => [
    {
      kind: 'lines',
      lines: ['DATA'],
      message: mailDataOf(concatenate([speaker.preface, encodeText(ending(speaker))])),
    },
  ],
});

const chunk = (name: string, ending: (speaker: Speaker) => string, last: boolean): Word => ({
  name,
  needs: ['CHUNKING'],
  steps: (speaker) => [
    { kind: 'chunk', octets: concatenate([speaker.preface, encodeText(ending(speaker))]), last },
  ],
});

/** RFC 1870; a limit of many megabytes is left alone. */
function tooLarge({ sizeLimit }: Speaker): string {
  if (sizeLimit > 0 && sizeLimit <= LARGEST) return 'x\r\n'.repeat(sizeLimit / 3 + 1);
  throw new CannotJudge(`the server names no limit for SIZE, or one above ${LARGEST} octets`);
}

const LARGEST = 100_000;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const right = ({ credentials }: Speaker): { readonly user: string; readonly password: string } => {
  if (credentials === undefined) throw new CannotJudge('no credentials were given');
  return credentials;
};

/** AUTH PLAIN with its response (RFC 4616). */
export function loginLine(speaker: Speaker): string {
  const { user, password } = right(speaker);
  return `AUTH PLAIN ${base64(`\0${user}\0${password}`)}`;
}

/** AUTH, and what answers its challenges. */
const exchange = (
  name: string,
  line: string,
  responses: (speaker: Speaker) => readonly string[],
  needs: readonly Need[] = ['AUTH'],
): Word => ({
  name,
  needs,
  steps: (speaker) => [{ kind: 'lines', lines: [line], responses: responses(speaker) }],
});

/** The command of a transition, as it brings the session on; undefined: it is not the client's. */
export function commandFor({ event }: ChartTransition, speaker: Speaker): GeneratedStep | undefined {
  const { protocol, hostname, from, to } = speaker;
  switch (event) {
    case 'command.EHLO':
    case 'command.LHLO':
    case 'command.HELO':
      return { kind: 'lines', lines: [`${protocol === 'lmtp' ? 'LHLO' : 'EHLO'} ${hostname}`] };
    case 'command.MAIL':
      return { kind: 'lines', lines: [`MAIL FROM:<${from}>`] };
    case 'command.RSET':
      return { kind: 'lines', lines: ['RSET'] };
    case 'command.RCPT':
      return { kind: 'lines', lines: [`RCPT TO:<${to}>`] };
    case 'command.BDAT':
      return { kind: 'chunk', octets: speaker.preface, last: false };
    default:
      return undefined;
  }
}

export const words: readonly Word[] = [
  saidBy('ehlo', ({ hostname }) => [`EHLO ${hostname}`]),
  said('ehlo-without-name', 'EHLO'),
  saidBy('helo', ({ hostname }) => [`HELO ${hostname}`]),
  saidBy('lhlo', ({ hostname }) => [`LHLO ${hostname}`]),
  said('noop', 'NOOP'),
  said('noop-with-control', 'NOOP \x01'),
  said('rset', 'RSET'),
  saidBy('vrfy', ({ to }) => [`VRFY ${to}`]),
  said('expn', 'EXPN staff'),
  said('help', 'HELP'),
  said('unknown', 'XYZZY'),
  saidBy('send', ({ from }) => [`SEND FROM:<${from}>`]),
  said('etrn', 'ETRN example.com'),
  said('xclient', 'XCLIENT ADDR=192.0.2.1'),
  said('xclient-with-login', 'XCLIENT ADDR=192.0.2.1 LOGIN=ann'),
  said('xclient-malformed', 'XCLIENT ADDR'),
  said('xforward', 'XFORWARD NAME=c.example'),
  said('xforward-malformed', 'XFORWARD NAME'),
  saidBy('mail', ({ from }) => [`MAIL FROM:<${from}>`]),
  said('mail-without-path', 'MAIL'),
  said('mail-with-bad-address', 'MAIL FROM:<a@>'),
  said('mail-with-utf8', 'MAIL FROM:<\u00e9@b.example>'),
  saidBy('mail-with-unknown-parameter', ({ from }) => [`MAIL FROM:<${from}> XYZZY=1`]),
  saidBy('mail-with-size-too-large', ({ from }) => [`MAIL FROM:<${from}> SIZE=99999999999999`]),
  saidBy('mail-of-binary', ({ from, to }) => [
    `MAIL FROM:<${from}> BODY=BINARYMIME`,
    `RCPT TO:<${to}>`,
    'DATA',
  ]),
  saidBy('rcpt', ({ to }) => [`RCPT TO:<${to}>`]),
  said('rcpt-without-path', 'RCPT'),
  said('rcpt-with-bad-address', 'RCPT TO:<a@>'),
  said('rcpt-with-utf8', 'RCPT TO:<\u00e9@b.example>'),
  saidBy('rcpt-with-unknown-parameter', ({ to }) => [`RCPT TO:<${to}> XYZZY=1`]),
  message('data', () => ''),
  message('data-with-bare-lf', () => 'a\nb\r\n'),
  message('data-too-large', tooLarge),
  said('data-with-argument', 'DATA now'),
  { name: 'data-and-leaving', steps: ({ preface }) => [{ kind: 'leave', begun: preface }] },
  chunk('bdat', () => '', false),
  chunk('bdat-last', () => '', true),
  chunk('bdat-with-bare-lf', () => 'a\nb\r\n', true),
  chunk('bdat-too-large', tooLarge, true),
  {
    name: 'bdat-without-size',
    needs: ['CHUNKING'],
    steps: () => [{ kind: 'chunk', octets: new Uint8Array(), last: false, size: 'x' }],
  },
  // Where nothing was offered the octets of a chunk would be commands.
  said('bdat-empty', 'BDAT 0 LAST'),
  saidBy('starttls', ({ hostname }) => ['STARTTLS', `EHLO ${hostname}`, 'STARTTLS']),
  said('starttls-with-argument', 'STARTTLS now'),
  {
    name: 'starttls-with-injection',
    needs: ['STARTTLS'],
    steps: () => [{ kind: 'injection', line: 'NOOP' }],
  },
  exchange(
    'auth-login',
    'AUTH LOGIN',
    (speaker) => {
      const { user, password } = right(speaker);
      return [base64(user), base64(password)];
    },
    ['credentials'],
  ),
  exchange(
    'auth-plain',
    'AUTH PLAIN',
    (speaker) => {
      const { user, password } = right(speaker);
      return [base64(`\0${user}\0${password}`)];
    },
    ['credentials'],
  ),
  {
    ...saidBy('auth-twice', (speaker) => [loginLine(speaker), loginLine(speaker)]),
    needs: ['credentials'],
  },
  exchange('auth-cancelled', 'AUTH PLAIN', () => ['*']),
  exchange('auth-without-base64', 'AUTH PLAIN', () => ['no base64!']),
  exchange('auth-malformed', 'AUTH PLAIN', () => ['eA==']),
  said('auth-unknown', 'AUTH XYZZY'),
  {
    name: 'auth-wrong',
    needs: ['AUTH'],
    state: 'ready',
    steps: () => [{ kind: 'lines', lines: [`AUTH PLAIN ${base64('\0nobody\0wrong')}`], failsLogin: true }],
  },
  said('quit', 'QUIT'),
];
