/** The certificate that `serve` shows: from files, which may be renewed while it runs, or made up on the spot. */
import { createTlsContext, type TlsContextSource } from '@sansmtp/transport-node';
import { readOptionFile } from '../option-file.js';

export interface CertificateOptions {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsSelfSigned?: true;
}

export interface Certificate {
  readonly context: TlsContextSource;
  /** Reads the files again; undefined where there are none. */
  readonly reload: (() => Promise<void>) | undefined;
}

/** In PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** For `hostname` and this machine, for a year; clients can only take it unverified. */
export async function selfSigned(hostname: string): Promise<KeyPair> {
  // Loaded only here: it would make every start of the command slower by far.
  const { generate } = await import('selfsigned');
  const notAfterDate = new Date(Date.now() + 365 * 86_400_000);
  const { cert, private: key } = await generate([{ name: 'commonName', value: hostname.slice(0, 64) }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate,
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          ...(hostname.startsWith('[') ? [] : [{ type: 2, value: hostname } as const]),
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { cert, key };
}

/** From files, not by `tlsContextFromFiles`: what is wrong with one is said by its option. */
async function fromFiles(certFile: string, keyFile: string): Promise<Certificate> {
  const read = async () => ({
    cert: await readOptionFile('--tls-cert', certFile),
    key: await readOptionFile('--tls-key', keyFile),
  });
  const named = <Result>(use: () => Result): Result => {
    try {
      return use();
    } catch (error) {
      const words = (error as Error).message;
      throw new RangeError(`--tls-cert ${certFile}, --tls-key ${keyFile}: ${words}`, { cause: error });
    }
  };
  const first = await read();
  const context = named(() => createTlsContext(first));
  return {
    context,
    async reload() {
      const next = await read();
      named(() => context.replace(next));
    },
  };
}

/**
 * Undefined where no TLS is wanted.
 * @param madeUp what `--tls-self-signed` stands for, where another process has made it
 * @throws {RangeError} the options contradict each other, a file cannot be read, or the certificate and its key cannot
 *   be used
 */
export async function openCertificate(
  { tlsCert, tlsKey, tlsSelfSigned }: CertificateOptions,
  hostname: string,
  madeUp?: KeyPair,
): Promise<Certificate | undefined> {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new RangeError('--tls-cert and --tls-key go together');
  }
  if (tlsCert !== undefined && tlsKey !== undefined) {
    if (tlsSelfSigned)
      throw new RangeError('--tls-self-signed makes a certificate of its own: give no --tls-cert');
    return fromFiles(tlsCert, tlsKey);
  }
  if (!tlsSelfSigned) return undefined;
  return { context: createTlsContext(madeUp ?? (await selfSigned(hostname))), reload: undefined };
}
