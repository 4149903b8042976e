import { describe, expect, it } from 'vitest';
import type { ClientSessionOptions } from './client/contract/options.js';
import { ClientSession } from './client/session.js';
import { deliverBy } from './extensions/delivery/deliver-by.js';
import { futureRelease } from './extensions/delivery/future-release.js';
import { mtPriority } from './extensions/delivery/mt-priority.js';
import { noSoliciting } from './extensions/delivery/no-soliciting.js';
import { limits } from './extensions/session/limits.js';
import { scramKeys } from './sasl/scram/scram-keys.js';
import { Secret } from './secret.js';
import type { ServerSessionOptions } from './server/contract/options.js';
import { ServerSession } from './server/session.js';

/** Options as a caller without types may give them. */
type Given = Readonly<Record<string, unknown>>;

const server = (options: Given) => new ServerSession({ ...(options as ServerSessionOptions), now: 0 });
const client = (options: Given) => new ClientSession({ ...(options as ClientSessionOptions), now: 0 });

const INFINITE = Number.POSITIVE_INFINITY;
const noInteger = [Number.NaN, -1, 0, 1.5, Number.NEGATIVE_INFINITY, 2 ** 53, '10'];

describe.each([
  ['maximumMessageSize', server, 1, true],
  ['maximumRecipients', server, 1, false],
  ['maximumErrors', server, 1, false],
  ['maximumJunkCommands', server, 1, true],
  ['maximumRefusedRecipients', server, 1, true],
  ['maximumCommandLength', server, 2, false],
  ['maximumTextLineLength', server, 2, true],
  ['maximumHeldOctets', server, 1, false],
  ['maximumOctetsInFlight', client, 1, false],
  ['maximumReplyLineLength', client, 2, false],
  ['maximumReplyLines', client, 1, false],
] as const)('the limit %s', (option, session, least, unlimited) => {
  const range = `it takes an integer of ${least} or more${unlimited ? ', or Infinity for none' : ''}`;

  it.each([...noInteger, ...(least === 2 ? [1] : []), ...(unlimited ? [] : [INFINITE])])(
    'may not be %s',
    (value) => {
      const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
      const error = new RangeError(`The option ${option} is ${shown}; ${range}`);
      expect(() => session({ [option]: value })).toThrow(error);
    },
  );

  it.each([least, 1000, ...(unlimited ? [INFINITE] : [])])('may be %s', (value) => {
    expect(() => session({ [option]: value })).not.toThrow();
  });
});

describe.each([
  ['authentication.allowInsecure', (value: boolean) => server({ authentication: { allowInsecure: value } })],
  ['authentication.required', (value: boolean) => server({ authentication: { required: value } })],
  ['trusted', (value: boolean) => server({ trusted: value })],
  ['lenient', (value: boolean) => server({ lenient: value })],
  [
    'authentication.allowInsecure',
    (value: boolean) =>
      client({ authentication: { credentials: { kind: 'external' }, allowInsecure: value } }),
  ],
] as const)('the option %s, yes or no,', (option, session) => {
  it.each(['false', 'true', '', 0, 1, {}])('may not be %j', (value) => {
    const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
    const error = new RangeError(`The option ${option} is ${shown}; it takes true or false`);
    expect(() => session(value as never)).toThrow(error);
  });

  it.each([true, false])('may be %s', (value) => {
    expect(() => session(value)).not.toThrow();
  });
});

describe.each([
  ['server', (value: boolean) => server({ observe: value })],
  ['client', (value: boolean) => client({ observe: value })],
] as const)('the option observe of a %s', (_, session) => {
  it.each(['false', 'true', '', 0, 1, {}, ['comand']])('may not be %j', (value) => {
    expect(() => session(value as never)).toThrow(/observe/);
  });

  it.each([true, false, ['command']])('may be %j', (value) => {
    expect(() => session(value as never)).not.toThrow();
  });
});

describe('the clock of a session', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, '0', undefined])('may not stand at %s', (now) => {
    const options = { hostname: 'mx.example', now: now as number };
    for (const Session of [ServerSession, ClientSession]) {
      expect(() => new Session(options)).toThrow(/^The option now is .*; it takes milliseconds of a clock$/);
    }
  });
});

describe.each([
  ['session', server],
  ['idle', server],
  ['mailData', server],
  ['decision', server],
  ['handshake', server],
  ['linger', server],
  ['greeting', client],
  ['hello', client],
  ['startTls', client],
  ['handshake', client],
  ['authentication', client],
  ['computation', client],
  ['proxying', client],
  ['inquiry', client],
  ['mail', client],
  ['rcpt', client],
  ['dataInitiation', client],
  ['dataBlock', client],
  ['chunk', client],
  ['dataTermination', client],
  ['reset', client],
  ['quit', client],
  ['linger', client],
] as const)('the timeout %s', (timeout, session) => {
  it.each([Number.NaN, -1, Number.NEGATIVE_INFINITY, '1'])('may not be %s', (value) => {
    const act = () => session({ timeouts: { [timeout]: value } });
    expect(act).toThrow(RangeError);
    expect(act).toThrow(`The option timeouts.${timeout} is `);
    expect(act).toThrow('milliseconds of 0 or more');
  });

  it.each([0, 0.5, INFINITE])('may be %s', (value) => {
    expect(() => session({ timeouts: { [timeout]: value } })).not.toThrow();
  });
});

describe('a number between two bounds', () => {
  const credentials = { kind: 'external' };
  it.each([
    ['minimumMailDataRate', 0, undefined, (value: number) => server({ minimumMailDataRate: value })],
    ['greetingDelay', 0, undefined, (value: number) => server({ greetingDelay: value })],
    ['refusalDelay', 0, undefined, (value: number) => server({ refusalDelay: value })],
    [
      'authentication.maximumFailures',
      1,
      undefined,
      (value: number) => server({ authentication: { maximumFailures: value } }),
    ],
    [
      'authentication.port',
      1,
      65_535,
      (value: number) => client({ authentication: { credentials, port: value } }),
    ],
    [
      'authentication.maximumIterations',
      4096,
      undefined,
      (value: number) => client({ authentication: { credentials, maximumIterations: value } }),
    ],
  ] as const)('is refused by the name of the option: %s', (option, least, most, session) => {
    for (const outside of [least - 1, least + 0.5, Number.NaN, ...(most === undefined ? [] : [most + 1])]) {
      expect(() => session(outside)).toThrow(
        `The option ${option} is ${outside}; it takes an integer of ${least} `,
      );
    }
    for (const inside of [least, least + 1, ...(most === undefined ? [] : [most])]) {
      expect(() => session(inside)).not.toThrow();
    }
  });
});

describe('an option that there is not', () => {
  it.each([
    [server, { hostnme: 'a' }, 'hostnme', 'hostname'],
    [server, { timeouts: { idel: 1 } }, 'timeouts.idel', 'idle'],
    [server, { authentication: { allowInsecrue: true } }, 'authentication.allowInsecrue', 'allowInsecure'],
    [client, { hostnme: 'a' }, 'hostnme', 'hostname'],
    [client, { timeouts: { gretting: 1 } }, 'timeouts.gretting', 'greeting'],
    [
      client,
      { authentication: { credentials: { kind: 'external' }, hots: 'a' } },
      'authentication.hots',
      'host',
    ],
    [
      client,
      { authentication: { credentials: { kind: 'external', authorisationIdentity: 'a' } } },
      'authentication.credentials.authorisationIdentity',
      'authorizationIdentity',
    ],
  ])('is named, and the one that was meant', (session, options, given, meant) => {
    expect(() => session(options)).toThrow(TypeError);
    expect(() => session(options)).toThrow(`The option ${given} `);
    expect(() => session(options)).toThrow(meant);
  });
});

describe('an endless timeout', () => {
  it('is no deadline', () => {
    expect(server({ timeouts: { decision: INFINITE } }).nextDeadline()).toBeUndefined();
    expect(client({ timeouts: { greeting: INFINITE } }).nextDeadline()).toBeUndefined();
  });
});

describe.each([
  ['bareNewline', server, ['reject', 'normalize', 'keep']],
  ['newlines', client, ['reject', 'convert']],
  ['protocol', server, ['smtp', 'lmtp']],
  ['protocol', client, ['smtp', 'lmtp']],
  ['startTls', server, ['none', 'offered', 'required']],
  ['startTls', client, ['never', 'opportunistic', 'required']],
  ['mailDataBy', client, ['data', 'bdat']],
] as const)('the option %s', (option, session, words) => {
  it(`takes ${words.join(' or ')} and no other word`, () => {
    for (const word of words) expect(() => session({ [option]: word })).not.toThrow();
    for (const other of ['strict', 'Reject', '', 1]) {
      const act = () => session({ [option]: other });
      expect(act).toThrow(RangeError);
      for (const word of words) expect(act).toThrow(`'${word}'`);
    }
  });
});

describe.each([
  ['server', server],
  ['client', client],
] as const)('the hostname of the %s', (_, session) => {
  it.each(['', 'a b', 'a\r\nb', 'a\nb', 'a\tb', 'a\0', 'a\x7f', 'bücher.example', 'a'.repeat(256), 1])(
    'may not be %j, which cannot be written in a command or a reply (RFC 5321 §4.1.2, §4.2)',
    (hostname) => {
      const act = () => session({ hostname });
      expect(act).toThrow(RangeError);
      expect(act).toThrow(`The option hostname is ${JSON.stringify(hostname)}; it takes 1 to 255`);
    },
  );

  it.each(['a', 'mx.example', '[192.0.2.1]', '[IPv6:2001:db8::1]', 'my_host', 'a'.repeat(255)])(
    'may be %j',
    (hostname) => {
      expect(() => session({ hostname })).not.toThrow();
    },
  );
});

describe('the options of an extension, and of what makes keys, are refused in the words of those of a session', () => {
  const seconds = 'an integer of 1 to 999999999';
  const date = 'a date-time of RFC 3339 in UTC, such as 2030-01-01T00:00:00Z';
  const password = new Secret('pencil');
  const salt = new Uint8Array(16);

  it.each([
    ['mailMaximum is 0', 'an integer of 1 to 999999', () => limits({ mailMaximum: 0 })],
    ['minimumSeconds is 0', seconds, () => deliverBy({ minimumSeconds: 0 })],
    ['maximumSeconds is 0.5', seconds, () => futureRelease({ maximumSeconds: 0.5, maximumDate: '' })],
    ['maximumDate is "now"', date, () => futureRelease({ maximumSeconds: 1, maximumDate: 'now' })],
    ['profile is "a b"', '1 to 20 letters, digits', () => mtPriority({ profile: 'a b' })],
    ['keywords is ["a b","c"]', 'words of letters', () => noSoliciting({ keywords: ['a b', 'c'] })],
    [
      'iterations is 1000',
      'an integer of 4096 to 100000000',
      () => scramKeys({ hash: 'SHA-1', password, salt, iterations: 1000 }),
    ],
  ])('The option %s; it takes %s', (given, allowed, make) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(`The option ${given}; it takes ${allowed}`);
  });
});
