import { describe, expect, it } from 'vitest';
import type { DnsAnswer } from '../routing/mail-resolver.js';
import {
  type CachedPolicy,
  createPolicyFetch,
  findStsPolicy,
  type PolicyResponse,
  refreshStsPolicies,
  type StsOutcome,
} from './mta-sts.js';
import { MAXIMUM_POLICY_OCTETS, type StsPolicy } from './sts-policy.js';

const ENFORCE =
  'version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n';

const RECORD: DnsAnswer<string> = { kind: 'found', records: ['v=STSv1; id=2'] };
const NOW = 1_700_000_000_000;

interface Situation {
  readonly txt?: DnsAnswer<string>;
  readonly cached?: Omit<CachedPolicy, 'policy'> & { readonly mode?: StsPolicy['mode'] };
  readonly response?: Partial<PolicyResponse> | Error;
}

interface Found {
  readonly outcome: StsOutcome;
  readonly cache: ReadonlyMap<string, CachedPolicy>;
  readonly fetched: readonly string[];
}

const CACHED: StsPolicy = { mode: 'enforce', mx: ['cached.example'], maxAge: 1000 };

async function find({ txt = RECORD, cached, response = {} }: Situation): Promise<Found> {
  const cache = new Map<string, CachedPolicy>();
  if (cached !== undefined) {
    const { mode = 'enforce', ...rest } = cached;
    cache.set('a.example', { ...rest, policy: { ...CACHED, mode } });
  }
  const fetched: string[] = [];
  const outcome = await findStsPolicy('a.example', {
    resolver: {
      async resolveTxt(name) {
        expect(name).toBe('_mta-sts.a.example');
        return txt;
      },
    },
    async fetchPolicy(domain) {
      fetched.push(domain);
      if (response instanceof Error) throw response;
      return { status: 200, contentType: 'text/plain', body: Buffer.from(ENFORCE), ...response };
    },
    cache: {
      get: (domain) => cache.get(domain),
      set: (domain, policy) => {
        cache.set(domain, policy);
      },
    },
    now: NOW,
  });
  return { outcome, cache, fetched };
}

const FRESH = { id: '1', expiresAt: NOW + 1 };

describe('a policy that is old (RFC 8461 §3.3)', () => {
  it('is fetched anew, before it expires, under the same id', async () => {
    const cached = { id: '2', expiresAt: NOW + 499_000 };
    const { outcome, cache, fetched } = await find({ cached });
    expect(fetched).toHaveLength(1);
    expect(outcome).toMatchObject({ policy: { mx: ['mail.example.com', '*.example.net'] } });
    expect(cache.get('a.example')?.expiresAt).toBe(NOW + 604_800_000);
  });

  it('holds while it cannot be', async () => {
    const cached = { id: '2', expiresAt: NOW + 499_000 };
    const { outcome, cache } = await find({ cached, response: new Error('blocked') });
    expect(outcome).toMatchObject({ policy: CACHED, problem: expect.stringMatching(/blocked/) });
    expect(cache.get('a.example')?.expiresAt).toBe(cached.expiresAt);
  });

  it('is one of more than a day, for domains to which nothing is sent, too', async () => {
    const DAY = 86_400_000;
    let now = NOW;
    const cache = new Map<string, CachedPolicy>();
    const fetched: string[] = [];
    const options = () => ({
      resolver: { resolveTxt: async () => RECORD },
      fetchPolicy: async (domain: string) => {
        fetched.push(domain);
        return { status: 200, contentType: 'text/plain', body: Buffer.from(ENFORCE) };
      },
      cache,
      now,
    });
    for (const domain of ['a.example', 'b.example']) await findStsPolicy(domain, options());
    fetched.length = 0;
    now += DAY - 1;
    await refreshStsPolicies(cache.keys(), options());
    expect(fetched).toEqual([]);
    now += 1;
    await refreshStsPolicies(cache.keys(), options());
    expect(fetched).toEqual(['a.example', 'b.example']);
    expect([...cache.values()].map(({ expiresAt }) => expiresAt - now)).toEqual([7 * DAY, 7 * DAY]);
  });

  it('is not looked for at a time that is none', async () => {
    const lookUp = findStsPolicy('a.example', {
      resolver: { resolveTxt: async () => RECORD },
      fetchPolicy: () => Promise.reject(new Error('not asked')),
      cache: new Map<string, CachedPolicy>(),
      now: Number.NaN,
    });
    await expect(lookUp).rejects.toThrow(RangeError);
  });
});

describe('the policy of a domain', () => {
  it('is fetched when it is announced, and kept until it expires', async () => {
    const { outcome, cache, fetched } = await find({});
    const policy = { mode: 'enforce', mx: ['mail.example.com', '*.example.net'], maxAge: 604_800 };
    expect(outcome).toEqual({ kind: 'policy', policy });
    expect(cache.get('a.example')).toEqual({ id: '2', policy, expiresAt: NOW + 604_800_000 });
    expect(fetched).toEqual(['a.example']);
  });

  it('comes from the cache while its id is the one announced', async () => {
    const { outcome, fetched } = await find({ cached: { id: '2', expiresAt: NOW + 501_000 } });
    expect(outcome).toEqual({ kind: 'policy', policy: CACHED });
    expect(fetched).toEqual([]);
  });

  it('is fetched anew under another id, and when it has expired', async () => {
    for (const cached of [FRESH, { id: '2', expiresAt: NOW }]) {
      const { outcome, fetched } = await find({ cached });
      expect(outcome).toMatchObject({ policy: { mx: ['mail.example.com', '*.example.net'] } });
      expect(fetched).toHaveLength(1);
    }
  });

  it('is none where none is announced', async () => {
    for (const kind of ['none', 'noSuchDomain'] as const) {
      const { outcome, fetched } = await find({ txt: { kind } });
      expect(outcome).toEqual({ kind: 'none' });
      expect(fetched).toEqual([]);
    }
  });

  it('is none, and kept, when it says so', async () => {
    const body = Buffer.from('version: STSv1\nmode: none\nmax_age: 60\n');
    const { outcome, cache } = await find({ cached: FRESH, response: { body } });
    expect(outcome).toEqual({ kind: 'none' });
    expect(cache.get('a.example')).toMatchObject({ id: '2', policy: { mode: 'none' } });
    expect((await find({ cached: { id: '2', expiresAt: NOW + 501_000, mode: 'none' } })).outcome).toEqual({
      kind: 'none',
    });
  });

  const failures: [string, Situation, RegExp | undefined][] = [
    ['the record is gone', { txt: { kind: 'none' } }, undefined],
    ['DNS fails', { txt: { kind: 'temporary', problem: 'SERVFAIL' } }, /SERVFAIL/],
    ['the record is malformed', { txt: { kind: 'found', records: ['v=STSv1; id='] } }, /malformed field/],
    ['there is no response', { response: new Error('certificate has expired') }, /certificate has expired/],
    ['the status is not 200', { response: { status: 301 } }, /status 301/],
    ['the type is not text/plain', { response: { contentType: 'text/html' } }, /text\/plain/],
    ['there is no type', { response: { contentType: '' } }, /text\/plain/],
    ['the type only begins like it', { response: { contentType: 'text/plainer' } }, /text\/plain/],
    ['the policy is too long', { response: { body: Buffer.alloc(MAXIMUM_POLICY_OCTETS + 1, 'a') } }, /65536/],
    ['the policy is malformed', { response: { body: Buffer.from('no') } }, /key: value/],
  ];

  it.each(failures)(
    'stays what it was until it expires when %s (RFC 8461 §5.1)',
    async (_, situation, problem) => {
      const { outcome, cache } = await find({ ...situation, cached: FRESH });
      expect(outcome).toMatchObject({ kind: 'policy', policy: CACHED });
      expect(outcome.problem ?? '').toMatch(problem ?? /^$/);
      expect(cache.get('a.example')?.id).toBe('1');
    },
  );

  it.each(failures)(
    'is none without one in the cache when %s (RFC 8461 §3.3)',
    async (_, situation, problem) => {
      for (const cached of [{}, { cached: { ...FRESH, expiresAt: NOW } }]) {
        const { outcome } = await find({ ...situation, ...cached });
        expect(outcome.kind).toBe('none');
        expect(outcome.problem ?? '').toMatch(problem ?? /^$/);
      }
    },
  );

  it('may be as long as the limit, and its type may have parameters', async () => {
    const body = Buffer.from(`${ENFORCE}x: `.padEnd(MAXIMUM_POLICY_OCTETS, 'a'));
    const { outcome } = await find({ response: { body, contentType: 'Text/Plain; charset=utf-8' } });
    expect(outcome).toMatchObject({ kind: 'policy' });
  });

  it('is not waited for longer than allowed, nor once the caller gives up', async () => {
    const options = {
      resolver: { resolveTxt: async () => RECORD },
      cache: { get: () => undefined, set: () => {} },
      now: NOW,
      fetchPolicy: (_: string, signal: AbortSignal) =>
        new Promise<PolicyResponse>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
    };
    expect(await findStsPolicy('a.example', { ...options, fetchTimeout: 5 })).toMatchObject({ kind: 'none' });
    const deaf = { ...options, fetchPolicy: () => new Promise<PolicyResponse>(() => {}), fetchTimeout: 5 };
    expect(await findStsPolicy('a.example', deaf)).toMatchObject({
      kind: 'none',
      problem: expect.stringContaining('could not be fetched'),
    });
    const controller = new AbortController();
    const finding = findStsPolicy('a.example', { ...options, signal: controller.signal });
    const reason = new Error('shutting down');
    setTimeout(() => controller.abort(reason), 5);
    await expect(finding).rejects.toBe(reason);
  });

  it('is not looked for under a time-out that would let none be found', async () => {
    const options = {
      resolver: { resolveTxt: async () => RECORD },
      cache: { get: () => undefined, set: () => {} },
      now: NOW,
      fetchPolicy: () => new Promise<PolicyResponse>(() => {}),
    };
    for (const fetchTimeout of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(findStsPolicy('a.example', { ...options, fetchTimeout })).rejects.toThrow(RangeError);
    }
  });
});

describe('the fetching of a policy (RFC 8461 §3.3)', () => {
  const signal = new AbortController().signal;

  it('asks the well-known place by HTTPS, and follows no redirect', async () => {
    const requests: unknown[] = [];
    const fetchPolicy = createPolicyFetch(async (input, init) => {
      requests.push([input, init?.redirect, init?.signal]);
      return new Response(ENFORCE, { headers: { 'content-type': 'text/plain; charset=us-ascii' } });
    });
    const response = await fetchPolicy('a.example', signal);
    expect(requests).toEqual([['https://mta-sts.a.example/.well-known/mta-sts.txt', 'manual', signal]]);
    expect({ ...response, body: String(response.body) }).toEqual({
      status: 200,
      contentType: 'text/plain; charset=us-ascii',
      body: ENFORCE,
    });
  });

  it('reads no more than it needs to see that a policy is too long', async () => {
    let cancelled = false;
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(10_000));
      },
      cancel() {
        cancelled = true;
      },
    });
    const { body } = await createPolicyFetch(async () => new Response(endless))('a.example', signal);
    expect(body.length).toBe(70_000);
    expect(pulled).toBeLessThan(10);
    expect(cancelled).toBe(true);
  });

  it('takes a response without a body or type', async () => {
    const response = await createPolicyFetch(async () => new Response(null, { status: 404 }))(
      'a.example',
      signal,
    );
    expect(response).toEqual({ status: 404, contentType: '', body: Buffer.alloc(0) });
  });
});
