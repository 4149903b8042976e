/** Signatures are verified by somebody else: dkimpy. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createDkimSigner } from '@sansmtp/queue';
import { describe, expect, it } from 'vitest';

const VERIFIER = `
import base64, json, sys
import dkim
for line in sys.stdin:
    case = json.loads(line)
    record = case['record'].encode()
    message = base64.b64decode(case['message'])
    print(dkim.verify(message, dnsfunc=lambda name, timeout=5: record), flush=True)
`;

const isThere = spawnSync('/usr/bin/python3', ['-c', 'import dkim']).status === 0;
if (!isThere) console.warn('python3-dkim is not installed: signatures are not verified by anybody else');

function verified(cases: readonly { record: string; message: Buffer }[]): string[] {
  const input = cases
    .map(({ record, message }) => JSON.stringify({ record, message: message.toString('base64') }))
    .join('\n');
  const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', VERIFIER], { input, encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.trim().split('\n');
}

function recordOf(key: KeyObject): string {
  const type = key.asymmetricKeyType;
  const der = key.export({ type: 'spki', format: 'der' });
  // RFC 8463 §4: the key itself, which stands at the end.
  const octets = type === 'ed25519' ? der.subarray(-32) : der;
  return `v=DKIM1; k=${type}; p=${octets.toString('base64')}`;
}

const HEADER =
  'Received: by a\r\nFrom: =?utf-8?q?Ann?= <ann@mail.example.org>\r\nTo: bob@example.com,\r\n\teve@example.com\r\n' +
  'Subject:   hello \t there \r\nReply-To: <x@y>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n';

const BODIES: readonly (readonly [string, Buffer])[] = [
  ['an ordinary body', Buffer.from('Hello  you.\t\r\n\r\n.\r\n..\r\n\r\n')],
  ['no body', Buffer.from('')],
  ['empty lines', Buffer.from('\r\n\r\n \t\r\n')],
  ['eight bits', Buffer.from('Gr\u00fc\u00dfe \u2014\r\n')],
  ['no end of line', Buffer.from('Hello')],
  ['a long one', Buffer.from('0123456789 \t abc\r\n\r\n'.repeat(4_000))],
  ['one line', Buffer.from('x'.repeat(70_000))],
];

describe.runIf(isThere || process.env.CI === 'true')('dkimpy verifies what is signed', () => {
  it.each([
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['Ed25519', generateKeyPairSync('ed25519')],
  ])('by %s', async (_, { privateKey, publicKey }) => {
    const sign = createDkimSigner([{ domain: 'example.org', selector: 's', privateKey }]);
    const record = recordOf(publicKey);
    const cases = await Promise.all(
      BODIES.map(async ([, body]) => {
        const message = Buffer.concat([Buffer.from(`${HEADER}\r\n`), body]);
        const chunks: Uint8Array[] = [];
        for await (const chunk of sign(piecesOf(message), Date.now() - 10_000)) chunks.push(chunk);
        return { record, message: Buffer.concat(chunks) };
      }),
    );
    const forged = cases.map(({ message }) => ({
      record,
      message: Buffer.concat([Buffer.from('From: eve@example.net\r\n'), message]),
    }));
    expect(verified(cases)).toEqual(BODIES.map(() => 'True'));
    expect(verified(forged)).toEqual(BODIES.map(() => 'False'));
  });
});

async function* piecesOf(message: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < message.length; at += 50_000) yield message.subarray(at, at + 50_000);
}
