import type { ByteStream } from '@sansmtp/transport';
import {
  borrowing,
  ComplianceError,
  complianceCases,
  startTlsCases,
  type TransportUnderTest,
  upgraded,
} from '@sansmtp/transport/compliance';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createMemoryPair, type MemoryPairOptions } from './memory-stream.js';
import { createVirtualClock } from './virtual-clock.js';

const task = () => new Promise<void>((resolve) => setImmediate(resolve));

function overMemory(options: MemoryPairOptions): TransportUnderTest {
  return { createPair: async () => createMemoryPair(options), moment: task, abortReachesPeer: true };
}

function overVirtualTime(latency: number, options: MemoryPairOptions = {}): TransportUnderTest {
  const clock = createVirtualClock({ settle: task });
  return {
    createPair: async () => createMemoryPair({ ...options, latency, clock }),
    moment: () => clock.advanceAsync(latency),
    abortReachesPeer: true,
  };
}

/** Sizes from 1 to 60,000, small ones as often as large ones; the same ones in every run. */
function unevenSizes(): () => number {
  let state = 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return Math.exp((state / 2147483647) * Math.log(60_000));
  };
}

describe.each([
  ['with the defaults', overMemory({})],
  ['that lends', borrowing(overMemory({}))],
  ['that lends, in uneven chunks', borrowing(overMemory({ chunkSize: unevenSizes() }))],
  ['that does not lend, to a listener that would borrow', borrowing(overMemory({ lends: false }))],
  ['in uneven chunks', overMemory({ chunkSize: unevenSizes() })],
  ['with a buffer of one octet', overMemory({ bufferSize: 1 })],
  ['with latency, on virtual time', overVirtualTime(20)],
  ['with implicit TLS', overMemory({ tls: { mode: 'implicit' } })],
  ['that lends and started TLS', borrowing(upgraded(overMemory({ tls: { mode: 'startTls' } })))],
  ['that started TLS', upgraded(overMemory({ tls: { mode: 'startTls' } }))],
  ['that started TLS, with latency', upgraded(overVirtualTime(20, { tls: { mode: 'startTls' } }))],
])('a memory pair %s', (_, transport) => {
  for (const { name, run } of complianceCases) it(name, () => run(transport));
});

describe.each([
  ['with the defaults', overMemory({ tls: { mode: 'startTls' } })],
  ['that lends', borrowing(overMemory({ tls: { mode: 'startTls' } }))],
  ['in uneven chunks', overMemory({ chunkSize: unevenSizes(), tls: { mode: 'startTls' } })],
  ['with latency, on virtual time', overVirtualTime(20, { tls: { mode: 'startTls' } })],
])('STARTTLS over a memory pair %s', (_, transport) => {
  for (const { name, run } of startTlsCases) it(name, () => run(transport));
});

/** The suite is a test of transports only if it notices broken ones: each of these breaks one promise. */
describe('the compliance suite refuses a transport that', () => {
  const broken: Record<string, (stream: ByteStream) => Partial<ByteStream>> = {
    'loses an octet': (stream) => ({
      write: (bytes) => stream.write(bytes.length > 50 ? bytes.subarray(1) : bytes),
    }),
    'says there is always room': (stream) => ({
      write: (bytes) => {
        stream.write(bytes);
        return true;
      },
    }),
    'never has room': (stream) => ({
      write: (bytes) => {
        stream.write(bytes);
        return false;
      },
    }),
    'writes from the array it delivers': (stream) => ({
      open: (listener) => stream.open({ ...bound(listener), data: (bytes) => listener.data(bytes.fill(0)) }),
    }),
    'uses one array for all it delivers': (stream) => {
      const buffer = new Uint8Array(20 * 1024 * 1024);
      return {
        open: (listener) =>
          stream.open({
            ...bound(listener),
            data: (bytes) => {
              buffer.set(bytes);
              listener.data(buffer.subarray(0, bytes.length));
            },
          }),
      };
    },
    'goes on while paused': () => ({ pause: () => undefined }),
    'counts pauses': (stream) => {
      let pauses = 0;
      return {
        pause: () => {
          pauses++;
          stream.pause();
        },
        resume: () => {
          pauses--;
          if (pauses <= 0) stream.resume();
        },
      };
    },
    'delivers nothing empty but empty writes': (stream) => {
      let listener = { data(_: Uint8Array) {} };
      return {
        open: (given) => {
          listener = given;
          stream.open(given);
        },
        write: (bytes) => {
          if (bytes.length === 0) settledThen(() => listener.data(bytes));
          return stream.write(bytes);
        },
      };
    },
    'calls back from within a call': (stream) => {
      let listener = { close(_?: Error) {} };
      return {
        open: (given) => {
          listener = given;
          stream.open({ ...bound(given), close: () => undefined });
        },
        abort: (reason) => {
          stream.abort(reason);
          listener.close(reason);
        },
      };
    },
    'closes twice': (stream) => ({
      open: (listener) =>
        stream.open({
          ...bound(listener),
          close: (reason) => {
            listener.close(reason);
            settledThen(() => listener.close(reason));
          },
        }),
    }),
    'never closes': (stream) => ({
      open: (listener) => stream.open({ ...bound(listener), close: () => undefined }),
    }),
    'keeps the reason to itself': (stream) => ({
      open: (listener) => stream.open({ ...bound(listener), close: () => listener.close() }),
    }),
    'makes up a reason': (stream) => ({
      open: (listener) => stream.open({ ...bound(listener), close: () => listener.close(new Error()) }),
    }),
    'closes both ways on end()': (stream) => ({ end: () => stream.abort() }),
    'does not tell of an end': (stream) => ({
      open: (listener) => stream.open({ ...bound(listener), end: () => undefined }),
    }),
    'does not abort': () => ({ abort: () => undefined }),
    'waits for the peer on abort()': (stream) => ({ abort: () => stream.end() }),
    'may be opened twice': (stream) => {
      let open = (listener: Parameters<ByteStream['open']>[0]) => stream.open(listener);
      return {
        open: (listener) => {
          open(listener);
          open = () => undefined;
        },
      };
    },
    'hides what its listener throws': (stream) => ({
      open: (listener) =>
        stream.open({
          ...bound(listener),
          data: (bytes) => {
            try {
              listener.data(bytes);
            } catch {}
          },
        }),
    }),
  };

  function bound(listener: Parameters<ByteStream['open']>[0]): Parameters<ByteStream['open']>[0] {
    return {
      data: (bytes) => listener.data(bytes),
      end: () => listener.end(),
      drain: () => listener.drain(),
      secure: (tls) => listener.secure(tls),
      close: (reason) => listener.close(reason),
    };
  }

  function settledThen(callback: () => void): void {
    void Promise.resolve().then(callback);
  }

  function wrap(stream: ByteStream, overrides: Partial<ByteStream>): ByteStream {
    return {
      peer: stream.peer,
      get tls() {
        return stream.tls;
      },
      get canStartTls() {
        return stream.canStartTls;
      },
      startTls: () => stream.startTls(),
      open: (listener) => stream.open(listener),
      write: (bytes) => stream.write(bytes),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      end: () => stream.end(),
      abort: (reason) => stream.abort(reason),
      ...overrides,
    };
  }

  const brokenTls: Record<string, (stream: ByteStream) => Partial<ByteStream>> = {
    'does not start TLS': () => ({ startTls: () => undefined }),
    'starts TLS any number of times': (stream) => ({
      startTls: () => {
        if (stream.canStartTls) stream.startTls();
      },
    }),
    'does not say that it can start TLS': () => ({ canStartTls: false }),
    'does not tell that TLS stands': (stream) => ({
      open: (listener) => stream.open({ ...bound(listener), secure: () => undefined }),
    }),
    'loses what is written during the handshake': (stream) => ({
      write: (bytes) => (stream.tls === undefined && !stream.canStartTls ? false : stream.write(bytes)),
    }),
    'closes without a reason when the handshake fails': (stream) => ({
      open: (listener) => stream.open({ ...bound(listener), close: () => listener.close() }),
    }),
    'delivers under TLS what came in the clear': (stream) => {
      let listener: Parameters<ByteStream['open']>[0] | undefined;
      return {
        open: (given) => {
          listener = given;
          stream.open(given);
        },
        startTls: () => {
          stream.startTls();
          settledThen(() => listener?.data(Uint8Array.of(1)));
        },
      };
    },
  };

  function tryOver(
    cases: typeof complianceCases,
    options: MemoryPairOptions,
    overrides: (stream: ByteStream) => Partial<ByteStream>,
  ): Promise<void> {
    const transport: TransportUnderTest = {
      createPair: async () => {
        const [a, b] = createMemoryPair(options);
        return [wrap(a, overrides(a)), wrap(b, overrides(b))];
      },
      moment: task,
      abortReachesPeer: true,
    };
    const tryAll = async () => {
      // The cases that take long stand first.
      for (const { run } of cases.toReversed()) await run(transport);
    };
    return tryAll();
  }

  it.each(Object.entries(broken))('%s', async (_, overrides) => {
    await expect(tryOver(complianceCases, {}, overrides)).rejects.toThrow(ComplianceError);
  });

  it.each(Object.entries(brokenTls))('%s', async (_, overrides) => {
    const tls = { mode: 'startTls' } as const;
    await expect(tryOver(startTlsCases, { tls }, overrides)).rejects.toThrow(ComplianceError);
  });

  it('(but none that is only wrapped)', async () => {
    const tls = { mode: 'startTls' } as const;
    await expect(tryOver(startTlsCases, { tls }, () => ({}))).resolves.toBeUndefined();
  });
});

describe('the compliance suite, on a clock that counts what a moment takes,', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** One case over streams that lose all they are given, or deliver it late. */
  function tryCase(momentTakes: number, delay: number) {
    let now = 0;
    let moments = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const clock = createVirtualClock({ settle: task });
    const transport: TransportUnderTest = {
      createPair: async () => createMemoryPair({ latency: delay, clock }),
      moment: async () => {
        now += momentTakes;
        moments++;
        await clock.advanceAsync(1);
      },
      abortReachesPeer: true,
    };
    const octets = complianceCases.find(({ name }) => name === 'delivers octets in order, both ways');
    return { run: () => octets?.run(transport), time: () => now, moments: () => moments };
  }

  it.each([0.1, 2, 30])('says within two seconds what hangs, where a moment takes %s ms', async (takes) => {
    const { run, time } = tryCase(takes, 1_000_000);
    await expect(run()).rejects.toThrow('In vain waited for this: all octets arrive');
    expect(time()).toBeLessThanOrEqual(2000);
  });

  it.each([0.1, 2, 30])('says that no pair is made, where a moment takes %s ms', async (takes) => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const transport: TransportUnderTest = {
      createPair: () => new Promise(() => {}),
      moment: async () => {
        now += takes;
      },
      abortReachesPeer: true,
    };
    await expect(complianceCases[0]?.run(transport)).rejects.toThrow('createPair() gives two streams');
    expect(now).toBeLessThan(2000);
  });

  it('waits longer on a machine so busy that a moment takes a second', async () => {
    const { run, moments } = tryCase(1000, 20);
    await run();
    expect(moments()).toBeGreaterThanOrEqual(20);
  });
});
