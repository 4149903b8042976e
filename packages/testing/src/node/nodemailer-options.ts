/** Options for `nodemailer.createTransport` that lead into this process: no port, no look-up, no socket. */
import type { Duplex } from 'node:stream';
import type { ByteStream } from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import { duplexOf, secureStreamOf, streamOf } from '@sansmtp/transport-node';
import type { OwnCertificate } from './certificate.js';
import type { TlsChoice } from './tls-choice.js';

/** What nodemailer documents of its SMTP transport, as far as it is needed here. */
export interface NodemailerOptions {
  readonly host: string;
  readonly secure: boolean;
  readonly tls?: { readonly ca: string };
  readonly getSocket: (
    options: unknown,
    callback: (error: Error | null, socket?: { readonly connection: Duplex }) => void,
  ) => void;
}

export function nodemailerOptions(
  host: string,
  tls: TlsChoice | undefined,
  certificate: OwnCertificate | undefined,
  accept: (stream: ByteStream) => Promise<unknown>,
): NodemailerOptions {
  return {
    host,
    secure: tls === 'implicit',
    ...(certificate && { tls: { ca: certificate.pem } }),
    getSocket(_, callback) {
      const [near, far] = createMemoryPair();
      // Of a handshake that failed, the client has the error.
      serverEnd(far, tls, certificate)
        .then(accept)
        .catch(() => near.abort());
      callback(null, { connection: duplexOf(near) });
    },
  };
}

/** Under implicit TLS it is there once the handshake stands. */
async function serverEnd(
  stream: ByteStream,
  tls: TlsChoice | undefined,
  certificate: OwnCertificate | undefined,
): Promise<ByteStream> {
  if (certificate === undefined) return stream;
  const options = { tls: { context: certificate.context } };
  return tls === 'implicit' ? secureStreamOf(duplexOf(stream), options) : streamOf(duplexOf(stream), options);
}
