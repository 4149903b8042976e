/**
 * A client and a server of ours over one connection in memory, on virtual time, from the greeting to the close.
 *
 * - Nothing is random: the same options give the same history.
 * - Time passes as fast as nothing else happens, and by `jumps` besides, as after a pause of the machine.
 * - What the server's application decides, and when, is `decisions`: one for each question, in order; then it accepts.
 */
import { checkNames, concatenate, namesOf } from '@sansmtp/core';
import {
  type ClientConnection,
  type ClientSessionEvent,
  MailDataAbandonedError,
  type OpenSessionOptions,
  openSession,
  Rejection,
  type ServeOptions,
  type ServerEvent,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import { createMemoryPair, createVirtualClock, type MemoryPairOptions } from '@sansmtp/transport-memory';
import { type ReceivedMessage, receivedMessage } from '../mail/received-message.js';
import { turnOfEventLoop } from '../time/host-timers.js';
import type { History, MessageToSend, SentMessage } from './history.js';
import { type WatchedStream, watchedStream } from './watched-stream.js';

/** What the server's application does with one question. */
export interface Decision {
  readonly verdict: 'accept' | 'reject' | 'defer' | 'throw';
  /**
   * Milliseconds until it decides.
   * @default at once
   */
  readonly after?: number;
}

export interface PairOptions {
  /** Each is sent when the one before has its verdicts. The client then says QUIT. */
  readonly messages: readonly MessageToSend[];
  /** How the connection behaves. */
  readonly link?: Omit<MemoryPairOptions, 'clock' | 'tls'>;
  /** STARTTLS is offered and taken. */
  readonly startTls?: boolean;
  readonly decisions?: readonly Decision[];
  /** Milliseconds by which the clock jumps, one after each turn in which something happened. */
  readonly jumps?: readonly number[];
  /** Orders the decisions of the application, for example `scheduler.schedule` of fast-check's `fc.scheduler()`. */
  readonly schedule?: <Result>(task: Promise<Result>) => Promise<Result>;
  /** Called after each turn, for example `() => scheduler.waitAll()`. */
  readonly onTurn?: () => Promise<unknown>;
  readonly client?: Partial<Omit<OpenSessionOptions, 'clock' | 'observer' | 'signal'>>;
  readonly server?: Partial<Omit<ServeOptions, 'clock' | 'observer'>>;
}

const OPTION_NAMES = namesOf<PairOptions>({
  messages: true,
  link: true,
  startTls: true,
  decisions: true,
  jumps: true,
  schedule: true,
  onTurn: true,
  client: true,
  server: true,
});

/** A session that is not over by then never will be: RFC 5321's time-outs add up to less. */
const LONGEST_RUN = 7 * 86_400_000;

/** Virtual milliseconds that pass in a turn in which nothing happens. */
const STRIDE = 60_000;

/**
 * Runs a session between our client and our server, and tells all of it.
 * @throws {TypeError} an option is not known
 * @throws {RangeError} an option of the link or of an end is out of its range
 */
export async function runPair(options: PairOptions): Promise<History> {
  checkNames('The option', options, OPTION_NAMES);
  const { link, startTls = false, jumps = [], onTurn = async () => {} } = options;
  const clock = createVirtualClock({ settle: turnOfEventLoop });
  const [near, far] = createMemoryPair({ ...link, clock, ...(startTls && { tls: { mode: 'startTls' } }) });
  const streams = { client: watchedStream(near), server: watchedStream(far) };
  const faults: unknown[] = [];
  const server: ServerEvent[] = [];
  const client: ClientSessionEvent[] = [];
  const application = createApplication(options, clock, faults);

  const serving = serveSession(streams.server, application.handlers, {
    ...(startTls && { startTls: 'offered' }),
    ...options.server,
    clock,
    observer: (event) => server.push(event),
  });
  const sending = send(options, streams.client, {
    ...(startTls && { startTls: 'required' }),
    hostname: 'client.test',
    ...options.client,
    clock,
    observer: (event) => client.push(event),
    onError: (error) => faults.push(error),
  });

  let over = false;
  void Promise.all([serving.closed, sending]).then(() => {
    over = true;
  });
  for (let turn = 0, seen = -1; !over && clock.now() < LONGEST_RUN; ) {
    const events = server.length + client.length;
    const jump = events === seen ? STRIDE : (jumps[turn++] ?? 0);
    seen = events;
    await clock.advanceAsync(jump);
    await onTurn();
  }
  if (!over) serving.abort();

  return {
    ...(over ? await sending : { sent: [] }),
    stored: application.stored,
    askedAfterClose: application.askedAfterClose,
    client,
    server,
    streams: { client: streams.client.use, server: streams.server.use },
    faults,
    ended: over && streams.client.isClosed && streams.server.isClosed,
    duration: clock.now(),
  };
}

type Sent = Pick<History, 'sent' | 'failure'>;

async function send(
  { messages }: PairOptions,
  stream: WatchedStream,
  options: OpenSessionOptions,
): Promise<Sent> {
  let session: ClientConnection;
  try {
    session = await openSession(stream, options);
  } catch (failure) {
    return { sent: [], failure };
  }
  const sent: SentMessage[] = [];
  for (const message of messages) {
    const { from, to, body } = message;
    sent.push({ ...message, ...(await outcomeOf(session.send({ from, to }, body))) });
  }
  await session.quit().catch(() => session.abort());
  await session.closed;
  return { sent };
}

async function outcomeOf(sending: ReturnType<ClientConnection['send']>) {
  try {
    return { verdicts: await sending };
  } catch (error) {
    return { error };
  }
}

interface Application {
  readonly handlers: ServerHandlers;
  readonly stored: readonly ReceivedMessage[];
  readonly askedAfterClose: readonly string[];
}

/** Decides what it is told to decide, and stores what it accepts. */
function createApplication(
  { decisions = [], schedule = (task) => task }: PairOptions,
  clock: ReturnType<typeof createVirtualClock>,
  faults: unknown[],
): Application {
  const left = [...decisions];
  const stored: ReceivedMessage[] = [];
  const askedAfterClose: string[] = [];
  const planned = new Error('The application fails, as it was told to');
  let closed = false;

  async function decide(question: string): Promise<void> {
    if (closed) askedAfterClose.push(question);
    const { verdict, after = 0 } = left.shift() ?? { verdict: 'accept' };
    const decided = new Promise<void>((resolve) => {
      if (after > 0) clock.set(clock.now() + after, resolve);
      else resolve();
    });
    await schedule(decided);
    if (verdict === 'reject') throw new Rejection(550, undefined, 'No');
    if (verdict === 'defer') throw new Rejection(451, undefined, 'Not now');
    if (verdict === 'throw') throw planned;
  }

  return {
    stored,
    askedAfterClose,
    handlers: {
      onHello: () => decide('hello'),
      onMailFrom: () => decide('mail'),
      onRcptTo: () => decide('rcpt'),
      onData: () => decide('data'),
      async onMessage({ envelope, body }, { id, tls }) {
        const parts: Uint8Array[] = [];
        for await (const part of body) parts.push(part);
        await decide('message');
        const copy = { ...envelope, recipients: [...envelope.recipients] };
        const session = { sessionId: id, secure: tls !== undefined };
        stored.push(receivedMessage(copy, concatenate(parts), undefined, session));
      },
      onClose() {
        closed = true;
      },
      onError(error) {
        if (error !== planned && !isAbandoned(error)) faults.push(error);
      },
    },
  };
}

/** A body that will not be completed is no fault of anybody here. */
const isAbandoned = (error: unknown): boolean => error instanceof MailDataAbandonedError;
