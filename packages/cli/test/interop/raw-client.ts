/** A client that says what the test says, to the octet, and keeps what the server replies. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { expect, onTestFinished } from 'vitest';
import { until } from './processes.js';

/** Milliseconds that a reply may take. */
const PATIENCE = 15_000;

export interface RawClient {
  socket: Socket;
  /** All that came so far. */
  received: string;
  /** Resolves when the server has closed, or reset, the connection. */
  readonly closed: Promise<void>;
  /** Sends, and awaits what matches: in all that comes after. */
  say(text: string | Uint8Array, awaited: RegExp): Promise<void>;
  /** Does the TLS handshake; what is said and received from now on is protected. */
  secure(): Promise<TLSSocket>;
}

/** Connects, without waiting for a greeting. */
export function connectRaw(server: { readonly port: number } | { readonly path: string }): RawClient {
  const socket = connect('port' in server ? { host: '127.0.0.1', ...server } : server);
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('error', () => {});
  const onData = (bytes: Buffer) => {
    client.received += bytes.toString('latin1');
  };
  const client: RawClient = {
    socket,
    received: '',
    closed,
    async say(text, awaited) {
      const from = client.received.length;
      client.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
      const end = performance.now() + PATIENCE;
      await until(() => awaited.test(client.received.slice(from)) || performance.now() > end);
      expect(client.received.slice(from)).toMatch(awaited);
    },
    async secure() {
      socket.removeAllListeners('data');
      const tls = connectTls({ socket, rejectUnauthorized: false });
      tls.on('data', onData);
      await new Promise<void>((resolve, reject) => {
        tls.once('secureConnect', resolve).once('error', reject);
      });
      tls.on('error', () => {});
      client.socket = tls;
      return tls;
    },
  };
  socket.on('data', onData);
  onTestFinished(() => {
    socket.destroy();
  });
  return client;
}

/**
 * Connects, and awaits the greeting.
 * @param first what is said before that, such as a PROXY header
 */
export async function greeted(
  server: { readonly port: number } | { readonly path: string },
  first = '',
): Promise<RawClient> {
  const client = connectRaw(server);
  client.socket.write(first);
  await until(() => client.received.startsWith('220 '));
  return client;
}
