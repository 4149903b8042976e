/** A server for the length of a test, and a client that says what the test writes, line by line. */
import { once } from 'node:events';
import { type AddressInfo, connect as connectSocket, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { SMTPServer, type SMTPServerOptions } from '../src/index.js';

export interface Listening {
  readonly server: SMTPServer;
  readonly port: number;
}

export async function listening(options: SMTPServerOptions = {}): Promise<Listening> {
  const server = new SMTPServer({ logger: false, disableReverseLookup: true, closeTimeout: 500, ...options });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
  return { server, port: (server.server.address() as AddressInfo).port };
}

const REPLY = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3} [^\r\n]*\r\n/;

export class Client {
  #socket: Socket;
  #heard = '';
  #ended = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
    onTestFinished(() => void this.#socket.destroy());
  }

  static async to(port: number): Promise<Client> {
    const socket = connectSocket(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Client(socket);
  }

  /** Connects, and waits for the greeting. */
  static async greeted(port: number): Promise<Client> {
    const client = await Client.to(port);
    await client.reply();
    return client;
  }

  get socket(): Socket {
    return this.#socket;
  }

  #listen(): void {
    const wake = () => this.#wake();
    this.#socket.on('data', (chunk) => {
      this.#heard += chunk.toString();
      wake();
    });
    this.#socket.on('error', () => {});
    for (const event of ['end', 'close']) {
      this.#socket.on(event, () => {
        this.#ended = true;
        wake();
      });
    }
  }

  /** Goes on under TLS. */
  async secure(options: ConnectionOptions = {}): Promise<void> {
    this.#socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
    const socket = connectTls({ socket: this.#socket, rejectUnauthorized: false, ...options });
    this.#socket = socket;
    this.#ended = false;
    this.#listen();
    await once(socket, 'secureConnect');
  }

  write(text: string | Uint8Array): void {
    this.#socket.write(text);
  }

  /** The next reply, its lines joined; undefined where the server has ended the connection. */
  async reply(): Promise<string | undefined> {
    for (;;) {
      const reply = REPLY.exec(this.#heard)?.[0];
      if (reply !== undefined) {
        this.#heard = this.#heard.slice(reply.length);
        return reply.trimEnd().replaceAll('\r\n', '\n');
      }
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** All that comes until the server ends the connection. */
  async rest(): Promise<string> {
    while (!this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#heard;
  }

  /** Says the lines one after the other, and gives back the replies. */
  async say(...lines: string[]): Promise<(string | undefined)[]> {
    const replies: (string | undefined)[] = [];
    for (const line of lines) {
      this.write(`${line}\r\n`);
      replies.push(await this.reply());
    }
    return replies;
  }
}

/** The replies to these lines, from a server with these options. */
export async function replies(
  options: SMTPServerOptions,
  ...lines: string[]
): Promise<(string | undefined)[]> {
  const { port } = await listening(options);
  return (await Client.greeted(port)).say(...lines);
}

/** The codes of the replies to these lines. */
export async function codes(options: SMTPServerOptions, ...lines: string[]): Promise<(number | undefined)[]> {
  return (await replies(options, ...lines)).map((reply) =>
    reply === undefined ? undefined : Number(reply.slice(0, 3)),
  );
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Mail without AUTH. */
export const OPEN: SMTPServerOptions = { disabledCommands: ['AUTH'] };
export const HELLO = 'EHLO client.example.org';
export const MAIL = 'MAIL FROM:<ann@example.org>';
export const RCPT = 'RCPT TO:<bob@example.com>';
