/**
 * A small SMTP and LMTP client of the kit's own, written from the RFCs and not from the core: right as long as no fault is
 * planted. It shows that the cases find faults, and not that clients should be written so.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ClientVerdict, Task } from '../../clients/contract.js';
import type { FaultId } from './faults.js';
import { logIn } from './login.js';
import { damaged, flawOf } from './mail-data.js';
import { MailTransaction } from './mail-transaction.js';
import { NoReply, type Reply } from './reply-reader.js';
import { GivenUp, Wire } from './wire.js';

export interface SmallClientOptions {
  /** What it does wrong. @default nothing */
  readonly fault?: FaultId;
  /** Milliseconds that it waits for a reply. @default 1500 */
  readonly timeout?: number;
}

/** Delivers one message. Resolves with the fate of each recipient, in order. */
export async function deliver(
  task: Task,
  options: SmallClientOptions = {},
): Promise<readonly ClientVerdict[]> {
  const session = new SmallSession(task, options.fault, options.timeout ?? 1500);
  try {
    return await session.run();
  } catch (error) {
    if (error instanceof GivenUp) throw Object.assign(error, { output: error.message });
    throw error;
  } finally {
    session.close();
  }
}

class SmallSession {
  readonly #task: Task;
  readonly #wire: Wire;
  readonly #message: string;
  #offers = new Map<string, string>();
  #isSecure = false;
  #transaction: MailTransaction | undefined;

  constructor(task: Task, fault: FaultId | undefined, timeout: number) {
    this.#task = task;
    this.#wire = new Wire(fault, timeout);
    this.#message = damaged(Buffer.from(task.message).toString('latin1'), fault);
  }

  async run(): Promise<readonly ClientVerdict[]> {
    const flaw = flawOf(this.#message, this.#wire.fault);
    if (flaw !== undefined) throw new GivenUp('failed', `the message has ${flaw}`);
    try {
      await this.#open();
      await this.#login();
      const parts = { task: this.#task, message: this.#message, offers: this.#offers };
      this.#transaction = new MailTransaction(this.#wire, parts, (error) => this.#loss(error).verdict);
      const verdicts = await this.#transaction.run();
      await this.#quit(verdicts.includes('delivered'), verdicts);
      return verdicts;
    } catch (error) {
      if (error instanceof NoReply) throw this.#loss(error);
      if (error instanceof GivenUp && !this.#wire.is421) await this.#quit(false);
      throw error;
    }
  }

  close(): void {
    this.#wire.close();
  }

  #loss(error: NoReply): GivenUp {
    const { message } = error;
    if (error.isTimeout && this.#wire.has('time-out-rejects')) return new GivenUp('rejected', message);
    if (this.#transaction?.isOpen) {
      if (this.#wire.has('delivered-after-loss')) return new GivenUp('delivered', message);
      return new GivenUp(this.#wire.has('rejected-after-loss') ? 'rejected' : 'unknown', message);
    }
    return new GivenUp(this.#wire.has('rejected-after-early-loss') ? 'rejected' : 'deferred', message);
  }

  async #open(): Promise<void> {
    const { host, port, setup, ca, signal } = this.#task;
    const isImplicit = setup === 'implicitTls';
    const socket = isImplicit ? connectTls({ host, port, ...this.#trust(ca) }) : connectTcp({ host, port });
    signal.addEventListener('abort', () => this.#wire.close());
    this.#wire.attach(socket);
    if (isImplicit) {
      await this.#secured(socket);
      this.#isSecure = true;
    }
    if (this.#wire.has('greeting-not-awaited')) this.#wire.write('EHLO client.example.org\r\n');
    const greeting = await this.#wire.reply();
    if (greeting.code !== 220 && !(this.#wire.has('greeting-not-heeded') && greeting.code >= 400)) {
      throw this.#wire.giveUp(greeting, 'the connection');
    }
    await this.#hello(!this.#wire.has('greeting-not-awaited'));
    if (setup === 'startTls' || setup === 'login') await this.#startTls();
  }

  #trust(ca: string) {
    return { ca, rejectUnauthorized: !this.#wire.has('certificate-not-verified') };
  }

  #secured(socket: Socket): Promise<void> {
    return new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', (error) => reject(new GivenUp('deferred', error.message)));
      socket.once('close', () => reject(new NoReply('the connection is over')));
    });
  }

  async #hello(isSent = true): Promise<void> {
    const isLmtp = this.#task.setup === 'lmtp';
    const verb = isLmtp && !this.#wire.has('lmtp-by-ehlo') ? 'LHLO' : 'EHLO';
    if (isSent) this.#wire.send(this.#wire.has('hello-without-name') ? verb : `${verb} client.example.org`);
    let reply = await this.#wire.reply();
    this.#offers = new Map();
    if (reply.code >= 200 && reply.code < 300) {
      this.#offers = this.#offersOf(reply);
      return;
    }
    const isUnknown = (reply.code === 500 || reply.code === 502) && !isLmtp;
    if (isUnknown && !this.#wire.has('no-helo')) reply = await this.#wire.ask('HELO client.example.org');
    const isFine = reply.code >= 200 && reply.code < 300;
    if (!isFine && !this.#wire.has('hello-refusal-ignored')) throw this.#wire.giveUp(reply, 'EHLO');
  }

  #offersOf({ lines }: Reply): Map<string, string> {
    const offers = new Map<string, string>();
    for (const line of lines.slice(this.#wire.has('first-line-offers') ? 0 : 1)) {
      const [keyword = '', ...parameters] = line.split(' ');
      offers.set(
        this.#wire.has('keywords-in-upper-case-only') ? keyword : keyword.toUpperCase(),
        parameters.join(' '),
      );
      if (this.#wire.has('first-line-offers')) for (const word of parameters) offers.set(word, '');
    }
    return offers;
  }

  async #startTls(): Promise<void> {
    if (!this.#offers.has('STARTTLS') && !this.#wire.has('starttls-unoffered')) {
      if (this.#wire.has('tls-optional')) return;
      // A login that would go in the clear is tried later on, by the fault.
      if (this.#wire.has('auth-in-the-clear') && this.#task.setup === 'login') return;
      throw new GivenUp('failed', 'STARTTLS is not offered');
    }
    const reply = await this.#wire.ask('STARTTLS');
    if (reply.code !== 220) {
      if (this.#wire.has('tls-refusal-ignored') && reply.code !== 421) return;
      if (this.#wire.has('auth-in-the-clear') && this.#task.setup === 'login') return;
      throw this.#wire.giveUp(reply, 'STARTTLS');
    }
    const { host, ca } = this.#task;
    const plain = this.#wire.socket;
    plain.removeAllListeners('data');
    const secure = connectTls({ socket: plain, host, ...this.#trust(ca) });
    this.#wire.attach(secure);
    await this.#secured(secure).catch((error: Error) => {
      throw error instanceof GivenUp ? error : new GivenUp('deferred', 'the handshake failed');
    });
    this.#isSecure = true;
    if (this.#wire.has('no-ehlo-under-tls')) return;
    const before = this.#offers;
    await this.#hello();
    if (this.#wire.has('keywords-kept')) this.#offers = new Map([...before, ...this.#offers]);
    if (this.#wire.has('starttls-again') && this.#offers.has('STARTTLS')) await this.#wire.ask('STARTTLS');
  }

  async #login(): Promise<void> {
    if (this.#task.setup !== 'login') return;
    if (!this.#isSecure && !this.#wire.has('auth-in-the-clear')) return; // by another fault TLS was skipped
    await logIn(this.#wire, this.#task, this.#offers.get('AUTH') ?? '');
  }

  async #quit(isSuccess: boolean, verdicts: readonly ClientVerdict[] = []): Promise<void> {
    const isSkipped =
      this.#wire.has('quit-forgotten') || (this.#wire.has('quit-after-success-only') && !isSuccess);
    if (isSkipped || this.#wire.ended || (this.#wire.is421 && !this.#wire.has('421-ignored'))) return;
    try {
      if (this.#wire.has('421-ignored') && this.#wire.is421) await this.#wire.ask('NOOP');
      const reply =
        this.#wire.has('quit-with-the-message') && verdicts.length > 0
          ? await this.#wire.reply()
          : await this.#wire.ask('QUIT');
      if (this.#wire.has('command-after-quit')) this.#wire.write('NOOP\r\n');
      if (this.#wire.has('quit-decides') && reply.code >= 300) throw this.#wire.giveUp(reply, 'QUIT');
    } catch (error) {
      if (error instanceof GivenUp && this.#wire.has('quit-decides')) throw error;
      if (this.#wire.has('quit-decides') && error instanceof NoReply)
        throw new GivenUp('deferred', error.message);
    }
    this.#wire.socket.end();
  }
}
