/** An inbox with a port, and with options for nodemailer that need none. */
import type { ServerConnection } from '@sansmtp/transport';
import { startMailServer } from '@sansmtp/transport-node';
import { createInbox, type Inbox } from '../inbox/inbox.js';
import type { InboxOptions } from '../inbox/inbox-options.js';
import { makeCertificate } from './certificate.js';
import { nodeHost } from './node-host.js';
import { type NodemailerOptions, nodemailerOptions } from './nodemailer-options.js';
import { checkTlsChoice, type TlsChoice } from './tls-choice.js';

export interface NodeInboxOptions<Parsed = undefined> extends InboxOptions<Parsed> {
  /**
   * TLS by STARTTLS, or from the first octet on, with a certificate for `localhost` and for the host name.
   * @default none
   */
  readonly tls?: TlsChoice;
  /**
   * A port of 127.0.0.1; 0 for any that is free.
   * @default 0
   */
  readonly port?: number;
}

export interface NodeInbox<Parsed = undefined> extends Inbox<Parsed> {
  /** The port of 127.0.0.1. Sessions on it run on real time, whatever the time of the inbox. */
  readonly port: number;
  /** For `nodemailer.createTransport`: each message comes in memory, without a socket. */
  readonly transport: NodemailerOptions;
  /** The certificate in PEM, for clients to trust (`ca`); undefined without `tls`. */
  readonly certificate: string | undefined;
}

/**
 * Opens an inbox on a free port of 127.0.0.1.
 * @throws {TypeError} (rejects) an option is not known, or of the wrong kind
 * @throws {RangeError} (rejects) an option is out of its range
 * @throws {Error} (rejects) the port is taken
 */
export async function openInbox<Parsed = undefined>(
  options: NodeInboxOptions<Parsed> = {},
): Promise<NodeInbox<Parsed>> {
  const { tls, port = 0, ...rest } = options;
  checkTlsChoice(tls);
  const hostname = rest.session?.hostname ?? 'inbox.test';
  const session = { ...(tls === 'startTls' && { startTls: 'offered' as const }), ...rest.session };
  let connections: ReadonlySet<ServerConnection> = new Set();
  const host = nodeHost(() => connections.size);
  const { inbox, reception, accept } = createInbox({ ...rest, session }, host);
  const certificate = tls && (await makeCertificate(hostname));
  const server = await startMailServer({
    addresses: [{ port, ...(tls && certificate && { tls: { mode: tls, context: certificate.context } }) }],
    handlers: reception.handlers,
    session: reception.session,
  });
  connections = server.connections;
  const [address] = server.addresses;
  return {
    ...inbox,
    port: address !== undefined && 'port' in address ? address.port : 0,
    transport: nodemailerOptions(hostname, tls, certificate, accept),
    certificate: certificate?.pem,
    async close() {
      await Promise.all([inbox.close(), server.shutdown(0)]);
    },
  };
}
