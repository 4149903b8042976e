/** What is signed, by whom, and what breaks the signature. That others verify it: `packages/cli/test/interop/dkim.interop.ts`. */
import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunksOf, collect, octetsOf } from '../compliance/bench.js';
import { authorDomains } from './author-domains.js';
import { createDkimSigner, type DkimKey } from './dkim.js';
import { RelaxedBodyHash } from './relaxed-body.js';

const NOW = Date.UTC(2030, 0, 1);
const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ed25519 = generateKeyPairSync('ed25519');
const KEY: DkimKey = { domain: 'example.org', selector: 's1', privateKey: rsa.privateKey };

const MESSAGE =
  'Received: by a\r\nFrom: Ann <ann@example.org>\r\nTo: bob@example.com\r\nSubject:  hello\r\n  there\r\n' +
  'Date: Tue, 1 Jan 2030 00:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nHello  you.\t\r\n\r\n\r\n';

const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');

async function signed(message: string, keys: readonly DkimKey[] = [KEY], size = 7): Promise<string> {
  const sign = createDkimSigner(keys);
  return textOf(Buffer.concat(await collect(sign(chunksOf(octetsOf(message), size), NOW))));
}

/** RFC 6376 §3.4.4, as it is written there. */
function relaxedBody(body: string): string {
  const lines = body.replace(/[ \t]+(?=\r\n|$)/g, '').replace(/[ \t]+/g, ' ');
  const trimmed = lines.replace(/(\r\n)*$/, '');
  return trimmed === '' ? '' : `${trimmed}\r\n`;
}

/** RFC 6376 §6.1.3, for one signature in front of a message. */
function verifies(message: string): boolean {
  const [head = '', ...bodies] = message.split('\r\n\r\n');
  const body = bodies.join('\r\n\r\n');
  const fields = head
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
    .map((line) => {
      const colon = line.indexOf(':');
      const value = line
        .slice(colon + 1)
        .replace(/[ \t]+/g, ' ')
        .trim();
      return { name: line.slice(0, colon).toLowerCase(), value };
    });
  const own = fields.shift();
  if (own?.name !== 'dkim-signature') return false;
  const tags = new Map(
    own.value.split(';').map((tag) => {
      const [, name = '', value = ''] = /^\s*(\w+)=(.*)$/.exec(tag) ?? [];
      return [name, value.replace(/\s/g, '')] as const;
    }),
  );
  const hash = createHash('sha256').update(relaxedBody(body), 'latin1').digest('base64');
  if (hash !== tags.get('bh')) return false;
  const left = [...fields];
  const lines = (tags.get('h') ?? '').split(':').flatMap((name) => {
    const index = left.findLastIndex((field) => field.name === name);
    return index < 0 ? [] : left.splice(index, 1).map(({ value }) => `${name}:${value}`);
  });
  const octets = Buffer.from(
    [...lines, `dkim-signature:${own.value.replace(/b=[^;=]*={0,2}$/, 'b=')}`].join('\r\n'),
    'latin1',
  );
  const signature = Buffer.from(tags.get('b') ?? '', 'base64');
  return tags.get('a') === 'rsa-sha256'
    ? verify('sha256', octets, rsa.publicKey, signature)
    : verify(null, createHash('sha256').update(octets).digest(), ed25519.publicKey, signature);
}

describe('a signature', () => {
  it.each([
    ['RSA', KEY, 'rsa-sha256'],
    ['Ed25519', { ...KEY, privateKey: ed25519.privateKey }, 'ed25519-sha256'],
    [
      'RSA in PEM',
      { ...KEY, privateKey: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string },
      'rsa-sha256',
    ],
  ])('stands in front of the message, which is as it was, and verifies (%s)', async (_, key, algorithm) => {
    const result = await signed(MESSAGE, [key]);
    expect(result.endsWith(MESSAGE)).toBe(true);
    expect(result).toMatch(
      new RegExp(
        `^DKIM-Signature: v=1; a=${algorithm}; c=relaxed/relaxed; d=example\\.org;\r\n s=s1; t=1893456000;\r\n h=`,
      ),
    );
    expect(verifies(result)).toBe(true);
    expect(Math.max(...result.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78);
  });

  it.each([
    ['a second From', (text: string) => text.replace('Received:', 'From: eve@example.net\r\nReceived:')],
    ['a second To', (text: string) => text.replace('Received:', 'To: eve@example.net\r\nReceived:')],
    ['a Cc', (text: string) => text.replace('Received:', 'Cc: eve@example.net\r\nReceived:')],
    ['a second Subject', (text: string) => text.replace('Received:', 'Subject: win\r\nReceived:')],
    ['a second Date', (text: string) => text.replace('Received:', 'Date: now\r\nReceived:')],
    ['a second Message-ID', (text: string) => text.replace('Received:', 'Message-ID: <2@b>\r\nReceived:')],
    ['another word', (text: string) => text.replace('Hello  you', 'Hello  me')],
    ['more of it', (text: string) => `${text}.\r\n`],
  ])('is broken by %s', async (_, change) => {
    expect(verifies(change(await signed(MESSAGE)))).toBe(false);
  });

  it('is not broken by what comes in front, nor by blanks at the end of lines', async () => {
    const result = await signed(MESSAGE);
    expect(verifies(result.replace('Received: by a', 'Received: by b'))).toBe(true);
    expect(verifies(`${result.replace('Hello  you', 'Hello   you')}\r\n`)).toBe(true);
  });

  it('is the same however the message is cut, and where it is too long to stay in memory', async () => {
    const whole = await signed(MESSAGE, [KEY], MESSAGE.length);
    for (const size of [1, 2, 3, 50]) expect(await signed(MESSAGE, [KEY], size)).toBe(whole);
    const long = MESSAGE + 'x'.repeat(200_000);
    expect(verifies(await signed(long, [KEY], 60_000))).toBe(true);
  });

  it('covers any header section and any body', async () => {
    const piece = fc.constantFrom(' ', '\t', '\r\n', 'a', 'b:', '\r\n ', '.', 'From', '\u00e9', ';', '=');
    const body = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(''));
    const word = fc.array(fc.constantFrom(' ', '\t', '\r\n ', 'a', ';b=', '@', ':'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(body, word, fc.integer({ min: 1, max: 20 }), async (text, pieces, size) => {
        const message = `X: 1\r\nFrom: a@b.example.org\r\nSubject:${pieces.join('')}x\r\nTo: c@d\r\n\r\n${text}`;
        expect(verifies(await signed(message, [KEY], size))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

describe('nothing is signed', () => {
  it.each([
    ['without From', MESSAGE.replace('From:', 'Frm:')],
    ['with two of them', `From: ann@example.org\r\n${MESSAGE}`],
    ['of an author elsewhere', MESSAGE.replace('ann@example.org', 'ann@example.com')],
    ['of an author whose domain only ends alike', MESSAGE.replace('ann@example.org', 'ann@badexample.org')],
    [
      'of two authors, one elsewhere',
      MESSAGE.replace('<ann@example.org>', '<ann@example.org>, eve@example.com'),
    ],
    [
      'where From cannot be read',
      MESSAGE.replace('Ann <ann@example.org>', 'ann@example.com <ann@example.org> x'),
    ],
    ['with a header section of more than a mebibyte', `X: ${'x'.repeat(1_100_000)}\r\n${MESSAGE}`],
  ])('%s', async (_, message) => {
    expect(await signed(message, [KEY], 65_536)).toBe(message);
  });
});

it('the key of the nearest domain signs, for authors below it, too', async () => {
  const keys = [
    KEY,
    { ...KEY, domain: 'Mail.Example.ORG', selector: 's2' },
    { ...KEY, domain: 'example.com' },
  ];
  expect(await signed(MESSAGE.replace('ann@example.org', 'ann@a.mail.example.org'), keys)).toContain(
    'd=mail.example.org;\r\n s=s2;',
  );
  expect(await signed(MESSAGE, keys)).toContain('d=example.org;\r\n s=s1;');
});

it.each([
  ['Ann <ann@example.org>', ['example.org']],
  ['ann@EXAMPLE.org', ['example.org']],
  ['"<eve@example.com>" <ann@example.org> (eve@example.com)', ['example.org']],
  ['"a, b" <a@example.org>, (c, d) e@example.net', ['example.org', 'example.net']],
  ['"a@b"@example.org', ['example.org']],
  ['Friends: ann@example.org;', undefined],
  ['ann@example.org <eve@example.com', undefined],
  ['"ann@example.org', undefined],
  ['(ann@example.org', undefined],
  ['ann', undefined],
  ['<@example.com:ann@example.org>', undefined],
  ['', undefined],
])('the authors of From: %s', (value, domains) => {
  expect(authorDomains(value)).toEqual(domains);
});

it.each([
  [' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
  ['', ''],
  ['\r\n\r\n', ''],
  [' \t\r\n', ''],
  ['a', 'a\r\n'],
  ['a\nb\n', 'a\r\nb\r\n'],
  ['a\rb\r', 'a\rb\r\n'],
])('the body %j is hashed as %j (RFC 6376 §3.4.5)', (body, canonical) => {
  const hash = new RelaxedBodyHash();
  for (const octet of octetsOf(body)) hash.update(Uint8Array.of(octet));
  expect(hash.digest()).toBe(createHash('sha256').update(canonical).digest('base64'));
});

it.each([
  ['a domain that is none', { ...KEY, domain: 'a b' }, '"a b" is no domain'],
  ['a selector that is none', { ...KEY, selector: 'a b' }, '"a b" is no selector'],
  ['a key that is none', { ...KEY, privateKey: 'x' }, 'The private key of example.org is none'],
  [
    'a key with a passphrase',
    {
      ...KEY,
      privateKey: generateKeyPairSync('ed25519').privateKey.export({
        ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
      }) as string,
    },
    'The private key of example.org is encrypted',
  ],
  [
    'a key of another type',
    { ...KEY, privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey },
    'of the type ec',
  ],
  [
    'a key that is too short',
    { ...KEY, privateKey: generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey },
    '512 bits',
  ],
])('%s is refused', (_, key, problem) => {
  expect(() => createDkimSigner([key])).toThrow(problem);
});
