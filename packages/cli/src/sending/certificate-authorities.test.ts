import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, describe, expect, it } from 'vitest';
import { readAuthorities } from './certificate-authorities.js';

const folder = await mkdtemp(join(tmpdir(), 'authorities-'));
afterAll(() => rm(folder, { recursive: true }));

const file = join(folder, 'ca.pem');
const { cert, private: key } = await generate([{ name: 'commonName', value: 'ca.example' }], {
  keyType: 'ec',
  algorithm: 'sha256',
});

async function read(text: string): Promise<string> {
  await writeFile(file, text);
  return readAuthorities(file);
}

describe('the authorities of --tls-ca', () => {
  it.each([cert, `${cert}\n${cert}`, `Ours:\r\n${cert}\nTheirs:\n${cert}\nEnd\n`, `${key}\n${cert}`])(
    'are certificates in PEM, with any text between them (RFC 7468 §2)',
    async (text) => {
      expect(await read(text)).toBe(text);
    },
  );

  it.each([
    { text: '', says: 'no certificate' },
    { text: key, says: 'no certificate' },
    { text: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', says: 'certificate number 1' },
    { text: `${cert}\n-----BEGIN CERTIFICATE-----\nMIIB`, says: 'certificate number 2' },
    { text: `-----BEGIN CERTIFICATE-----\n${cert}`, says: 'certificate number 1' },
  ])('are refused where one cannot be read, by the name of the file', async ({ text, says }) => {
    await expect(read(text)).rejects.toThrow(RangeError);
    await expect(read(text)).rejects.toThrow(says);
    await expect(read(text)).rejects.toThrow(file);
  });

  it('need a file that can be read', async () => {
    const missing = join(folder, 'missing');
    await expect(readAuthorities(missing)).rejects.toThrow(`--tls-ca: ${missing} cannot be read: ENOENT`);
  });
});
