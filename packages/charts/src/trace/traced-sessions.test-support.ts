/** Sessions whose traces the tests read: of a server with a scripted client, and of both ends joined. */
import {
  type Answer,
  ClientSession,
  type ClientSessionOptions,
  encodeText,
  type Question,
  ServerSession,
  type ServerSessionOptions,
} from '@sansmtp/core';
import type { TraceRecord } from './records.js';
import { createTracer, type TracerOptions } from './tracer/tracer.js';

export const WALL_CLOCK = Date.UTC(2026, 0, 2, 3, 4, 5);

type Decide = (question: Question) => Omit<Answer, never> | undefined;

const accept: Decide = () => ({ decision: 'accept' });

/** A server that is told what its client sends; a piece of the wire each. Time passes by 1 ms a piece. */
export class TracedServer {
  readonly records: TraceRecord[] = [];
  readonly #session: ServerSession;
  readonly #observe: ReturnType<typeof createTracer>;
  readonly #information = { id: 's1', peer: { address: '192.0.2.1', port: 40_000 } };
  readonly #decide: Decide;
  now = 1000;
  #octetsReceived = 0;
  #octetsSent = 0;

  constructor(
    options: Partial<ServerSessionOptions> = {},
    decide: Decide = accept,
    tracer: Partial<TracerOptions> = {},
  ) {
    this.#decide = decide;
    this.#observe = createTracer({
      end: 'server',
      write: (record) => this.records.push(JSON.parse(JSON.stringify(record)) as TraceRecord),
      wallClock: () => WALL_CLOCK,
      ...tracer,
    });
    this.#session = new ServerSession({ hostname: 'mx.example', observe: true, now: this.now, ...options });
    this.#tell({ type: 'opened', time: this.now });
    this.#drain();
  }

  /** Lines, each ended by CRLF, in one piece. */
  say(...lines: string[]): this {
    return this.send(lines.map((line) => `${line}\r\n`).join(''));
  }

  send(text: string): this {
    this.now += 1;
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    this.#octetsReceived += bytes.length;
    this.#tell({ type: 'received', time: this.now, length: bytes.length });
    this.#session.handle({ type: 'bytes', bytes, now: this.now });
    this.#drain();
    return this;
  }

  /** Lets so much time pass, and the deadlines in it. */
  wait(milliseconds: number): this {
    this.now += milliseconds;
    this.#session.handle({ type: 'timeout', now: this.now });
    this.#drain();
    return this;
  }

  secure(): this {
    const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', channelBindings: {} };
    this.#session.handle({ type: 'tlsEstablished', tls, now: this.now });
    this.#tell({ type: 'tls', time: this.now, outcome: 'established', tls });
    this.#drain();
    return this;
  }

  end(ending = 'quit', state = 'session.ready'): this {
    this.#session.handle({ type: 'eof', now: this.now });
    this.#drain();
    this.#tell({
      type: 'closed',
      time: this.now,
      ending,
      state,
      duration: this.now - 1000,
      octetsReceived: this.#octetsReceived,
      octetsSent: this.#octetsSent,
    });
    return this;
  }

  #tell(event: Parameters<ReturnType<typeof createTracer>>[0]): void {
    this.#observe(event, this.#information);
  }

  #drain(): void {
    for (let output = this.#session.poll(); output !== undefined; output = this.#session.poll()) {
      if (output.type === 'observed') this.#tell(output.event);
      if (output.type === 'write') this.#octetsSent += output.bytes.length;
      if (output.type === 'mailData') this.#tell({ type: 'mailData', time: this.now, octets: output.bytes });
      if (output.type !== 'ask') continue;
      const answer = this.#decide(output.question);
      if (answer) this.#session.handle({ type: 'answer', ...answer, now: this.now });
    }
  }
}

/** Both ends joined without delay: the client sends one message and quits. */
export function deliveredBetween(
  client: Partial<ClientSessionOptions> = {},
  decide: Decide = accept,
): { readonly client: readonly TraceRecord[]; readonly server: readonly TraceRecord[] } {
  const now = 1000;
  const records = { client: [] as TraceRecord[], server: [] as TraceRecord[] };
  const observers = {
    client: createTracer({
      end: 'client',
      write: (record) => records.client.push(record),
      wallClock: () => WALL_CLOCK,
    }),
    server: createTracer({
      end: 'server',
      write: (record) => records.server.push(record),
      wallClock: () => WALL_CLOCK,
    }),
  };
  const information = { client: { id: 'c' }, server: { id: 's' } };
  const a = new ClientSession({ hostname: 'c.example', observe: true, now, ...client });
  const b = new ServerSession({
    hostname: 'mx.example',
    observe: true,
    now,
    authentication: { allowInsecure: true },
  });
  const tell = (end: 'client' | 'server', event: Parameters<ReturnType<typeof createTracer>>[0]) =>
    observers[end](event, information[end]);

  const pump = (): boolean => {
    let moved = false;
    for (let output = b.poll(); output !== undefined; output = b.poll()) {
      moved = true;
      if (output.type === 'observed') tell('server', output.event);
      if (output.type === 'write') {
        tell('client', { type: 'received', time: now, length: output.bytes.length });
        a.handle({ type: 'bytes', bytes: output.bytes, now });
      }
      if (output.type === 'mailData') tell('server', { type: 'mailData', time: now, octets: output.bytes });
      if (output.type === 'ask')
        b.handle({ type: 'answer', ...(decide(output.question) ?? { decision: 'accept' }), now });
      if (output.type === 'close') a.handle({ type: 'eof', now });
    }
    for (let output = a.poll(); output !== undefined; output = a.poll()) {
      moved = true;
      if (output.type === 'observed') tell('client', output.event);
      if (output.type === 'write') {
        tell('server', { type: 'received', time: now, length: output.bytes.length });
        b.handle({ type: 'bytes', bytes: output.bytes, now });
      }
      if (output.type === 'close') b.handle({ type: 'eof', now });
      if (output.type !== 'event') continue;
      if (output.event.type === 'ready') {
        const envelope = { from: 'ann@example.org', to: ['bob@example.com', 'eve@example.com'] };
        a.handle({ type: 'send', envelope, now });
      } else if (output.event.type === 'mailDataWanted') {
        const bytes = encodeText('Subject: a\r\n\r\nHello\r\n');
        tell('client', { type: 'mailData', time: now, octets: bytes });
        a.handle({ type: 'mailData', bytes, now });
        a.handle({ type: 'endOfMailData', now });
      } else if (output.event.type === 'done') a.handle({ type: 'quit', now });
    }
    return moved;
  };
  tell('client', { type: 'opened', time: now });
  tell('server', { type: 'opened', time: now });
  while (pump());
  return records;
}
