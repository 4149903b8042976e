/**
 * A stream of the application's own may throw, whatever it is told and whenever: its session ends, at either end, and nothing
 * of it reaches the event loop, which would end the process. An error that nobody catches fails the whole run of tests.
 */
import { type ByteStream, openSession, serveSession } from '@sansmtp/transport';
import { createMemoryPair, createVirtualClock, type VirtualClock } from '@sansmtp/transport-memory';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const METHODS = ['write', 'end', 'pause', 'resume', 'abort'] as const;
type Method = (typeof METHODS)[number];

const FAULT = new Error('The stream does not work');

/** The stream, of which some methods throw from a call on. */
function faulty(stream: ByteStream, methods: readonly Method[], from: number): ByteStream {
  for (const method of methods) {
    const works = stream[method].bind(stream) as (...given: unknown[]) => unknown;
    let calls = 0;
    Object.assign(stream, {
      [method](...given: unknown[]) {
        calls += 1;
        if (calls > from) throw FAULT;
        return works(...given);
      },
    });
  }
  return stream;
}

/** Time passes until the promise is settled. */
async function settled(promise: Promise<unknown>, clock: VirtualClock): Promise<void> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  for (let round = 0; !isSettled && round < 2000; round++) await clock.advanceAsync(1000);
  expect(isSettled).toBe(true);
}

async function* body() {
  for (let piece = 0; piece < 40; piece++) yield new Uint8Array(8192).fill(97);
}

const cases = METHODS.flatMap((method) =>
  [0, 1, 2, 3].flatMap((from) => [
    [method, from, [method]] as const,
    [`${method} and abort`, from, [method, 'abort']] as const,
  ]),
);

describe('the session of a stream ends where it throws', () => {
  it.each(cases)("at a client's %s, after %i calls", async (_, from, methods) => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    const clock = createVirtualClock();
    const [near, far] = createMemoryPair({ clock, bufferSize: 4096 });
    serveSession(
      far,
      {
        async onMessage({ body }) {
          for await (const _ of body);
        },
      },
      { clock },
    );
    const delivery = (async () => {
      const session = await openSession(faulty(near, methods, from), { clock });
      await session.send({ from: 'ann@example.org', to: ['bob@example.com'] }, body());
      await session.quit();
    })();
    await settled(delivery, clock);
  });

  it.each(cases)("at a server's %s, after %i calls", async (_, from, methods) => {
    const clock = createVirtualClock();
    const [near, far] = createMemoryPair({ clock, bufferSize: 4096 });
    const errors: unknown[] = [];
    const onClose = vi.fn();
    const served = serveSession(
      faulty(far, methods, from),
      {
        async onMessage({ body }) {
          for await (const _ of body)
            await new Promise<void>((resolve) => clock.set(clock.now() + 10, resolve));
        },
        onClose,
        onError: (error) => errors.push(error),
      },
      { clock },
    );
    const delivery = (async () => {
      const session = await openSession(near, { clock });
      await session.send({ from: 'ann@example.org', to: ['bob@example.com'] }, body());
      await session.quit();
    })();
    delivery.catch(() => {});
    // Where its end never comes, whoever waits for it ends it.
    await settled(Promise.race([served.closed, delivery.then(() => served.closed)]), clock);
    expect(onClose).toHaveBeenCalledOnce();
    for (const error of errors) expect(error).toBe(FAULT);
  });
});
