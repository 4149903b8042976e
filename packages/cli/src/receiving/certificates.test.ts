import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import type { TlsContextSource } from '@sansmtp/transport-node';
import { generate } from 'selfsigned';
import { afterAll, describe, expect, it } from 'vitest';
import { openCertificate } from './certificates.js';

const folder = await mkdtemp(join(tmpdir(), 'certificates-'));
afterAll(() => rm(folder, { recursive: true }));

const [tlsCert, tlsKey] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];

const RSA_KEY = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
}).privateKey;

/** Writes a certificate of this name, and its key. */
async function write(name: string, key?: string): Promise<{ readonly key: string }> {
  const made = await generate([{ name: 'commonName', value: name }], { keyType: 'ec', algorithm: 'sha256' });
  await writeFile(tlsCert, made.cert);
  await writeFile(tlsKey, key ?? made.private);
  return { key: made.private };
}

/** The certificate that a client is shown. */
async function shownBy({ secureContext }: TlsContextSource): Promise<X509Certificate> {
  const server = createServer({ SNICallback: (_, choose) => choose(null, secureContext) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const socket = connect({ host: '127.0.0.1', port, servername: 'mx.example', rejectUnauthorized: false });
  try {
    await new Promise((resolve, reject) => socket.on('secureConnect', resolve).on('error', reject));
    return new X509Certificate(socket.getPeerCertificate().raw);
  } finally {
    socket.destroy();
    server.close();
  }
}

describe('the certificate of serve', () => {
  it('is none unless it is asked for', async () => {
    expect(await openCertificate({}, 'mx.example')).toBeUndefined();
  });

  it('is read from files, and read again on demand', async () => {
    await write('before.example');
    const certificate = await openCertificate({ tlsCert, tlsKey }, 'mx.example');
    const shown = async () => certificate && (await shownBy(certificate.context)).subject;
    expect(await shown()).toBe('CN=before.example');
    const { key } = await write('after.example');
    expect(await shown()).toBe('CN=before.example');
    await certificate?.reload?.();
    expect(await shown()).toBe('CN=after.example');

    // What cannot be used changes nothing.
    for (const strange of [key, RSA_KEY]) {
      await write('stranger.example', strange);
      await expect(certificate?.reload?.()).rejects.toThrow(/--tls-cert .*--tls-key /);
      expect(await shown()).toBe('CN=after.example');
    }
  });

  it('is made up for the name and for this machine, and cannot be read again', async () => {
    const certificate = await openCertificate({ tlsSelfSigned: true }, 'mx.example');
    expect(certificate?.reload).toBeUndefined();
    const shown = certificate && (await shownBy(certificate.context));
    expect(shown?.checkHost('mx.example')).toBe('mx.example');
    expect(shown?.checkHost('localhost')).toBe('localhost');
    expect(shown?.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(shown?.ca).toBe(false);
    expect(Date.parse(shown?.validTo ?? '')).toBeGreaterThan(Date.now() + 364 * 86_400_000);
  });

  it.each(['[192.0.2.1]', `${'a'.repeat(63)}.${'b'.repeat(63)}.example`])(
    'can be made up for %s',
    async (name) => {
      expect(await openCertificate({ tlsSelfSigned: true }, name)).toBeDefined();
    },
  );

  it.each([
    { options: { tlsCert }, says: /go together/ },
    { options: { tlsKey }, says: /go together/ },
    { options: { tlsCert, tlsKey, tlsSelfSigned: true as const }, says: /--tls-self-signed/ },
  ])('is refused for options that contradict each other', async ({ options, says }) => {
    await write('mx.example');
    await expect(openCertificate(options, 'mx.example')).rejects.toThrow(says);
  });

  it('is refused by option and file when these are missing, or are none', async () => {
    await write('mx.example');
    const missing = join(folder, 'missing.pem');
    await expect(openCertificate({ tlsCert: missing, tlsKey }, 'mx')).rejects.toThrow(
      `--tls-cert: ${missing} cannot be read: ENOENT`,
    );
    await expect(openCertificate({ tlsCert, tlsKey: folder }, 'mx')).rejects.toThrow(
      `--tls-key: ${folder} cannot be read: EISDIR`,
    );
    await expect(openCertificate({ tlsCert: tlsKey, tlsKey }, 'mx')).rejects.toThrow(
      `--tls-cert ${tlsKey}, --tls-key ${tlsKey}: `,
    );
  });
});
