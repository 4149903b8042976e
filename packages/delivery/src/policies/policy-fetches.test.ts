import { createVirtualClock } from '@sansmtp/transport-memory';
import { describe, expect, it } from 'vitest';
import { type FetchAndRead, MAXIMUM_FAILURES, PolicyFetches } from './policy-fetches.js';
import type { StsPolicy } from './sts-policy.js';

const POLICY: StsPolicy = { mode: 'enforce', mx: ['mx.example'], maxAge: 60 };
const MINUTES = 60_000;

/** Fetches that are answered by hand, on virtual time. */
function fetching(timeout = MINUTES) {
  const clock = createVirtualClock({ settle: () => new Promise<void>((resolve) => setImmediate(resolve)) });
  const begun: {
    readonly domain: string;
    readonly signal: AbortSignal;
    readonly resolve: (policy: StsPolicy) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  const fetchAndRead: FetchAndRead = (domain, signal) =>
    new Promise((resolve, reject) => begun.push({ domain, signal, resolve, reject }));
  return { clock, begun, fetches: new PolicyFetches(fetchAndRead, timeout, clock) };
}

describe('a policy', () => {
  it('is fetched once for all who wait for it', async () => {
    const { clock, begun, fetches } = fetching();
    const all = Array.from({ length: 30 }, () => fetches.policyOf('a.example', '1', undefined));
    await clock.advanceAsync(10);
    expect(begun.map(({ domain }) => domain)).toEqual(['a.example']);
    begun[0]?.resolve(POLICY);
    expect(await Promise.all(all)).toEqual(new Array(30).fill(POLICY));
    expect(begun[0]?.signal.aborted).toBe(false);
    expect(clock.pending).toBe(0);
  });

  it('is fetched for each domain, each id, and again once it has come', async () => {
    const { clock, begun, fetches } = fetching();
    for (const [domain, id] of [
      ['a.example', '1'],
      ['a.example', '2'],
      ['b.example', '1'],
      ['a.example', '1'],
    ] as const) {
      const finding = fetches.policyOf(domain, id, undefined);
      await clock.advanceAsync(10);
      begun.at(-1)?.resolve(POLICY);
      await finding;
    }
    expect(begun).toHaveLength(4);
  });
});

describe('who gives up', () => {
  it('takes nothing from the others who wait', async () => {
    const { clock, begun, fetches } = fetching();
    const controller = new AbortController();
    const impatient = fetches.policyOf('a.example', '1', controller.signal);
    const patient = fetches.policyOf('a.example', '1', new AbortController().signal);
    await clock.advanceAsync(10);
    const reason = new Error('Enough');
    controller.abort(reason);
    await expect(impatient).rejects.toBe(reason);
    expect(begun[0]?.signal.aborted).toBe(false);
    begun[0]?.resolve(POLICY);
    expect(await patient).toBe(POLICY);
  });

  it('stops the fetch as the last, and that is no failure of it', async () => {
    const { clock, begun, fetches } = fetching();
    const controller = new AbortController();
    const both = [1, 2].map(() => fetches.policyOf('a.example', '1', controller.signal));
    await clock.advanceAsync(10);
    controller.abort(new Error('Enough'));
    for (const each of both) await expect(each).rejects.toThrow('Enough');
    expect(begun[0]?.signal.aborted).toBe(true);
    expect(clock.pending).toBe(0);
    const next = fetches.policyOf('a.example', '1', undefined);
    await clock.advanceAsync(10);
    begun[1]?.resolve(POLICY);
    expect(await next).toBe(POLICY);
  });
});

describe('a fetch that takes too long', () => {
  it('is aborted, and has failed for all who wait', async () => {
    const { clock, begun, fetches } = fetching(500);
    const both = [1, 2].map(() =>
      fetches.policyOf('a.example', '1', undefined).catch((error: Error) => error.message),
    );
    await clock.advanceAsync(499);
    expect(begun[0]?.signal.aborted).toBe(false);
    await clock.advanceAsync(1);
    expect(begun[0]?.signal.aborted).toBe(true);
    expect(await Promise.all(both)).toEqual(
      new Array(2).fill('The policy could not be fetched: no answer within 500 ms'),
    );
  });

  it('may have any time-out, as one of more than 2^31 ms', async () => {
    const { clock, begun, fetches } = fetching(3e9);
    const finding = fetches.policyOf('a.example', '1', undefined);
    await clock.advanceAsync(2.9e9);
    begun[0]?.resolve(POLICY);
    expect(await finding).toBe(POLICY);
  });
});

describe('a fetch that has failed (RFC 8461 §3.3)', () => {
  async function fail({ clock, begun, fetches }: ReturnType<typeof fetching>, domain: string): Promise<void> {
    const finding = fetches.policyOf(domain, '1', undefined).catch(() => {});
    await clock.advanceAsync(0);
    begun.at(-1)?.reject(new Error('down'));
    await finding;
  }

  it('is not made again for five minutes, and then is', async () => {
    const made = fetching();
    const { clock, begun, fetches } = made;
    await fail(made, 'a.example');
    await clock.advanceAsync(5 * MINUTES - 1);
    await expect(fetches.policyOf('a.example', '1', undefined)).rejects.toThrow('down');
    expect(begun).toHaveLength(1);
    await clock.advanceAsync(1);
    await fail(made, 'a.example');
    expect(begun).toHaveLength(2);
    await expect(fetches.policyOf('a.example', '1', undefined)).rejects.toThrow('down');
    expect(begun).toHaveLength(2);
  });

  it('is made under another id, and for another domain', async () => {
    const made = fetching();
    const { clock, begun, fetches } = made;
    await fail(made, 'a.example');
    for (const [domain, id] of [
      ['a.example', '2'],
      ['b.example', '1'],
    ] as const) {
      const finding = fetches.policyOf(domain, id, undefined);
      await clock.advanceAsync(10);
      begun.at(-1)?.resolve(POLICY);
      expect(await finding).toBe(POLICY);
    }
  });

  it('is forgotten when too many others have failed since', async () => {
    const made = fetching();
    const { begun, fetches } = made;
    for (let number = 0; number <= MAXIMUM_FAILURES; number++) await fail(made, `${number}.example`);
    await expect(fetches.policyOf('1.example', '1', undefined)).rejects.toThrow('down');
    expect(begun).toHaveLength(MAXIMUM_FAILURES + 1);
    await fail(made, '0.example');
    expect(begun).toHaveLength(MAXIMUM_FAILURES + 2);
  });
});
