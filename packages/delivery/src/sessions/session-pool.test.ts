import { setImmediate as task } from 'node:timers/promises';
import type { ClientConnection } from '@sansmtp/transport';
import { createVirtualClock } from '@sansmtp/transport-memory';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PoolDestination, type PooledSession, type PoolLimits, SessionPool } from './session-pool.js';

interface FakeConnection extends ClientConnection {
  readonly destination: string;
  quits: number;
  lose(): void;
}

/** Sessions without servers. QUIT takes until the next task. */
class Sessions {
  readonly connections: FakeConnection[] = [];
  readonly open = new Map<string, number>();
  mostInAll = 0;
  readonly most = new Map<string, number>();
  /** The next opening fails with it. */
  failure: Error | undefined;
  /** What servers offer. */
  keywords = new Map<string, string>();

  destination(key: string, address = key): PoolDestination {
    return {
      key,
      address,
      open: async (signal, onClosed) => {
        this.#count(address, 1);
        let lose: () => void = () => {};
        const closed = new Promise<void>((resolve) => {
          lose = resolve;
        });
        void closed.then(() => {
          this.#count(address, -1);
          onClosed();
        });
        await task();
        if (signal?.aborted || this.failure !== undefined) {
          lose();
          throw signal?.aborted ? signal.reason : this.failure;
        }
        const connection: FakeConnection = {
          destination: key,
          offer: {
            verb: 'EHLO',
            name: '',
            keywords: this.keywords,
            tls: undefined,
            authenticatedBy: undefined,
          },
          closed,
          quits: 0,
          lose,
          send: async () => [],
          inquire: async () => ({ code: 250, lines: [''] }),
          async quit() {
            connection.quits += 1;
            setImmediate(lose);
            await closed;
          },
          abort: lose,
        };
        this.connections.push(connection);
        return connection;
      },
    };
  }

  #count(address: string, change: number): void {
    this.open.set(address, (this.open.get(address) ?? 0) + change);
    this.most.set(address, Math.max(this.most.get(address) ?? 0, this.open.get(address) ?? 0));
    const all = [...this.open.values()].reduce((sum, open) => sum + open, 0);
    this.mostInAll = Math.max(this.mostInAll, all);
  }
}

function pooling(limits: Partial<PoolLimits> = {}) {
  const clock = createVirtualClock({ settle: () => task() });
  const pool = new SessionPool(
    {
      connectionsPerHost: 5,
      connections: 100,
      messagesPerConnection: 100,
      idleTime: 5_000,
      rateDelta: 1_000,
      ...limits,
    },
    clock,
  );
  const sessions = new Sessions();
  /** One mail transaction. */
  const use = async (destination: PoolDestination, during: () => Promise<unknown> = () => task()) => {
    const session = await pool.acquire(destination, undefined);
    pool.begin(session);
    await during();
    pool.release(session, true);
    return session;
  };
  const finish = async () => {
    await pool.close();
    expect(sessions.connections.length).toBe(new Set(sessions.connections).size);
    expect([...sessions.open.values()].filter((open) => open !== 0)).toEqual([]);
    expect(clock.pending).toBe(0);
  };
  return { clock, pool, sessions, use, finish };
}

const destinationOf = (session: PooledSession) => (session.connection as FakeConnection).destination;

describe('a session pool', () => {
  it('drops everything at once when it is aborted: who waits is refused, who has a session loses it', async () => {
    const { pool, sessions, finish } = pooling({ connectionsPerHost: 2 });
    const a = sessions.destination('a');
    const other = await pool.acquire(a, undefined);
    const lent = await pool.acquire(a, undefined);
    const waiting = [pool.acquire(a, undefined), pool.acquire(a, undefined, true)];
    const opening = pool.acquire(sessions.destination('b'), undefined);
    const refused = Promise.allSettled([...waiting, opening]);
    pool.abort(new Error('Enough'));
    expect((await refused).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await expect(pool.acquire(a, undefined)).rejects.toThrow('Enough');
    await Promise.all([other, lent].map(({ connection }) => connection.closed));
    expect(sessions.connections.map(({ quits }) => quits)).toEqual([0, 0]);
    pool.release(lent, true);
    await finish();
  });

  it('opens to the destination of whoever waits, also where another has the same key', async () => {
    const { pool, sessions, finish } = pooling();
    const opened: string[] = [];
    const named = (name: string): PoolDestination => {
      const destination = sessions.destination('a');
      return {
        ...destination,
        open(signal, onClosed) {
          opened.push(name);
          return destination.open(signal, onClosed);
        },
      };
    };
    const lent = await Promise.all(['1', '2'].map((name) => pool.acquire(named(name), undefined)));
    expect(opened).toEqual(['1', '2']);
    for (const session of lent) pool.release(session, true);
    await finish();
  });

  it('lends the same session again, straight on', async () => {
    const { sessions, use, finish } = pooling();
    const a = sessions.destination('a');
    const first = await use(a);
    expect(first.transactions).toBe(1);
    const second = await use(a);
    expect(second).toBe(first);
    expect(sessions.connections).toHaveLength(1);
    await finish();
    expect(sessions.connections[0]?.quits).toBe(1);
  });

  it('ends a session that was idle for the time, and no sooner', async () => {
    const { clock, sessions, use, finish } = pooling({ idleTime: 1_000 });
    const a = sessions.destination('a');
    await use(a);
    await clock.advanceAsync(600);
    await use(a);
    await clock.advanceAsync(999);
    expect(sessions.connections[0]?.quits).toBe(0);
    await clock.advanceAsync(1);
    expect(sessions.connections[0]?.quits).toBe(1);
    expect(clock.pending).toBe(0);
    await finish();
  });

  it('keeps none with an idle time of 0', async () => {
    const { sessions, use, finish } = pooling({ idleTime: 0 });
    await use(sessions.destination('a'));
    await task();
    expect(sessions.connections[0]?.quits).toBe(1);
    await finish();
  });

  it.each([
    ['messagesPerConnection', { messagesPerConnection: 2 }, undefined],
    ['MAILMAX of the server (RFC 9422 §4.1)', {}, 'MAILMAX=2 RCPTMAX=100'],
  ])('ends a session behind as many mail transactions as %s says', async (_, limits, offered) => {
    const { sessions, use, finish } = pooling(limits);
    if (offered !== undefined) sessions.keywords.set('LIMITS', offered);
    const a = sessions.destination('a');
    for (let message = 0; message < 5; message++) await use(a);
    expect(sessions.connections.map(({ quits }) => quits)).toEqual([1, 1, 0]);
    await finish();
  });

  it('does not lend a session that was lost while it was idle', async () => {
    const { sessions, use, finish } = pooling();
    const a = sessions.destination('a');
    await use(a);
    sessions.connections[0]?.lose();
    await task();
    await use(a);
    expect(sessions.connections).toHaveLength(2);
    await finish();
  });

  it('opens a new session for whoever wants a fresh one, though another is idle', async () => {
    const { pool, sessions, use, finish } = pooling({ connectionsPerHost: 1 });
    const a = sessions.destination('a');
    await use(a);
    const session = await pool.acquire(a, undefined, true);
    expect(session.transactions).toBe(0);
    expect(sessions.connections).toHaveLength(2);
    expect(sessions.most.get('a')).toBe(1);
    pool.release(session, true);
    await finish();
  });

  it('tells why a session could not be opened, and goes on', async () => {
    const { pool, sessions, use, finish } = pooling({ connections: 1 });
    sessions.failure = new Error('refused');
    await expect(pool.acquire(sessions.destination('a'), undefined)).rejects.toThrow('refused');
    sessions.failure = undefined;
    await use(sessions.destination('b'));
    await finish();
  });

  it('serves those who wait in the order they came, without those who have left', async () => {
    const { pool, sessions, finish } = pooling({ connectionsPerHost: 1 });
    const a = sessions.destination('a');
    const holder = await pool.acquire(a, undefined);
    const order: number[] = [];
    const controller = new AbortController();
    const waiting = [0, 1, 2, 3].map(async (number) => {
      const session = await pool.acquire(a, number === 1 ? controller.signal : undefined);
      order.push(number);
      pool.release(session, true);
    });
    controller.abort(new Error('left'));
    pool.release(holder, true);
    const results = await Promise.allSettled(waiting);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(order).toEqual([0, 2, 3]);
    expect(sessions.connections).toHaveLength(1);
    await finish();
  });

  it('ends an idle session of another destination where there is no room', async () => {
    const { sessions, use, finish } = pooling({ connections: 2 });
    await use(sessions.destination('a'));
    await use(sessions.destination('b'));
    await use(sessions.destination('c'));
    expect(sessions.connections.map(({ quits }) => quits)).toEqual([1, 0, 0]);
    expect(sessions.mostInAll).toBe(2);
    await finish();
  });

  it('counts connections to one address together, whatever their TLS must prove', async () => {
    const { sessions, use, finish } = pooling({ connectionsPerHost: 2 });
    const [plain, verified] = [sessions.destination('plain', 'mx'), sessions.destination('verified', 'mx')];
    await Promise.all([plain, verified, plain, verified, plain].map((destination) => use(destination)));
    expect(sessions.most.get('mx')).toBe(2);
    await finish();
  });

  it('takes turns among destinations that wait for room', async () => {
    const { sessions, use, finish } = pooling({ connections: 1 });
    const order: string[] = [];
    const keys = ['a', 'a', 'a', 'a', 'b', 'b', 'c'];
    await Promise.all(
      keys.map(async (key) => {
        order.push(destinationOf(await use(sessions.destination(key))));
      }),
    );
    expect(order.join('')).toBe('aabcaba');
    await finish();
  });

  it('gives a destination with little mail its share beside one with much', async () => {
    const { sessions, use, finish } = pooling({ connections: 4, connectionsPerHost: 4 });
    const [much, little] = [sessions.destination('much'), sessions.destination('little')];
    let done = 0;
    const all = Array.from({ length: 200 }, async () => {
      await use(much);
      done += 1;
    });
    await task();
    await use(little);
    expect(done).toBeLessThan(20);
    await Promise.all(all);
    // A connection changes hands a few times, and not with each message.
    expect(sessions.connections.length).toBeLessThan(10);
    await finish();
  });

  it('keeps its limits, serves everybody and leaves nothing, whatever happens', async () => {
    const task_ = fc.record({
      key: fc.constantFrom('a1', 'a2', 'b1', 'c1', 'd1'),
      fresh: fc.boolean(),
      usable: fc.boolean(),
      loses: fc.boolean(),
      pause: fc.nat(3),
      aborts: fc.boolean(),
    });
    const limits = fc.record({
      connections: fc.integer({ min: 1, max: 4 }),
      connectionsPerHost: fc.integer({ min: 1, max: 3 }),
      messagesPerConnection: fc.integer({ min: 1, max: 4 }),
      idleTime: fc.constantFrom(0, 5_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(task_, { maxLength: 30 }), limits, async (tasks, chosen) => {
        const { pool, sessions, finish } = pooling(chosen);
        const lent = new Set<PooledSession>();
        const served = tasks.map(async ({ key, fresh, usable, loses, pause, aborts }) => {
          const controller = new AbortController();
          if (aborts) setImmediate(() => controller.abort(new Error('left')));
          let session: PooledSession;
          try {
            session = await pool.acquire(sessions.destination(key, key[0]), controller.signal, fresh);
          } catch (error) {
            expect(controller.signal.reason).toBe(error);
            return;
          }
          expect(destinationOf(session)).toBe(key);
          expect(lent.has(session)).toBe(false);
          expect(session.transactionsLeft).toBeGreaterThan(0);
          if (fresh) expect(session.transactions).toBe(0);
          lent.add(session);
          pool.begin(session);
          for (let round = 0; round < pause; round++) await task();
          if (loses) (session.connection as FakeConnection).lose();
          if (loses && pause > 1) await task();
          lent.delete(session);
          pool.release(session, usable && !loses);
        });
        await Promise.all(served);
        await finish();
        expect(sessions.mostInAll).toBeLessThanOrEqual(chosen.connections);
        for (const most of sessions.most.values()) {
          expect(most).toBeLessThanOrEqual(chosen.connectionsPerHost);
        }
      }),
      { numRuns: 100 },
    );
  });
});
