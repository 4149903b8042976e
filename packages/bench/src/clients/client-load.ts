/**
 * The load of one client: how many messages of which size go where, and what is measured of it. The clients that are
 * compared share it, so that they differ in nothing but how they send.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';

export interface ClientLoad {
  readonly host: string;
  readonly port: number;
  readonly messages: number;
  /** Octets of each message. */
  readonly size: number;
  readonly connections: number;
}

/** What a client tells of itself to whoever compares clients, beside the time that it took. */
export interface Measured {
  /** Processor time, of all its threads, in seconds. */
  readonly processorSeconds: number;
  /** Octets by which its RSS grew at most. */
  readonly growth: number;
}

export const SENDER = 'sender@example.org';
export const RECIPIENT = 'recipient@example.com';

/** Above it, a message is handed in by pieces of as many octets, as it would be read from a file. */
const PIECE_OCTETS = 64_000;

const LINE = `${'X'.repeat(78)}\r\n`;
const PIECE = Buffer.from(LINE.repeat(PIECE_OCTETS / LINE.length));

/** Sends one message; true: it was delivered. */
export type SendOne = () => Promise<boolean>;

export function loadFromArguments(): ClientLoad {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string' },
      messages: { type: 'string' },
      size: { type: 'string' },
      connections: { type: 'string' },
    },
  });
  const count = (name: 'port' | 'messages' | 'size' | 'connections') => {
    const number = Number(values[name]);
    if (Number.isSafeInteger(number) && number > 0) return number;
    throw new RangeError(`--${name} takes a number of 1 or more, not ${values[name] ?? 'nothing'}`);
  };
  return {
    host: values.host,
    port: count('port'),
    messages: count('messages'),
    size: count('size'),
    connections: count('connections'),
  };
}

/** A message that fits one piece; undefined for a larger one. */
export function smallMessage(size: number): Buffer | undefined {
  return size > PIECE_OCTETS ? undefined : Buffer.from(LINE.repeat(size / LINE.length + 1).slice(-size));
}

/** A larger message, of which no more than a piece is in memory. */
export async function* pieces(size: number): AsyncGenerator<Buffer, void, undefined> {
  let left = size;
  for (; left > PIECE.length; left -= PIECE.length) yield PIECE;
  const last = smallMessage(left);
  if (last !== undefined) yield last;
}

/** Messages for each that is sent before anything is measured: the first ones are the compiler's, whoever sends. */
const MESSAGES_FOR_ONE_BEFORE = 2;

/**
 * Sends all messages, as many at a time as there are connections, and prints in one line how long it took and how
 * many were delivered. The process fails unless all were. Before the clock starts, half as many are sent, at least one on
 * each connection: what counts is the steady state, and connections stand then, whoever opens them.
 */
export async function sendAll({ messages, connections }: ClientLoad, sendOne: SendOne): Promise<void> {
  const memory = process.send === undefined ? undefined : watchMemory();
  await send(Math.max(connections, Math.ceil(messages / MESSAGES_FOR_ONE_BEFORE)), connections, sendOne);
  const processor = process.cpuUsage();
  const start = performance.now();
  const delivered = await send(messages, connections, sendOne);
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(processor);
  console.log(JSON.stringify({ seconds, messages: delivered }));
  if (memory !== undefined) {
    await tell({ processorSeconds: (user + system) / 1e6, growth: memory.growth() });
  }
  if (delivered < messages) process.exitCode = 1;
}

/** @returns how many were delivered */
async function send(messages: number, connections: number, sendOne: SendOne): Promise<number> {
  let begun = 0;
  let delivered = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (begun < messages) {
        begun += 1;
        if (await sendOne()) delivered += 1;
      }
    }),
  );
  return delivered;
}

function watchMemory(): { growth(): number } {
  const before = process.memoryUsage.rss();
  let most = before;
  const sampling = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  return {
    growth() {
      clearInterval(sampling);
      return most - before;
    },
  };
}

/** Tells whoever compares clients; stdout has one line, which is for everybody. */
async function tell(measured: Measured): Promise<void> {
  process.send?.(measured);
  process.disconnect();
  await once(process, 'disconnect');
}
