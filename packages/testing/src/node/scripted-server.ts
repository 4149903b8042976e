/** A scripted server with a port, and with options for nodemailer that need none. */
import type { ByteStream } from '@sansmtp/transport';
import { listen, socketOf } from '@sansmtp/transport-node';
import type { Script } from '../script/script.js';
import {
  createScriptedServer,
  type ScriptedServer,
  type ScriptedServerOptions,
} from '../script/scripted-server.js';
import type { FailHandshake } from '../script/scripted-session.js';
import { makeCertificate } from './certificate.js';
import { nodeHost } from './node-host.js';
import { type NodemailerOptions, nodemailerOptions } from './nodemailer-options.js';
import { checkTlsChoice, type TlsChoice } from './tls-choice.js';

export interface NodeScriptedServerOptions extends ScriptedServerOptions {
  /**
   * TLS by STARTTLS, which the script has to offer, or from the first octet on, with a certificate for `localhost` and for
   * the host name.
   * @default none
   */
  readonly tls?: TlsChoice;
  /**
   * A port of 127.0.0.1; 0 for any that is free.
   * @default 0
   */
  readonly port?: number;
}

export interface NodeScriptedServer extends ScriptedServer {
  /** The port of 127.0.0.1. Whoever connects to it waits in real time if the time is real, else until it is advanced. */
  readonly port: number;
  /** For `nodemailer.createTransport`: it connects in memory, without a socket. */
  readonly transport: NodemailerOptions;
  /** The certificate in PEM, for clients to trust (`ca`); undefined without `tls`. */
  readonly certificate: string | undefined;
}

/** A fatal alert of TLS: handshake_failure (RFC 8446 §6.2). */
const HANDSHAKE_FAILURE = Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28);

/**
 * Opens a scripted server on a free port of 127.0.0.1.
 * @throws {TypeError} (rejects) a script has a name or a step that is not known, or an option is not
 * @throws {RangeError} (rejects) a number is out of its range
 * @throws {Error} (rejects) the port is taken
 */
export async function openScriptedServer(
  script: Script | readonly Script[] = {},
  options: NodeScriptedServerOptions = {},
): Promise<NodeScriptedServer> {
  const { tls, port = 0, ...rest } = options;
  checkTlsChoice(tls);
  const open = new Set<ByteStream>();
  const host = nodeHost(() => open.size);
  const { server, accept } = createScriptedServer(script, rest, { host, failHandshake });
  const certificate = tls && (await makeCertificate(rest.hostname ?? 'script.test'));
  const listener = await listen(
    { port, ...(tls && certificate && { tls: { mode: tls, context: certificate.context } }) },
    (stream) => {
      open.add(stream);
      void accept(stream).then(() => open.delete(stream));
    },
  );
  return {
    ...server,
    port: 'port' in listener.address ? listener.address.port : 0,
    transport: nodemailerOptions(rest.hostname ?? 'script.test', tls, certificate, accept),
    certificate: certificate?.pem,
    async close() {
      await Promise.all([server.close(), listener.close()]);
    },
  };
}

/** Over a socket by an alert, in the place of the server's half. */
const failHandshake: FailHandshake = async (stream, begun) => {
  const socket = socketOf(stream);
  if (socket === undefined) {
    stream.startTls();
    return;
  }
  await begun();
  socket.end(HANDSHAKE_FAILURE);
};
