/** The server's session, its client the fuzzer. */
import {
  type Answer,
  deliverBy,
  etrn,
  futureRelease,
  LocalProtocolError,
  limits,
  mtPriority,
  noSoliciting,
  PreparedServerOptions,
  requireTls,
  rrvs,
  Secret,
  type ServerInput,
  type ServerOutput,
  ServerSession,
  type ServerSessionOptions,
  standardExtensions,
} from '@sansmtp/core';
import { type Host, type Move, textOf } from './story.js';
import { COMPUTED, MOST_OUTPUTS, type Target, TLS } from './target.js';

const all: ServerSessionOptions = {
  hostname: 'mx.example.com',
  trusted: true,
  startTls: 'offered',
  authentication: {
    allowInsecure: true,
    mechanisms: ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN', 'CRAM-MD5', 'OAUTHBEARER', 'XOAUTH2'],
  },
  extensions: [
    ...standardExtensions,
    deliverBy(),
    futureRelease({ maximumSeconds: 1000, maximumDate: '2037-01-01T00:00:00Z' }),
    mtPriority(),
    noSoliciting({ keywords: ['com.example:ads'] }),
    limits({ recipientMaximum: 100 }),
    requireTls,
    rrvs,
    etrn,
    { keyword: 'XVERB', verbs: ['XVERB'] },
  ],
};

/** No count ends the session, so that a flood is read to its end. What bounds memory stays as it is. */
const patient: ServerSessionOptions = {
  maximumErrors: 1_000_000_000,
  maximumJunkCommands: 1_000_000_000,
  maximumRefusedRecipients: 1_000_000_000,
  maximumMessageSize: Number.POSITIVE_INFINITY,
};

export const serverModes: Readonly<Record<string, ServerSessionOptions>> = {
  reject: all,
  normalize: { ...all, bareNewline: 'normalize' },
  keep: { ...all, bareNewline: 'keep' },
  lenient: { ...all, bareNewline: 'normalize', lenient: true },
  lmtp: { ...all, protocol: 'lmtp' },
  tight: {
    ...all,
    maximumErrors: 3,
    maximumMessageSize: 100,
    maximumRecipients: 2,
    maximumTextLineLength: 80,
  },
  patient: { ...all, ...patient },
  patientNormalize: { ...all, ...patient, bareNewline: 'normalize' },
  patientLenient: { ...all, ...patient, bareNewline: 'normalize', lenient: true },
};

const reject421 = { decision: 'reject', reply: { code: 421, lines: ['Not now'] } } as const;

type Timeless = ServerInput extends infer Input
  ? Input extends ServerInput
    ? Omit<Input, 'now'>
    : never
  : never;

/** The options are checked once for a mode, and not for each session. */
const prepared = new Map(
  Object.entries(serverModes).map(([mode, options]) => {
    const observe = mode.startsWith('patient') ? false : (['transition'] as const);
    return [mode, new PreparedServerOptions({ ...options, observe })] as const;
  }),
);

export class ServerTarget implements Target {
  readonly #session: ServerSession;
  host: Host = 'waits';
  readonly #seen = new Set<string>();
  #now = 0;
  #fault: string | undefined;
  #last = '';

  constructor(mode: string) {
    const options = prepared.get(mode);
    if (options === undefined) throw new RangeError(`There is no mode ${mode} of a server`);
    this.#session = new ServerSession({ prepared: options, now: 0 });
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
    return this.#fault;
  }

  take(move: Move): void {
    if (this.isClosed) return;
    this.#now += 1;
    if (move.by === 'peer') {
      this.#session.handle({ type: 'bytes', bytes: move.octets, now: this.#now });
    } else {
      if (move.act === 'timeout') this.#now = Math.max(this.#now, this.#session.nextDeadline() ?? 0);
      const input = this.#inputOf(move.act);
      try {
        this.#session.handle({ ...input, now: this.#now } as ServerInput);
      } catch (error) {
        // What is not allowed there is told by this error, and changes nothing.
        if (!(error instanceof LocalProtocolError)) throw error;
        this.#seen.add(`refused ${move.act} in ${error.state}`);
      }
    }
    this.#drain();
  }

  #inputOf(act: string): Timeless {
    switch (act) {
      case 'accept':
        return { type: 'answer', ...this.#acceptance() };
      case 'reject':
        return { type: 'answer', decision: 'reject' };
      case 'reject by 421':
        return { type: 'answer', ...reject421 };
      case 'compute':
        return { type: 'computed', result: COMPUTED };
      case 'compute nothing':
        return { type: 'computed', result: undefined };
      case 'tlsEstablished':
        return { type: 'tlsEstablished', tls: TLS };
      case 'tlsFailed':
      case 'eof':
      case 'lost':
      case 'timeout':
      case 'holdBack':
      case 'readOn':
      case 'shutdown':
        return { type: act };
      default:
        throw new RangeError(`No host of a server does ${act}`);
    }
  }

  #acceptance(): Answer {
    return this.#session.question?.kind === 'credentials'
      ? { decision: 'accept', credentials: { kind: 'password', password: new Secret('pencil') } }
      : { decision: 'accept' };
  }

  #drain(): void {
    for (let count = 0; ; count++) {
      if (count > MOST_OUTPUTS) throw new Error('The session gives outputs without end');
      const output = this.#session.poll();
      if (output !== undefined) this.#look(output);
      else if (!this.#answered()) return;
    }
  }

  /** What the host does by itself. */
  #answered(): boolean {
    if (this.host === 'waits' || this.isClosed) return false;
    const now = this.#now;
    if (this.#session.question !== undefined) {
      const answer: Answer = this.host === 'accepts' ? this.#acceptance() : { decision: 'reject' };
      this.#session.handle({ type: 'answer', ...answer, now });
      return true;
    }
    if (!this.#session.wantsComputed) return false;
    this.#session.handle({ type: 'computed', result: COMPUTED, now });
    return true;
  }

  #look(output: ServerOutput): void {
    if (this.#last === 'closed') this.#fault ??= `The output ${output.type} came after closed`;
    if (this.#last === 'close' && output.type !== 'closed' && output.type !== 'observed')
      this.#fault ??= `The output ${output.type} came after close`;
    if (output.type === 'observed') {
      if (output.event.type === 'transition') this.#seen.add(output.event.transition);
      return;
    }
    this.#last = output.type;
    if (output.type !== 'write') {
      this.#seen.add(output.type);
      return;
    }
    const text = textOf(output.bytes);
    const lines = text.slice(0, 10_000).split(/(?<=\n)/);
    for (const line of lines.filter((each) => each.endsWith('\n'))) {
      const reply = /^([2-5]\d\d)[ -]((?:[245]\.\d{1,3}\.\d{1,3})?)[^\0\r]*\r\n$/.exec(line);
      if (reply === null) this.#fault ??= `This is no line of a reply: ${JSON.stringify(line)}`;
      else this.#seen.add(`${reply[1]} ${reply[2]}`);
    }
    if (!text.endsWith('\r\n')) this.#fault ??= 'A reply does not end in CRLF';
  }
}
