/**
 * What a compliance case is made of: a transport to try, and a connected pair of its streams under watch.
 *
 * Nothing here knows a test runner, a timer or a runtime. Time passes only through `TransportUnderTest.moment`,
 * so the same cases run over sockets and over memory on virtual time; a case that waits in vain fails with a
 * sentence instead of hanging.
 */
import type { ByteStream } from '../streams/byte-stream.js';
import { Endpoint, type Watch } from './endpoint.js';
import { Sequence } from './octets.js';
import { Patience } from './patience.js';

/** What a transport brings to be tried. */
export interface TransportUnderTest {
  /**
   * Makes two connected streams, neither of them opened. They need not be alike (client and server). For the
   * cases of STARTTLS both can start TLS, the first as its client.
   */
  createPair(): Promise<readonly [ByteStream, ByteStream]>;
  /** Lets time pass: enough for an octet on its way to arrive, most of the time (over loopback: 2 ms). */
  moment(): Promise<void>;
  /**
   * True: a peer that has read everything hears of an `abort()` as `close` with a reason. False: the medium has
   * no word for it, and the peer may hear a mere `end` (a Unix socket).
   */
  readonly abortReachesPeer: boolean;
  /**
   * The listeners of the cases borrow, see `ByteStreamListener`.
   * @default false
   */
  readonly borrows?: boolean;
}

/** Thrown by a case: what the transport did, and what the contract says. */
export class ComplianceError extends Error {
  override readonly name = 'ComplianceError';
}

/** One promise of the contract. `run` resolves when it is kept and rejects when it is broken. */
export interface ComplianceCase {
  readonly name: string;
  readonly run: (transport: TransportUnderTest) => Promise<void>;
}

const FROM_A = new Sequence(1);
const FROM_B = new Sequence(2);
const QUIET_MOMENTS = 4;

export class Pair {
  readonly a: Endpoint;
  readonly b: Endpoint;
  readonly abortReachesPeer: boolean;
  readonly #transport: TransportUnderTest;
  readonly #watch: Watch = { calls: 0, callbacks: 0, problems: [] };

  constructor(transport: TransportUnderTest, a: ByteStream, b: ByteStream) {
    this.abortReachesPeer = transport.abortReachesPeer;
    this.#transport = transport;
    const { borrows = false } = transport;
    this.a = new Endpoint('a', FROM_A, FROM_B, a, this.#watch, borrows);
    this.b = new Endpoint('b', FROM_B, FROM_A, b, this.#watch, borrows);
  }

  open(): void {
    this.a.open();
    this.b.open();
  }

  /** Waits for what has to happen. */
  async until(what: string, happened: () => boolean): Promise<void> {
    const patience = new Patience(this.#watch.callbacks);
    while (!happened()) {
      this.#check();
      if (patience.isOver(this.#watch.callbacks))
        throw new ComplianceError(`In vain waited for this: ${what}`);
      await this.#transport.moment();
    }
  }

  /** Waits long enough for anything to happen that must not. */
  async quiet(): Promise<void> {
    for (let moment = 0; moment < QUIET_MOMENTS; moment++) await this.#transport.moment();
  }

  expect(what: string, holds: boolean): void {
    if (!holds) throw new ComplianceError(`Does not hold: ${what}`);
  }

  /** Waits until an end has heard, in whatever way, that the other aborted. */
  async untilAbortHeard(endpoint: Endpoint): Promise<void> {
    await this.until('the peer hears of the abort', () => endpoint.closed || endpoint.ended);
    if (!endpoint.closed) endpoint.end();
    await this.until('the peer closes', () => endpoint.closed);
  }

  /** Closes what is left, then judges what was watched. */
  async finish(): Promise<void> {
    for (const endpoint of [this.a, this.b]) {
      if (!endpoint.closed) endpoint.abort();
    }
    await this.until('every opened stream closes in the end', () => this.#allClosed());
    await this.quiet();
    this.a.checkKept();
    this.b.checkKept();
    this.#check();
  }

  #allClosed(): boolean {
    return [this.a, this.b].every((endpoint) => endpoint.closed || !endpoint.opened);
  }

  #check(): void {
    const { problems } = this.#watch;
    if (problems.length > 0) throw new ComplianceError(`The contract was broken: ${problems.join('; ')}`);
  }
}

/** So many milliseconds for a pair: connections and handshakes take the time of others, too. */
const TIME_FOR_PAIR = 1500;

/** The pair of a transport, which may be what hangs. */
async function made(transport: TransportUnderTest): Promise<readonly [ByteStream, ByteStream]> {
  let isSettled = false;
  const making = transport.createPair().finally(() => {
    isSettled = true;
  });
  const patience = new Patience(0, { moments: Number.POSITIVE_INFINITY, time: TIME_FOR_PAIR });
  // A pair that is at hand costs no moment.
  await Promise.race([making, Promise.resolve()]);
  while (!isSettled) {
    if (patience.isOver()) {
      making.then(
        (late) => late.forEach((stream) => void stream.abort()),
        () => undefined,
      );
      throw new ComplianceError('In vain waited for this: createPair() gives two streams');
    }
    await Promise.race([making, transport.moment()]);
  }
  return making;
}

/** The same transport, before listeners that borrow. */
export function borrowing(transport: TransportUnderTest): TransportUnderTest {
  return { ...transport, borrows: true };
}

export function complianceCase(name: string, body: (pair: Pair) => Promise<void>): ComplianceCase {
  return {
    name,
    run: async (transport) => {
      const pair = new Pair(transport, ...(await made(transport)));
      try {
        await body(pair);
      } catch (error) {
        // The case's own failure says more than what closing a broken pair may add to it.
        await pair.finish().catch(() => undefined);
        throw error;
      }
      await pair.finish();
    },
  };
}
