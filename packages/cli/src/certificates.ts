/** The certificate that `serve` shows: from files, which may be renewed while it runs, or made up on the spot. */
import { createTlsContext, type TlsContextSource, tlsContextFromFiles } from '@sansmtp/transport-node';

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

/** For `hostname` and this machine, for a year; clients can only take it unverified. */
async function selfSigned(hostname: string): Promise<TlsContextSource> {
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
  return createTlsContext({ cert, key });
}

/**
 * Undefined where no TLS is wanted.
 * @throws {RangeError} the options contradict each other
 * @throws {TlsError} the certificate and its key cannot be used
 * @throws the system's error when a file cannot be read
 */
export async function openCertificate(
  { tlsCert, tlsKey, tlsSelfSigned }: CertificateOptions,
  hostname: string,
): Promise<Certificate | undefined> {
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new RangeError('--tls-cert and --tls-key go together');
  }
  if (tlsCert !== undefined && tlsKey !== undefined) {
    if (tlsSelfSigned)
      throw new RangeError('--tls-self-signed makes a certificate of its own: give no --tls-cert');
    const context = await tlsContextFromFiles(tlsCert, tlsKey);
    return { context, reload: () => context.reload() };
  }
  return tlsSelfSigned ? { context: await selfSigned(hostname), reload: undefined } : undefined;
}
