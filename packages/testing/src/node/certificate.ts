/** A certificate for this machine, made up on the spot: clients trust it by being told to. */
import { createTlsContext, type TlsContext } from '@sansmtp/transport-node';

export interface OwnCertificate {
  readonly context: TlsContext;
  /** PEM; the authority of itself. */
  readonly pem: string;
}

/** For `localhost`, the loopback addresses and `hostname`, for a day. */
export async function makeCertificate(hostname: string): Promise<OwnCertificate> {
  const { generate } = await import('selfsigned'); // slow to load, and not always needed
  const { cert, private: key } = await generate([{ name: 'commonName', value: hostname }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + 86_400_000),
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: hostname },
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
  return { context: createTlsContext({ cert, key }), pem: cert };
}
