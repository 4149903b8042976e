/** A server made with the library, for what `sansmtp serve` does not offer; it keeps what it gets. */
import type { Envelope } from '@sansmtp/core';
import type { ServerHandlers, ServerSessionInformation } from '@sansmtp/transport';
import {
  createTlsContext,
  type MailServerOptions,
  type ServerTlsOptions,
  startMailServer,
} from '@sansmtp/transport-node';
import { onTestFinished } from 'vitest';
import type { TestCertificate } from './certificates.js';

export interface Received {
  readonly envelope: Envelope;
  /** As it stood when the message came. */
  readonly session: Pick<
    ServerSessionInformation,
    'peer' | 'tls' | 'identity' | 'client' | 'forwarded' | 'hello' | 'spokeEarly'
  >;
  readonly body: string;
}

export interface LibraryServer {
  readonly port: number;
  readonly received: readonly Received[];
}

export interface LibraryServerOptions extends Pick<MailServerOptions, 'session' | 'trusted'> {
  readonly handlers?: Partial<ServerHandlers>;
  /** Undefined: no TLS. */
  readonly tls?: Pick<ServerTlsOptions, 'mode' | 'requestClientCertificate'> & {
    readonly shown: TestCertificate;
    /** Who may have signed the clients' certificates, in PEM. */
    readonly ca?: string;
  };
}

function tlsOf({ shown, ca, ...rest }: NonNullable<LibraryServerOptions['tls']>): ServerTlsOptions {
  const { cert, key } = shown;
  return { ...rest, context: createTlsContext({ cert, key, ...(ca !== undefined && { ca }) }) };
}

export async function libraryServer(options: LibraryServerOptions): Promise<LibraryServer> {
  const { handlers, tls, session, trusted } = options;
  const received: Received[] = [];
  const server = await startMailServer({
    addresses: [{ port: 0, ...(tls && { tls: tlsOf(tls) }) }],
    session: { hostname: 'mx.example', ...session },
    ...(trusted && { trusted }),
    handlers: {
      async onMessage({ envelope, body }, { peer, tls, identity, client, forwarded, hello, spokeEarly }) {
        const chunks: Uint8Array[] = [];
        for await (const chunk of body) chunks.push(chunk);
        received.push({
          envelope,
          session: { peer, tls, identity, client, forwarded, hello, spokeEarly },
          body: Buffer.concat(chunks).toString('latin1'),
        });
      },
      ...handlers,
    },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  return { port: address?.kind === 'tcp' ? address.port : 0, received };
}
