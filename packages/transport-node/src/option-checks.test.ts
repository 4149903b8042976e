import { describe, expect, it } from 'vitest';
import { connect } from './connecting/connect.js';
import { type ListenOptions, listen } from './listening/listen.js';
import { type MailServerOptions, startMailServer } from './listening/mail-server.js';
import { expectNothingLeftOpen } from './listening.test-support.js';
import { checkCount, checkTime } from './option-checks.js';
import { createTlsContext } from './tls/tls-context.js';
import { generateCertificate } from './tls-certificates.test-support.js';

expectNothingLeftOpen();

const context = createTlsContext(await generateCertificate('localhost'));
const port = 0;

const listening = (options: Omit<ListenOptions, 'port' | 'path'>) =>
  listen({ port, ...options }, () => undefined);

const serving = (options: Partial<MailServerOptions>) =>
  startMailServer({ addresses: [{ port }], handlers: { onMessage() {} }, ...options });

/** Each option that is a number, and what takes it. */
const takers: readonly (readonly [string, (value: number) => Promise<unknown>])[] = [
  ['maximumArriving', (value) => listening({ maximumArriving: value })],
  ['maximumConnections', (value) => serving({ maximumConnections: value })],
  ['timeout', (value) => connect({ host: '127.0.0.1', port: 25, timeout: value })],
  [
    'tls.handshakeTimeout',
    (value) => listening({ tls: { mode: 'startTls', context, handshakeTimeout: value } }),
  ],
  [
    'tls.handshakeTimeout',
    (value) =>
      connect({
        host: '127.0.0.1',
        port: 25,
        tls: { mode: 'implicit', verify: false, handshakeTimeout: value },
      }),
  ],
  ['proxied.timeout', (value) => listening({ proxied: { isTrusted: () => true, timeout: value } })],
  [
    'proxied.maximumHeaderOctets',
    (value) => listening({ proxied: { isTrusted: () => true, maximumHeaderOctets: value } }),
  ],
  [
    'grace',
    async (value) => {
      const server = await serving({});
      try {
        await server.shutdown(value);
      } finally {
        await server.shutdown(0);
      }
    },
  ],
];

describe('an option that is a number', () => {
  // The last is what a caller in JavaScript may have read from its environment.
  const wrong: readonly unknown[] = [Number.NaN, -1, '10'];
  const cases = takers.flatMap(([option, take]) => wrong.map((value) => [option, value, take] as const));

  it.each(cases)(
    'is refused by its name out of its range, and nothing is left open: %s, %s',
    async (option, value, take) => {
      const attempt = take(value as number);
      await expect(attempt).rejects.toThrow(RangeError);
      const shown = typeof value === 'string' ? '"10"' : String(value);
      await expect(attempt).rejects.toThrow(`The option ${option} is ${shown}; it takes `);
    },
  );
});

describe('checkCount', () => {
  it.each([
    [1, undefined],
    [16, 16],
    [Number.MAX_SAFE_INTEGER, undefined],
  ])('takes %s, where %s is the least', (value, least) => {
    expect(() => checkCount('maximum', value, least)).not.toThrow();
  });

  it.each([
    [0, undefined, 'an integer of 1 or more'],
    [1.5, undefined, 'an integer of 1 or more'],
    [15, 16, 'an integer of 16 or more'],
    [Number.POSITIVE_INFINITY, undefined, 'an integer of 1 or more'],
  ])('refuses %s, where %s is the least', (value, least, allowed) => {
    expect(() => checkCount('maximum', value, least)).toThrow(
      new RangeError(`The option maximum is ${value}; it takes ${allowed}`),
    );
  });
});

describe('checkTime', () => {
  it.each([0, 0.5, Number.POSITIVE_INFINITY])('takes %s', (value) => {
    expect(() => checkTime('timeout', value)).not.toThrow();
  });

  it('says what it takes', () => {
    expect(() => checkTime('timeout', Number.NaN)).toThrow(
      new RangeError(
        'The option timeout is NaN; it takes milliseconds of 0 or more, or Infinity for no limit',
      ),
    );
  });
});

describe('an option that is a name or an address', () => {
  const nothing = () => undefined;
  it.each<[string, () => Promise<unknown>]>([
    ['host', () => listen({ host: '', port }, nothing)],
    ['path', () => listen({ path: '' }, nothing)],
    ['host', () => connect({ host: '', port: 25 })],
    ['path', () => connect({ path: '' })],
  ])('%s is not empty: Node would take another for it', async (option, take) => {
    await expect(take()).rejects.toThrow(
      new RangeError(`The option ${option} is ""; it takes a text that is not empty`),
    );
  });
});
