/** Certificates for the tests, made when they run. Each signed itself, so it is its own authority too. */
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { scratchFolder } from './processes.js';

export interface TestCertificate {
  /** In PEM. */
  readonly cert: string;
  readonly key: string;
  /** The same in files, which go with the test. */
  readonly certFile: string;
  readonly keyFile: string;
  /** SHA-256, as node:tls writes it. */
  readonly fingerprint: string;
}

/** For `name`, for localhost and for 127.0.0.1. */
export async function certificate(name = 'mx.example'): Promise<TestCertificate> {
  const folder = await scratchFolder();
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: name },
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key)]);
  return { cert, key, certFile, keyFile, fingerprint: new X509Certificate(cert).fingerprint256 };
}

/** The options of `serve` that make it show this certificate. */
export function shown({ certFile, keyFile }: TestCertificate): string[] {
  return ['--tls-cert', certFile, '--tls-key', keyFile];
}
