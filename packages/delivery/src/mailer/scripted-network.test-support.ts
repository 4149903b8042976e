/**
 * Servers that say what a test wants them to say, at addresses that lead nowhere else: in memory, on virtual time.
 */
import type { ClientEnvelope, ForwardPath, TlsInformation } from '@sansmtp/core';
import type { ByteStream, ByteStreamListener } from '@sansmtp/transport';
import { createMemoryPair, createVirtualClock } from '@sansmtp/transport-memory';
import { ConnectError } from '@sansmtp/transport-node';
import { afterEach, expect } from 'vitest';
import type { MailResolver } from '../routing/mail-resolver.js';
import type { OpenStream } from '../sessions/endpoint.js';
import { createMailer, type Mailer } from './mailer.js';
import type { MailerOptions } from './mailer-options.js';

/** `drop`: the connection is lost; `silence`: no reply, from then on. */
export type Answer = string | 'drop' | 'silence' | undefined;

export interface Script {
  /** @default '220 mx.example ESMTP' */
  readonly greeting?: Answer;
  /** EHLO keywords. @default PIPELINING */
  readonly keywords?: readonly string[];
  /** @default no TLS */
  readonly tls?: 'works' | 'fails';
  readonly information?: TlsInformation;
  /** The reply to a command, or to the final dot, `.`. Undefined: the usual one. */
  reply?(command: string, connection: Connection): Answer;
}

export type Address = Script | 'refused' | 'unreachable';

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** The server's end of one connection. */
export class Connection implements ByteStreamListener {
  readonly address: string;
  readonly commands: string[] = [];
  /** Messages whose final dot was heard, with the recipients accepted, and whether it was answered by 250. */
  readonly messages: { readonly recipients: string[]; readonly text: string; taken: boolean }[] = [];
  readonly stream: ByteStream;
  readonly #script: Script;
  #recipients: string[] = [];
  #unread = '';
  #receiving = false;
  #mute = false;
  secured = false;
  closed = false;

  constructor(address: string, stream: ByteStream, script: Script) {
    this.address = address;
    this.stream = stream;
    this.#script = script;
    stream.open(this);
    this.say(script.greeting ?? '220 mx.example ESMTP');
  }

  say(answer: Answer): void {
    if (answer === 'drop') this.stream.abort();
    else if (answer === 'silence') this.#mute = true;
    else if (!this.#mute) this.stream.write(Buffer.from(`${answer}\r\n`));
  }

  data(bytes: Uint8Array): void {
    this.#unread += textOf(bytes);
    while (this.#readOn());
  }

  end(): void {
    this.stream.end();
  }

  drain(): void {}

  secure(): void {
    this.secured = true;
  }

  close(): void {
    this.closed = true;
  }

  #readOn(): boolean {
    const [end, line] = this.#receiving ? ['\r\n.\r\n', '\r\n'] : ['\r\n', ''];
    const at = (line + this.#unread).indexOf(end);
    if (at < 0) {
      if (this.#receiving && this.#unread !== '') {
        const answer = this.#script.reply?.('body', this);
        if (answer !== undefined) this.say(answer);
      }
      return false;
    }
    const read = this.#unread.slice(0, at);
    this.#unread = this.#unread.slice(at + end.length - line.length);
    if (this.#receiving) {
      this.messages.push({ recipients: this.#recipients, text: read, taken: false });
      this.#recipients = [];
    }
    this.#answer(this.#receiving ? '.' : read);
    return true;
  }

  #answer(command: string): void {
    this.commands.push(command);
    if (this.#mute) return;
    const answer = this.#script.reply?.(command, this) ?? this.#usual(command);
    this.#receiving = answer?.startsWith('354') ?? false;
    if (/^RCPT/.test(command) && answer?.startsWith('25')) {
      this.#recipients.push(/<(.*)>/.exec(command)?.[1] ?? '');
    }
    if (/^(?:MAIL|RSET)/.test(command)) this.#recipients = [];
    const message = this.messages.at(-1);
    if (command === '.' && message !== undefined) message.taken = answer?.startsWith('25') ?? false;
    this.say(answer);
    if (command === 'STARTTLS' && answer?.startsWith('220')) this.stream.startTls();
    if (command === 'QUIT') this.stream.end();
  }

  #usual(command: string): string {
    switch (command.split(' ')[0]) {
      case 'EHLO': {
        const { keywords = ['PIPELINING'], tls } = this.#script;
        const lines = ['mx.example', ...keywords, ...(tls && !this.secured ? ['STARTTLS'] : [])];
        return lines.map((line, index) => `250${index < lines.length - 1 ? '-' : ' '}${line}`).join('\r\n');
      }
      case 'DATA':
        return '354 Go on';
      case 'STARTTLS':
        return '220 Go ahead';
      case 'QUIT':
        return '221 Bye';
      default:
        return '250 OK';
    }
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

export class Network {
  readonly clock = createVirtualClock({ settle });
  /** All that there ever were. */
  readonly connections: Connection[] = [];
  /** For each connection that may have TLS: whether the certificate is to be verified. */
  readonly handshakes: { readonly address: string; readonly verify: boolean }[] = [];
  /** Connections that are open now, by address, on the client's end. */
  readonly open = new Map<string, number>();
  /** The most that were ever open at a time. */
  mostInAll = 0;
  readonly most = new Map<string, number>();
  readonly #addresses: Readonly<Record<string, Address>>;

  /** @param addresses by IP address or path */
  constructor(addresses: Readonly<Record<string, Address>>) {
    this.#addresses = addresses;
  }

  readonly openStream: OpenStream = async (endpoint, tls, signal) => {
    const address = 'path' in endpoint ? endpoint.path : endpoint.address;
    const script = this.#addresses[address] ?? 'refused';
    signal?.throwIfAborted();
    await this.#wait(script === 'unreachable' ? endpoint.connectTimeout : 1, signal);
    if (script === 'unreachable') throw new ConnectError(`No answer from ${address}`, 'ETIMEDOUT');
    if (script === 'refused') throw new ConnectError(`${address} refuses connections`, 'ECONNREFUSED');
    if (tls !== undefined) this.handshakes.push({ address, verify: tls.verify });
    const [near, far] = createMemoryPair({
      clock: this.clock,
      latency: 1,
      ...(tls &&
        script.tls && {
          tls: {
            mode: tls.mode,
            failHandshake: script.tls === 'fails',
            ...(script.information && { first: script.information }),
          },
        }),
    });
    this.#count(address, 1);
    const open = near.open.bind(near);
    near.open = (listener) =>
      open({
        data: (bytes) => listener.data(bytes),
        end: () => listener.end(),
        drain: () => listener.drain(),
        secure: (information) => listener.secure(information),
        close: (reason) => {
          this.#count(address, -1);
          listener.close(reason);
        },
      });
    this.connections.push(new Connection(address, far, script));
    return near;
  };

  /** The connections that were made to an address. */
  to(address: string): Connection[] {
    return this.connections.filter((connection) => connection.address === address);
  }

  /** Lets time pass until the promise is settled. */
  async run<Result>(promise: Promise<Result>): Promise<Result> {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    for (let round = 0; !settled; round++) {
      if (round > 10_000) throw new Error('Time passes and nothing happens');
      await this.clock.advanceAsync(round < 20 ? 10 : 10_000);
    }
    return promise;
  }

  #wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.clock.set(this.clock.now() + milliseconds, () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = (): void => {
        cancel();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort);
    });
  }

  #count(address: string, change: number): void {
    const open = (this.open.get(address) ?? 0) + change;
    this.open.set(address, open);
    this.most.set(address, Math.max(this.most.get(address) ?? 0, open));
    let all = 0;
    for (const each of this.open.values()) all += each;
    this.mostInAll = Math.max(this.mostInAll, all);
  }
}

/** Domains by their exchangers, best first; an exchanger is its address. `[a, b]` of equal preference. */
export function resolverOf(
  domains: Readonly<Record<string, readonly (string | readonly string[])[]>>,
  secure = false,
): MailResolver {
  return {
    async resolveMx(domain) {
      const hosts = domains[domain];
      if (hosts === undefined) return { kind: 'noSuchDomain' };
      const records = hosts.flatMap((host, index) =>
        [host].flat().map((exchange) => ({ exchange: `${exchange}.mx`, preference: 10 * (index + 1) })),
      );
      return { kind: 'found', records, secure };
    },
    async resolveAddresses(host) {
      return { kind: 'found', records: [host.replace(/\.mx$/, '')], secure };
    },
    async resolveTxt() {
      return { kind: 'none' };
    },
  };
}

export function mailbox(text: string): ForwardPath {
  const at = text.lastIndexOf('@');
  return { localPart: text.slice(0, at), domain: text.slice(at + 1) };
}

export function envelopeTo(...recipients: readonly string[]): ClientEnvelope {
  return { reversePath: mailbox('sender@a.example'), recipients: recipients.map(mailbox) };
}

let begun: { readonly mailer: Mailer; readonly network: Network }[] = [];

/** A mailer in a network of its own. */
export function mailing(addresses: Readonly<Record<string, Address>>, options: MailerOptions) {
  const network = new Network(addresses);
  const { clock, openStream } = network;
  const mailer = createMailer({ clock, openStream, ...options });
  begun.push({ mailer, network });
  return { mailer, network };
}

/** Registers the check: after `close()` there is no connection and no timer. */
export function expectNothingLeft(): void {
  // What another file of tests began in this process is its own affair.
  begun = [];
  afterEach(async () => {
    const all = begun;
    begun = [];
    for (const { mailer, network } of all) await expectToClose(mailer, network);
  });
}

export async function expectToClose(mailer: Mailer, network: Network): Promise<void> {
  await network.run(mailer.close());
  // The last word is still on its way to the servers.
  await network.clock.advanceAsync(10);
  expect(network.clock.pending).toBe(0);
  expect([...network.open.values()].filter((open) => open !== 0)).toEqual([]);
  expect(network.connections.every(({ closed }) => closed)).toBe(true);
}
