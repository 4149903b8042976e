/**
 * What others send takes linear time, whatever they send: for sixteen times the octets, at most thirty-two times as
 * long. `.ci/expressions.mjs` looks at each regular expression by itself; this is about what is made of them.
 */
import {
  type ClientCredentials,
  ClientSession,
  formatMailbox,
  isHostName,
  type MechanismName,
  parseMailbox,
  Secret,
  ServerSession,
} from '@sansmtp/core';
import { createPolicyFetch, findStsPolicy, toAsciiDomain } from '@sansmtp/delivery';
import { describe, expect, it } from 'vitest';
import { ReplyReader } from '../../core/src/client/replies/reply-reader.js';
import { dsn } from '../../core/src/extensions/delivery/dsn.js';
import { parseClientAttributes } from '../../core/src/extensions/session/client-attributes.js';
import { parseLimits } from '../../core/src/extensions/session/limits.js';
import { decodeXtext, encodeXtext } from '../../core/src/extensions/values/xtext.js';
import { decodeBase64 } from '../../core/src/sasl/exchange/base64.js';
import { parseFields } from '../../core/src/sasl/exchange/bearer.js';
import { parseGs2Header } from '../../core/src/sasl/exchange/gs2.js';
import { saslPrepare } from '../../core/src/sasl/exchange/prepare.js';
import { parseCommand } from '../../core/src/wire/commands/parse-command.js';
import { InboundBuffer } from '../../core/src/wire/inbound.js';
import { MailDataDecoder } from '../../core/src/wire/mail-data/mail-data-decoder.js';
import { parseEhloReply } from '../../core/src/wire/replies/ehlo-reply.js';
import { ReplyParser } from '../../core/src/wire/replies/reply.js';
import { field } from '../../delivery/src/notifications/delivery-status-fields.js';
import { quotedPrintable } from '../../delivery/src/notifications/quoted-printable.js';
import { parseStsPolicy, parseStsRecord } from '../../delivery/src/policies/sts-policy.js';
import { decodeMessage } from '../../delivery/src/routing/dns-message.js';
import { readAnswer } from '../../delivery/src/routing/dns-reading.js';
import { selectExchangers } from '../../delivery/src/routing/routing.js';
import { parseProxyHeader } from '../../transport-node/src/proxies/proxy-protocol.js';
import { MessageScan } from '../src/sending/message/message-scan.js';

/** Sixteen times as many are still below the size from which V8's arrays cost more by themselves. */
const OCTETS = 1024;

/** Times that the short input is read for each time of the long one. */
const TIMES = 16;

/** Microseconds that this process has worked; what others do meanwhile does not count. */
function worked(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** How many times as long it takes for sixteen times the octets: each the best of five. */
async function growth(input: (octets: number) => string, read: (text: string) => unknown): Promise<number> {
  const [short, long] = [input(OCTETS), input(16 * OCTETS)];
  // What takes less than a few milliseconds cannot be measured, nor what the interpreter still does.
  let calls = 1;
  const timeOf = async (text: string, times: number): Promise<number> => {
    const begin = worked();
    for (let call = 0; call < times; call++) {
      const result = read(text);
      if (result instanceof Promise) await result;
    }
    return worked() - begin;
  };
  while ((await timeOf(short, TIMES * calls)) < 3_000) calls *= 2;
  let [shortest, longest] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let run = 0; run < 5; run++) {
    shortest = Math.min(shortest, (await timeOf(short, TIMES * calls)) / TIMES);
    longest = Math.min(longest, await timeOf(long, calls));
  }
  return longest / shortest;
}

const octetsOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** One after the other until it is as long. */
const repeated =
  (piece: string, before = '', after = '') =>
  (octets: number): string =>
    before + piece.repeat(Math.ceil(octets / piece.length)) + after;

function readReply(text: string): unknown {
  const parser = new ReplyParser({ maximumLines: Number.POSITIVE_INFINITY });
  return text.split('\n').map((line) => parser.push(octetsOf(line)));
}

function readLines(text: string): void {
  const buffer = new InboundBuffer('reject');
  for (const octet of octetsOf(text)) {
    buffer.push(Uint8Array.of(octet));
    while (buffer.nextLine(Number.POSITIVE_INFINITY) !== undefined);
  }
}

function scan(text: string): void {
  const message = new MessageScan();
  message.push(octetsOf(text));
}

/** In chunks, since what a chunk costs must not depend on what came before. */
function normalize(text: string): void {
  const rules = { bareNewline: 'normalize', maximumLineLength: Number.POSITIVE_INFINITY } as const;
  const decoder = new MailDataDecoder(rules);
  const octets = octetsOf(text);
  for (let begin = 0; begin < octets.length; begin += 100)
    decoder.decode(octets.subarray(begin, begin + 100));
}

const orcpt = dsn.rcptParameters?.find(({ keyword }) => keyword === 'ORCPT');
const originalRecipient = (text: string): unknown =>
  orcpt?.parse(text, {} as Parameters<typeof orcpt.parse>[1]);

const command = (text: string): unknown => parseCommand(octetsOf(text));
const lenient = (text: string): unknown =>
  parseCommand(octetsOf(text), { utf8: true, lenient: true, extensionVerbs: new Set() });
const ehlo = (text: string): unknown => parseEhloReply({ code: 250, lines: text.split('\n') });
const policy = (text: string): unknown => parseStsPolicy(`version: STSv1\n${text}`);
const xclient = (text: string): unknown => parseClientAttributes(text, 'XCLIENT');

/** Two octets of a number. */
const pair = (number: number): string => String.fromCharCode((number >> 8) & 0xff, number & 0xff);

/** A DNS answer of so many octets: the names of its records all end in one chain of pointers, of half the octets. */
function dnsAnswer(octets: number): string {
  const question = `\x01a\0${pair(16)}${pair(1)}`;
  const opaque = (name: string, data: string) =>
    `${name}${pair(65_280)}${pair(1)}${'\0'.repeat(4)}${pair(data.length)}${data}`;
  const begin = 12 + question.length + opaque('\0', '').length;
  const pointer = (to: number): string => pair(0xc000 | to);
  const pointers = Array.from({ length: Math.min(octets, 16_000) / 4 }, (_, place) =>
    pointer(place === 0 ? 12 : begin + 2 * (place - 1)),
  );
  const first = opaque('\0', pointers.join(''));
  const other = opaque(pointer(begin + 2 * (pointers.length - 1)), '');
  const others = Math.floor((octets / 2 - question.length) / other.length);
  const head = `${pair(1)}\x81\x80${pair(1)}${pair(1 + others)}${pair(0)}${pair(0)}`;
  return head + question + first + other.repeat(others);
}

const dnsNames = (text: string): unknown => {
  const packet = decodeMessage(Buffer.from(text, 'latin1'));
  return packet && readAnswer(packet, { name: 'a', type: 'TXT' });
};

/** A DNS answer whose records all have the longest of names, by pointers or written out. */
function dnsNamesOf(name: string, octets: number): string {
  const record = `${name}${pair(16)}${pair(1)}${'\0'.repeat(4)}${pair(1)}\0`;
  const records = Math.ceil(octets / record.length);
  const question = `${'\x01a'.repeat(120)}\0${pair(16)}${pair(1)}`;
  return `${pair(1)}\x81\x80${pair(1)}${pair(records)}${pair(0)}${pair(0)}${question}${record.repeat(records)}`;
}

/** A server session up to where it waits after these commands; what it has computed is nought. */
function authenticate(text: string): unknown {
  const session = new ServerSession({
    authentication: { allowInsecure: true },
    maximumErrors: 1_000_000,
    now: 0,
  });
  const drain = (): void => {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.type === 'compute') {
        session.handle({ type: 'computed', result: new Uint8Array(32), now: 0 });
      } else if (output.type === 'ask') {
        const decision = /^(?:authenticate|credentials)$/.test(output.question.kind) ? 'reject' : 'accept';
        session.handle({ type: 'answer', decision, now: 0 });
      }
    }
  };
  drain();
  const octets = octetsOf(`EHLO c.example\r\n${text}\r\n`);
  for (let begin = 0; begin < octets.length; begin += 16) {
    session.handle({ type: 'bytes', bytes: octets.subarray(begin, begin + 16), now: 0 });
    drain();
  }
  return session.state;
}

/** AUTH in base64, half as long as asked for: a line may have 12,288 octets (RFC 4954 §4). */
const auth =
  (mechanism: string, initial: (octets: number) => string) =>
  (octets: number): string =>
    `AUTH ${mechanism} ${btoa(initial(octets / 4))}`;

const PASSWORD: ClientCredentials = { kind: 'password', username: 'ann', password: new Secret('pencil') };
const TOKEN: ClientCredentials = { kind: 'token', username: 'ann', token: new Secret('pencil') };

/** A client session that hears these replies, one after the other, each in small pieces; what it has computed is nought. */
function authenticating(mechanism: MechanismName, ...replies: readonly string[]): unknown {
  const session = new ClientSession({
    hostname: 'c.example',
    authentication: {
      credentials: /BEARER|XOAUTH2/.test(mechanism) ? TOKEN : PASSWORD,
      mechanisms: [mechanism],
      allowInsecure: true,
    },
    maximumReplyLineLength: 1_000_000,
    maximumReplyLines: 1_000_000,
    now: 0,
  });
  const drain = (): void => {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.type === 'compute') {
        session.handle({ type: 'computed', result: new Uint8Array(32), now: 0 });
      }
    }
  };
  drain();
  for (const reply of ['220 mx.example', ...replies]) {
    const octets = octetsOf(`${reply}\r\n`);
    for (let begin = 0; begin < octets.length; begin += 16) {
      session.handle({ type: 'bytes', bytes: octets.subarray(begin, begin + 16), now: 0 });
      drain();
    }
  }
  return session.state;
}

const challenged =
  (mechanism: MechanismName, ...before: readonly string[]) =>
  (reply: string): unknown =>
    authenticating(mechanism, `250-mx.example\r\n250 AUTH ${mechanism}`, ...before, reply);

/** A reply 334 in base64, half as long as asked for: a message of SCRAM may have 4096 octets. */
const challenge =
  (text: (octets: number) => string) =>
  (octets: number): string =>
    `334 ${btoa(text(octets / 4))}`;

/** Of a client whose random octets are nought. */
const NONCE = btoa('\0'.repeat(32));
const SERVER_FIRST = `334 ${btoa(`r=${NONCE}x,s=AAAA,i=4096`)}`;

/** A policy that comes over HTTPS in small pieces. */
const served = (text: string, contentType = 'text/plain'): Promise<unknown> => {
  const octets = octetsOf(text);
  const body = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (let begin = 0; begin < octets.length; begin += 10)
          controller.enqueue(octets.subarray(begin, begin + 10));
        controller.close();
      },
    });
  return findStsPolicy('a.example', {
    resolver: { resolveTxt: async () => ({ kind: 'found', records: ['v=STSv1; id=1'] }) },
    fetchPolicy: createPolicyFetch(
      async () => new Response(body(), { headers: { 'content-type': contentType } }),
    ),
    cache: new Map(),
    now: 0,
  });
};

const quotedText = (text: string): unknown => quotedPrintable(octetsOf(text));
const writeOrcpt = (address: string): unknown =>
  orcpt?.format({ orcpt: { addressType: 'utf-8', address } }, '');

/** A reply that comes in small pieces. */
function readPieces(text: string): unknown {
  const reader = new ReplyReader(1_000_000);
  const octets = octetsOf(text);
  let read: unknown;
  for (let begin = 0; begin < octets.length; begin += 10) {
    reader.push(octets.subarray(begin, begin + 10));
    read = reader.next(1_000_000, () => false);
  }
  return read;
}

type Case = readonly [string, (octets: number) => string, (text: string) => unknown];

const cases: readonly Case[] = [
  ['a policy with a line of blanks', repeated(' ', 'mode:', 'x\r'), policy],
  ['a policy with blanks after each letter', repeated(' \t x', 'mode:', '\0'), policy],
  ['a policy of empty lines', repeated('\r\n'), policy],
  ['a policy with a key without end', repeated('a.'), policy],
  ['a policy of many exchangers', repeated('mx: a.example\n'), policy],
  ['a policy with a long exchanger', repeated('a-', 'mx: xn--'), policy],
  ['a policy record of blanks', repeated('\t', 'v=STSv1;', 'x'), (text) => parseStsRecord([text])],
  ['a policy record of fields', repeated(' ; a=b', 'v=STSv1;'), (text) => parseStsRecord([text])],
  ['policy records', repeated('v=STSv1;\n'), (text) => parseStsRecord(text.split('\n'))],
  ['a domain of dots', repeated('.'), toAsciiDomain],
  ['a domain of labels', repeated('a.'), isHostName],
  ['a domain in Unicode', repeated('\u00e4.'), toAsciiDomain],
  [
    'mail exchangers',
    repeated('mx.example\n'),
    (text) =>
      selectExchangers('example', {
        kind: 'found',
        records: text
          .split('\n')
          .map((exchange, preference) => ({ exchange: `${preference}.${exchange}`, preference })),
      }),
  ],
  ['a command of blanks', repeated(' ', 'NOOP', 'x'), command],
  ['blanks after MAIL FROM:', repeated(' ', 'MAIL FROM:', 'x'), command],
  ['blanks inside angle brackets', repeated(' ', 'RCPT TO:<', 'x'), lenient],
  ['blanks before the end of a path', repeated(' ', 'RCPT TO:<postmaster', 'x'), lenient],
  ['a path without brackets', repeated('<', 'RCPT TO:a'), lenient],
  ['quotes and TABs', repeated('"\\\t', 'RCPT TO:'), lenient],
  ['a source route', repeated('@a,', 'MAIL FROM:<'), command],
  ['a source route of address literals', repeated('@[', 'MAIL FROM:<'), command],
  ['a quoted local part', repeated('\\"', 'MAIL FROM:<"', '@a.example>'), command],
  ['a local part of dots', repeated('a.', 'MAIL FROM:<'), command],
  ['parameters', repeated(' A=b', 'MAIL FROM:<>'), command],
  ['a parameter of equals signs', repeated('=', 'MAIL FROM:<> A'), command],
  ['an address', repeated('"\\', '', '"@a.example'), (text) => parseMailbox(text)],
  ['an IPv6 address literal', repeated('0:', 'a@[IPv6:', ']'), (text) => parseMailbox(text)],
  ['a name in EHLO', repeated('\u00e4 ', 'EHLO ', 'x'), (text) => parseCommand(Buffer.from(text))],
  ['blanks in EHLO', repeated(' ', 'EHLO a', 'x'), command],
  ['a local part of dots alone', repeated('.', 'RCPT TO:<', '@a.example>'), command],
  ['a local part without a domain', repeated('a..', 'RCPT TO:<', '>'), command],
  [
    'a local part that is written in quotes',
    repeated('..'),
    (localPart) => formatMailbox({ localPart, domain: 'a.example' }),
  ],
  ['a domain of final dots', repeated('.', 'a@a'), (text) => parseMailbox(text)],
  ['text after the path', repeated('>', 'RCPT TO:<a@a.example>'), command],
  ['AUTH= in brackets', repeated('<', 'MAIL FROM:<> AUTH=<', '>'), command],
  ['xtext of equals signs', repeated('='), decodeXtext],
  ['xtext in small letters', repeated('+c3+bc'), decodeXtext],
  ['xtext that is no UTF-8', repeated('+fc'), decodeXtext],
  ['text that becomes xtext', repeated('\u00e4='), encodeXtext],
  ['an original recipient as xtext', repeated('+c3+bc=', 'rfc822;'), originalRecipient],
  ['an original recipient of code points', repeated('\\x{FC}', 'utf-8;'), originalRecipient],
  ['an original recipient of code points without end', repeated('\\x{', 'utf-8;'), originalRecipient],
  ['an original recipient in UTF-8', repeated('a\u00e4', 'utf-8;'), originalRecipient],
  ['an address type without end', repeated('a'), originalRecipient],
  ['mail data of bare LFs', repeated('\n'), normalize],
  ['mail data of lines of a dot', repeated('.\n'), normalize],
  ['mail data of dots', repeated('..\r\n.a\n'), normalize],
  ['mail data of one line', repeated('a'), normalize],
  ['mail data of CRs that are no line ends', repeated('.\r'), normalize],
  ['xtext', repeated('+41'), decodeXtext],
  ['xtext that ends badly', repeated('+41', '', '+'), decodeXtext],
  ['attributes of XCLIENT', repeated('NAME=a '), xclient],
  ['blanks in XCLIENT', repeated(' ', 'NAME=a', 'x'), xclient],
  ['a PROXY header of version 1', repeated(' ', 'PROXY TCP4 '), (text) => parseProxyHeader(octetsOf(text))],
  [
    'a PROXY header of version 2',
    (octets) =>
      `\r\n\r\n\0\r\nQUIT\n\x20\0${String.fromCharCode((octets - 1) >> 8, 0xff)}${'\0'.repeat(octets)}`,
    (text) => parseProxyHeader(octetsOf(text), 1_000_000),
  ],
  ['a reply of many lines', repeated('250-a\n'), readReply],
  ['a reply of a long line', repeated('5.7.1 ', '550 '), readReply],
  ['EHLO lines', repeated('A b\n'), ehlo],
  ['blanks in an EHLO line', repeated(' ', 'a\nAUTH', '\0'), ehlo],
  ['hyphens in an EHLO line', repeated('-', 'a\nAUTH', '\0'), ehlo],
  ['LIMITS', repeated('A=1 ', '', '='), parseLimits],
  ['base64', repeated('AAAA', '', '===='), decodeBase64],
  ['the fields of a token', repeated('a=b\u0001'), parseFields],
  ['a GS2 header', repeated('=2C', 'n,a=', ','), parseGs2Header],
  ['a name from right to left', repeated('\u0627', '', 'a'), (text) => saslPrepare(text, 'stored')],
  ['a name', repeated('\u00e4 '), (text) => saslPrepare(text, 'query')],
  ['DNS names that end in a chain of pointers', dnsAnswer, dnsNames],
  ['DNS names by pointer', (octets) => dnsNamesOf('\xc0\x0c', octets), dnsNames],
  ['DNS names of many labels', (octets) => dnsNamesOf(`${'\x01b'.repeat(120)}\0`, octets), dnsNames],
  ['DNS records that alias each other', (octets) => dnsNamesOf('\0', octets), dnsNames],
  ['a password of AUTH PLAIN', auth('PLAIN', repeated('\u00e4', '\0ann\0')), authenticate],
  ['NULs in AUTH PLAIN', auth('PLAIN', repeated('\0')), authenticate],
  ['a name of AUTH LOGIN', auth('LOGIN', repeated('a ')), authenticate],
  ['a first message of SCRAM', auth('SCRAM-SHA-256', repeated('=2C', 'n,,n=ann', ',r=x')), authenticate],
  ['extensions of SCRAM', auth('SCRAM-SHA-256', repeated(',a=b', 'n,,n=ann,r=x')), authenticate],
  [
    'base64 of AUTH that is none',
    repeated('=', 'AUTH PLAIN '),
    (text) => authenticate(text.slice(0, 12_000)),
  ],
  ['a nonce of SCRAM', challenge(repeated('x', `r=${NONCE}`, ',s=AAAA,i=4096')), challenged('SCRAM-SHA-256')],
  ['a salt of SCRAM', challenge(repeated('AAAA', `r=${NONCE}x,s=`, ',i=4096')), challenged('SCRAM-SHA-256')],
  [
    'extensions in a challenge of SCRAM',
    challenge(repeated(',a=b', `r=${NONCE}x,s=AAAA,i=4096`)),
    challenged('SCRAM-SHA-256'),
  ],
  [
    "a server's signature of SCRAM",
    challenge(repeated('AAAA', 'v=')),
    challenged('SCRAM-SHA-256', SERVER_FIRST),
  ],
  [
    "a server's error of SCRAM",
    challenge(repeated('x-', 'e=', '\0')),
    challenged('SCRAM-SHA-256', SERVER_FIRST),
  ],
  ['a challenge of CRAM-MD5', challenge(repeated('<', '<', '@')), challenged('CRAM-MD5')],
  ['an error of OAUTHBEARER', challenge(repeated('{"', '{"status":')), challenged('OAUTHBEARER')],
  ['a prompt of LOGIN that is no base64', repeated('=', '334 ', 'x'), challenged('LOGIN')],
  ['a challenge that is no base64', repeated('AA==', '334 '), challenged('CRAM-MD5')],
  ['a reply that nearly quotes the password', repeated('penci', '535 '), challenged('PLAIN')],
  [
    'many offers of AUTH',
    repeated('250-AUTH X\r\n', '250-mx.example\r\n', '250 AUTH PLAIN'),
    (text) => authenticating('PLAIN', text),
  ],
  [
    'an offer of many mechanisms',
    repeated(' X', '250-mx.example\r\n250 AUTH'),
    (text) => authenticating('PLAIN', text),
  ],
  ['a policy over HTTPS', repeated(' \t', 'version: STSv1\nmode:', 'x\r'), served],
  ['exchangers of a policy over HTTPS', repeated('mx: a.example\n', 'version: STSv1\n'), served],
  [
    'the type of a policy over HTTPS',
    repeated(' \t', 'text/plain', 'x'),
    (type) => served('version: STSv1\n', type),
  ],
  [
    'a local part of quotes and backslashes',
    repeated('"\\ '),
    (localPart) => formatMailbox({ localPart, domain: 'a.example' }),
  ],
  ['an original recipient that is written', repeated('\u00fc+=\\'), writeOrcpt],
  ['an original recipient of halves of characters', repeated('\ud800'), writeOrcpt],
  ['text that becomes quoted-printable', repeated('\u00e4 '), quotedText],
  ['lines that become quoted-printable', repeated('\r\n '), quotedText],
  ['a reply of one line in pieces', repeated('a', '250 '), readPieces],
  ['a reply of many lines in pieces', repeated('250-a\r\n'), readPieces],
  ['a header field without end', repeated('a ', 'Subject: '), scan],
  ['a header field of folded lines', repeated('\n a', 'Subject:'), scan],
  ['a header section in UTF-8', repeated('X: \u00c3\u00a4\n'), scan],
  ['lines octet by octet', repeated('a'), readLines],
  ['a header section', repeated(' :', 'a'), scan],
  ['a header section of names', repeated('a:\n'), scan],
  ['a diagnostic of blanks', repeated(' '), (text) => field('Diagnostic-Code', text, false)],
  ['a diagnostic of one word', repeated('\u00e4'), (text) => field('Diagnostic-Code', text, true)],
  ['a diagnostic of words', repeated('a '), (text) => field('Diagnostic-Code', text, false)],
];

describe('linear time', () => {
  it.each(cases)('is what %s takes', async (_, input, read) => {
    // A collection of garbage amid a measurement makes it long; what is not linear is so each time.
    let least = await growth(input, read);
    for (let again = 0; again < 8 && least > 32; again++) least = Math.min(least, await growth(input, read));
    expect(least).toBeLessThanOrEqual(32);
  });

  it('is told from quadratic time', async () => {
    expect(await growth(repeated('=', '', 'x'), (text) => text.replace(/=+$/, ''))).toBeGreaterThan(64);
  });
});
