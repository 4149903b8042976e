/** The client's session, its server the fuzzer. */
import {
  type ClientInput,
  type ClientOutput,
  ClientSession,
  type ClientSessionOptions,
  LocalProtocolError,
  MailDataError,
  Secret,
} from '@sansmtp/core';
import { type Host, type Move, octetsOf, textOf } from './story.js';
import { COMPUTED, MOST_OUTPUTS, type Target, TLS } from './target.js';

const plain: ClientSessionOptions = { hostname: 'client.example.org' };
const data: ClientSessionOptions = { ...plain, startTls: 'opportunistic' };

/** XCLIENT and AUTH must be offered where they are wanted, so that each has a mode of its own. */
export const clientModes: Readonly<Record<string, ClientSessionOptions>> = {
  data,
  bdat: { ...data, mailDataBy: 'bdat' },
  lmtp: { ...data, protocol: 'lmtp' },
  tight: { ...data, maximumOctetsInFlight: 100, maximumReplyLines: 3, maximumReplyLineLength: 80 },
  xclient: { ...plain, xclient: { name: 'a.example', address: '192.0.2.1' } },
  xforward: { ...plain, xforward: { name: 'a.example', source: 'REMOTE' } },
  auth: {
    ...plain,
    authentication: {
      allowInsecure: true,
      credentials: { kind: 'password', username: 'user', password: new Secret('pencil') },
    },
  },
  token: {
    ...plain,
    authentication: {
      allowInsecure: true,
      credentials: { kind: 'token', username: 'user', token: new Secret('t') },
    },
  },
  patient: { ...data, maximumReplyLines: 1_000_000_000 },
};

const envelope = {
  from: 'ann@example.org',
  to: ['bob@example.com', 'carol@example.com', 'dave@example.net'],
  parameters: { ret: 'HDRS', envid: 'x' },
} as const;

type Timeless = ClientInput extends infer Input
  ? Input extends ClientInput
    ? Omit<Input, 'now'>
    : never
  : never;

export class ClientTarget implements Target {
  readonly #session: ClientSession;
  host: Host = 'waits';
  readonly #seen = new Set<string>();
  #now = 0;
  #fault: string | undefined;
  #last = '';
  /** Transactions that were begun, and not told to be over. */
  #open = 0;

  constructor(mode: string) {
    const options = clientModes[mode];
    if (options === undefined) throw new RangeError(`There is no mode ${mode} of a client`);
    const observe = mode.startsWith('patient') ? false : (['transition'] as const);
    this.#session = new ClientSession({ ...options, observe, now: 0 });
    this.#drain();
  }

  get state(): string {
    return this.#session.state;
  }
  get isClosed(): boolean {
    return this.#session.state === 'closed';
  }
  get seen(): ReadonlySet<string> {
    return this.#seen;
  }
  get fault(): string | undefined {
    if (this.isClosed && this.#open > 0) return 'The session closed, and a mail transaction got no verdicts';
    return this.#fault;
  }

  take(move: Move): void {
    if (this.isClosed) return;
    this.#now += 1;
    if (move.by === 'peer') {
      this.#session.handle({ type: 'bytes', bytes: move.octets, now: this.#now });
    } else {
      if (move.act === 'timeout') this.#now = Math.max(this.#now, this.#session.nextDeadline() ?? 0);
      this.#tryAct(move.act);
    }
    this.#drain();
  }

  #tryAct(act: string): void {
    const input = this.#inputOf(act);
    try {
      this.#session.handle({ ...input, now: this.#now } as ClientInput);
      if (input.type === 'send') this.#open += 1;
    } catch (error) {
      // What is not allowed there is told by the one, and a message that must not be sent by the other.
      if (!(error instanceof LocalProtocolError || error instanceof MailDataError)) throw error;
      this.#seen.add(`refused ${act} in ${this.#session.state}`);
    }
  }

  #inputOf(act: string): Timeless {
    switch (act) {
      case 'send':
        return { type: 'send', envelope };
      case 'inquire':
        return { type: 'inquire', command: { verb: 'VRFY', argument: 'bob' } };
      case 'mailData':
        return { type: 'mailData', bytes: octetsOf('Subject: x\r\n\r\n.dot\r\n') };
      case 'much mailData':
        return { type: 'mailData', bytes: octetsOf('.line\r\n'.repeat(10_000)) };
      case 'bad mailData':
        return { type: 'mailData', bytes: octetsOf('a\0b\r\n') };
      case 'compute':
        return { type: 'computed', result: COMPUTED };
      case 'tlsEstablished':
        return { type: 'tlsEstablished', tls: TLS };
      case 'tlsFailed':
      case 'endOfMailData':
      case 'quit':
      case 'eof':
      case 'lost':
      case 'timeout':
        return { type: act };
      default:
        throw new RangeError(`No host of a client does ${act}`);
    }
  }

  #drain(): void {
    for (let count = 0; ; count++) {
      if (count > MOST_OUTPUTS) throw new Error('The session gives outputs without end');
      const output = this.#session.poll();
      if (output !== undefined) this.#look(output);
      else if (this.host === 'waits' || this.isClosed || !this.#session.wantsComputed) return;
      else this.#session.handle({ type: 'computed', result: COMPUTED, now: this.#now });
    }
  }

  #look(output: ClientOutput): void {
    if (this.#last === 'closed') this.#fault ??= `The output ${output.type} came after closed`;
    if (output.type === 'observed') {
      if (output.event.type === 'transition') this.#seen.add(output.event.transition);
      return;
    }
    this.#last = output.type;
    if (output.type === 'write')
      this.#seen.add(`write ${/^[A-Z]{4,8}/.exec(textOf(output.bytes.subarray(0, 9)))?.[0]}`);
    else if (output.type !== 'event') this.#seen.add(output.type);
    else {
      const { event } = output;
      this.#seen.add(event.type === 'failed' ? `failed ${event.failure.kind}` : event.type);
      if (event.type !== 'done') return;
      this.#open -= 1;
      for (const { verdict, phase } of event.verdicts) this.#seen.add(`${verdict} ${phase}`);
      if (this.#open < 0) this.#fault ??= 'Verdicts came for a mail transaction that was over';
    }
  }
}
