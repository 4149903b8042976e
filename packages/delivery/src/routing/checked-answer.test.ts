import { describe, expect, it } from 'vitest';
import { createMailer } from '../mailer/mailer.js';
import { findDane, type TlsaRecord } from '../policies/dane.js';
import { findStsPolicy } from '../policies/mta-sts.js';
import type { DnsAnswer, MailResolver } from './mail-resolver.js';
import { findRoute } from './routing.js';

const MX = { exchange: 'mx.example', preference: 10 };
const EXCHANGER: DnsAnswer<typeof MX> = { kind: 'found', records: [MX] };

/** What no resolver in TypeScript would answer. */
const js = (answer: unknown): never => answer as never;

function resolver(answers: { readonly mx?: unknown; readonly addresses?: unknown }): MailResolver {
  return {
    resolveMx: async () => js('mx' in answers ? answers.mx : EXCHANGER),
    resolveAddresses: async () => js('addresses' in answers ? answers.addresses : { kind: 'none' }),
    resolveTxt: async () => ({ kind: 'none' }),
  };
}

const noAnswers: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a list', ['192.0.2.1']],
  ['an unknown word', { kind: 'error' }],
  ['no records', { kind: 'found' }],
  ['an empty list of them', { kind: 'found', records: [] }],
  ['records of another shape', { kind: 'found', records: [{ address: 7 }] }],
  ['a text for secure', { kind: 'none', secure: 'false' }],
];

describe('what is no answer of a resolver is not taken for "there are none"', () => {
  it.each(noAnswers)('%s', async (_, answer) => {
    await expect(findRoute('a.example', resolver({ mx: answer }))).rejects.toThrow(/answer of resolveMx\(\)/);
    await expect(findRoute('a.example', resolver({ addresses: answer }))).rejects.toThrow(
      /answer of resolveAddresses\(\)/,
    );
    const dane = findDane(
      { host: 'mx.example', port: 25, secure: true },
      { resolveTlsa: async () => js(answer) },
    );
    await expect(dane).rejects.toThrow(/answer of resolveTlsa\(\)/);
    const policy = findStsPolicy('a.example', {
      resolver: { resolveTxt: async () => js(answer) },
      fetchPolicy: async () => ({ status: 404, contentType: '', body: Buffer.of() }),
      cache: new Map(),
      now: 0,
    });
    await expect(policy).rejects.toThrow(/answer of resolveTxt\(\)/);
  });

  it('a host name for an address, or a preference in text', async () => {
    const named = { kind: 'found', records: ['mx2.example'] };
    await expect(findRoute('a.example', resolver({ addresses: named }))).rejects.toThrow(/IPv4 and IPv6/);
    const text = { kind: 'found', records: [{ ...MX, preference: '10' }] };
    await expect(findRoute('a.example', resolver({ mx: text }))).rejects.toThrow(/preference, a number/);
  });

  it.each<[string, unknown]>([
    ['data in hexadecimal', { usage: 3, selector: 1, matchingType: 1, data: 'ab'.repeat(32) }],
    ['a usage in text', { usage: '3', selector: 1, matchingType: 1, data: new Uint8Array(32) }],
    ['another field name', { usage: 3, selector: 1, mtype: 1, data: new Uint8Array(32) }],
  ])('a TLSA record with %s, which no certificate could match: any would do', async (_, record) => {
    const answer: DnsAnswer<TlsaRecord> = { kind: 'found', secure: true, records: [js(record)] };
    const dane = findDane(
      { host: 'mx.example', port: 25, secure: true },
      { resolveTlsa: async () => answer },
    );
    await expect(dane).rejects.toThrow(/data as a Uint8Array/);
  });

  it('so the mail is deferred', async () => {
    const mailer = createMailer({ resolver: resolver({ mx: { kind: 'found', records: [] } }) });
    expect(await mailer.send({ from: 'a@b.example', to: 'r@a.example' }, 'Hello')).toMatchObject([
      { verdict: 'deferred', enhancedCode: '4.4.3', error: expect.any(TypeError) },
    ]);
    await mailer.close();
  });
});

describe('what a cache of MTA-STS policies gives', () => {
  const policy = { mode: 'enforce', mx: ['mx.example'], maxAge: 86_400 } as const;
  const entry = { id: '1', policy, expiresAt: 1000 };
  const find = (stored: unknown) =>
    findStsPolicy('a.example', {
      resolver: { resolveTxt: async () => ({ kind: 'none' }) },
      fetchPolicy: async () => ({ status: 404, contentType: '', body: Buffer.of() }),
      cache: new Map([['a.example', js(stored)]]),
      now: 0,
    });

  it('holds', async () => {
    expect(await find(entry)).toEqual({ kind: 'policy', policy });
  });

  it.each<[string, unknown]>([
    ['another mode', { ...entry, policy: { ...policy, mode: 'enforced' } }],
    ['a date for the time', { ...entry, expiresAt: new Date(1000).toISOString() }],
    ['no policy', { id: '1', expiresAt: 1000 }],
    ['no id', { policy, expiresAt: 1000 }],
    ['one exchanger for a list', { ...entry, policy: { ...policy, mx: 'mx.example' } }],
    ['null', null],
  ])('and is refused where it was never stored: %s', async (_, stored) => {
    await expect(find(stored)).rejects.toThrow(/cache of MTA-STS policies/);
  });
});
