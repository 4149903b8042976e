import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readDkimSigner } from './dkim-keys.js';

async function written(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sansmtp-dkim-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'key.pem'), text);
  return join(folder, 'key.pem');
}

it.each([
  ['no key', 'nothing\n', 'is none; it takes RSA or Ed25519, in PEM'],
  [
    'a public key',
    generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }) as string,
    'is none; it takes RSA or Ed25519, in PEM',
  ],
])('a file with %s: the error names it, says what is wrong and what to do', async (_, text, problem) => {
  const keyFile = await written(text);
  const good = await written(
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  );
  const options = [
    { domain: 'example.net', selector: 's', keyFile: good },
    { domain: 'example.org', selector: 's', keyFile },
  ];
  await expect(readDkimSigner(options)).rejects.toThrow(
    `--dkim: ${keyFile}: The private key of example.org ${problem} (openssl genrsa 2048 makes one)`,
  );
});
