import {
  deliverBy,
  type ForwardPath,
  futureRelease,
  knownExtensions,
  limits,
  type MailParameters,
  mtPriority,
  noSoliciting,
  type RcptParameters,
  requireTls,
  rrvs,
  type ServiceExtension,
  standardExtensions,
} from '@sansmtp/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelopeFor, mailbox } from './connecting.js';
import { expectEverySessionToEnd, negotiate, networks } from './negotiating.js';

expectEverySessionToEnd();

function traceOf({ custom = {} }: MailParameters | RcptParameters): string | undefined {
  const { XTRACE } = custom;
  return typeof XTRACE === 'string' ? XTRACE : undefined;
}

/** An embedder's own, with a parameter of either verb. */
const embedded: ServiceExtension = {
  keyword: 'XTRACE',
  additionalMailOctets: 40,
  additionalRcptOctets: 40,
  mailParameters: [
    {
      keyword: 'XTRACE',
      parse: (value) => ({ custom: { XTRACE: value } }),
      format: traceOf,
    },
  ],
  rcptParameters: [
    {
      keyword: 'XTRACE',
      parse: (value) => ({ custom: { XTRACE: value } }),
      format: traceOf,
      isEssential: (parameters) => traceOf(parameters) === 'needed',
    },
  ],
};

const everything = [
  ...standardExtensions,
  deliverBy(),
  futureRelease({ maximumSeconds: 999_999_999, maximumDate: '9999-12-31T23:59:59Z' }),
  mtPriority(),
  requireTls,
  rrvs,
  limits(),
  noSoliciting({ keywords: ['org.example:ADV'] }),
  embedded,
];

const printable = (maxLength: number) =>
  fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength,
  });
const dateTimes = fc
  .tuple(
    fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-29'), noInvalidDate: true }),
    fc.constantFrom('Z', '+05:30', '-11:00'),
  )
  .map(([date, offset]) => date.toISOString().slice(0, 19) + offset);
const ascii = fc.constantFrom(...['s@a.example', 'a+b=c@b.example', '"a b"@c.example'].map(mailbox));
const international = fc.constantFrom(
  ...['jürgen@b.example', 'p@bücher.example', '漢字@例え.jp'].map(mailbox),
);
const trace = fc.constantFrom('word', 'needed', 'x'.repeat(30));

const mailParameters: fc.Arbitrary<MailParameters> = fc.record(
  {
    size: fc.integer({ min: 0, max: 36_700_160 }),
    body: fc.constantFrom('7BIT' as const, '8BITMIME' as const, 'BINARYMIME' as const),
    smtpUtf8: fc.constant(true as const),
    auth: fc.option(fc.oneof(ascii, international), { nil: null }),
    ret: fc.constantFrom('FULL' as const, 'HDRS' as const),
    envid: printable(33),
    deliverBy: fc.oneof(
      fc.record({
        seconds: fc.integer({ min: 1, max: 999_999_999 }),
        mode: fc.constant('return' as const),
        trace: fc.boolean(),
      }),
      fc.record({
        seconds: fc.integer({ min: -999_999_999, max: 999_999_999 }),
        mode: fc.constant('notify' as const),
        trace: fc.boolean(),
      }),
    ),
    hold: fc.oneof(
      fc.record({ seconds: fc.integer({ min: 1, max: 999_999_999 }) }),
      fc.record({ until: dateTimes }),
    ),
    mtPriority: fc.integer({ min: -9, max: 9 }),
    requireTls: fc.constant(true as const),
    solicit: fc.array(fc.constantFrom('org.example:ADV', 'a', 'B-2.c_d'), { minLength: 1, maxLength: 4 }),
    custom: fc.record({ XTRACE: trace }),
  },
  { requiredKeys: [] },
);

const rcptParameters: fc.Arbitrary<RcptParameters> = fc.record(
  {
    notify: fc.oneof(
      fc.constant('NEVER' as const),
      fc.subarray(['SUCCESS' as const, 'FAILURE' as const, 'DELAY' as const], { minLength: 1 }),
    ),
    orcpt: fc.record({ addressType: fc.constantFrom('rfc822', 'x+y'), address: printable(100) }),
    rrvs: fc.record(
      { since: dateTimes, otherwise: fc.constantFrom('continue' as const, 'reject' as const) },
      { requiredKeys: ['since'] },
    ),
    custom: fc.record({ XTRACE: trace }),
  },
  { requiredKeys: [] },
);

describe('the envelope', () => {
  const envelopes = fc.record({
    reversePath: fc.oneof(fc.constant(null), ascii, international),
    parameters: mailParameters,
    recipients: fc.array(
      fc
        .tuple(fc.oneof(ascii, international), rcptParameters)
        .map(([path, parameters]) => ({ ...path, parameters })),
      { minLength: 1, maxLength: 4 },
    ),
  });

  const isInternational = (path: ForwardPath | null) =>
    path !== null && /\P{ASCII}/u.test(path.localPart + path.domain);

  it('comes to the handlers as it was given to the client, with every parameter', async () => {
    await fc.assert(
      fc.asyncProperty(envelopes, networks, async (envelope, network) => {
        const told: unknown[] = [];
        const session = negotiate({
          network: { ...network(), tls: { mode: 'implicit' } },
          handlers: {
            onMailFrom: ({ reversePath, parameters }) => void told.push({ reversePath, parameters }),
            onRcptTo: ({ forwardPath, parameters }) => void told.push({ forwardPath, parameters }),
            onMessage: ({ envelope: whole }) => void told.push(whole),
          },
          server: { extensions: everything, authentication: {} },
          client: { extensions: [...knownExtensions, embedded] },
        });
        const client = await session.opened();
        const verdicts = await session.until(client.send(envelope, 'Subject: x\r\n'));
        expect(verdicts.map(({ verdict }) => verdict)).toEqual(envelope.recipients.map(() => 'delivered'));

        const { reversePath } = envelope;
        const needsUtf8 = [reversePath, ...envelope.recipients].some(isInternational);
        const mail = {
          reversePath,
          parameters: { ...envelope.parameters, ...(needsUtf8 && { smtpUtf8: true }) },
        };
        const recipients = envelope.recipients.map(({ parameters, ...forwardPath }) => ({
          forwardPath,
          parameters,
        }));
        expect(told).toEqual([mail, ...recipients, { ...mail, recipients }]);
        await session.until(client.quit());
        await session.end();
        expect(session.errors).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a server without the extension', () => {
  const without = (keyword: string) => ({
    network: { tls: { mode: 'implicit' } } as const,
    server: { extensions: everything.filter((extension) => extension.keyword !== keyword) },
    client: { extensions: [...knownExtensions, embedded] },
  });

  const plain = envelopeFor();
  const rcpt = (parameters: RcptParameters) => ({
    ...plain,
    recipients: [{ ...mailbox('r@b.example'), parameters }],
  });
  const since = '2024-02-29T12:00:00Z';

  it.each([
    ['BINARYMIME', { ...plain, parameters: { body: 'BINARYMIME' } }, '5.6.1'],
    ['SMTPUTF8', { ...plain, parameters: { smtpUtf8: true } }, '5.6.7'],
    ['SMTPUTF8', { ...plain, reversePath: mailbox('jürgen@a.example') }, '5.6.7'],
    ['SMTPUTF8', { ...plain, recipients: [mailbox('r@bücher.example')] }, '5.6.7'],
    ['FUTURERELEASE', { ...plain, parameters: { hold: { seconds: 60 } } }, '5.5.4'],
    ['FUTURERELEASE', { ...plain, parameters: { hold: { until: since } } }, '5.5.4'],
    [
      'DELIVERBY',
      { ...plain, parameters: { deliverBy: { seconds: 9, mode: 'return', trace: false } } },
      '5.5.4',
    ],
    ['REQUIRETLS', { ...plain, parameters: { requireTls: true } }, '5.7.30'],
    ['RRVS', rcpt({ rrvs: { since } }), '5.7.19'],
    ['RRVS', rcpt({ rrvs: { since, otherwise: 'reject' } }), '5.7.19'],
    ['XTRACE', rcpt({ custom: { XTRACE: 'needed' } }), '5.5.4'],
  ] as const)('%s is not sent mail that needs it: %j', async (keyword, envelope, enhancedCode) => {
    const session = negotiate(without(keyword));
    const client = await session.opened();
    const before = session.wire.sent;
    await expect(client.send(envelope, 'x')).rejects.toMatchObject({
      name: 'ExtensionNotOfferedError',
      keyword,
      responseCode: 554,
      enhancedCode,
    });
    expect(session.wire.sent).toBe(before);
    expect(await client.send(plain, 'x')).toMatchObject([{ verdict: 'delivered' }]);
  });

  it('REQUIRETLS, which is offered under TLS only, is not sent mail that needs it', async () => {
    const client = await negotiate({ server: { extensions: everything } }).opened();
    const sending = client.send({ ...plain, parameters: { requireTls: true } }, 'x');
    await expect(sending).rejects.toMatchObject({ keyword: 'REQUIRETLS' });
  });

  it.each<[string, MailParameters, RcptParameters]>([
    ['SIZE', { size: 7 }, {}],
    ['8BITMIME', { body: '8BITMIME' }, {}],
    [
      'DSN',
      { ret: 'HDRS', envid: 'a' },
      { notify: 'NEVER', orcpt: { addressType: 'rfc822', address: 'a@b' } },
    ],
    ['AUTH', { auth: null }, {}],
    ['DELIVERBY', { deliverBy: { seconds: 9, mode: 'notify', trace: true } }, {}],
    ['MT-PRIORITY', { mtPriority: 3 }, {}],
    ['NO-SOLICITING', { solicit: ['a'] }, {}],
    ['RRVS', {}, { rrvs: { since, otherwise: 'continue' } }],
    ['XTRACE', { custom: { XTRACE: 'word' } }, { custom: { XTRACE: 'word' } }],
  ])('%s is sent the mail without what is no use to it', async (keyword, parameters, rcptOnly) => {
    const told: unknown[] = [];
    const session = negotiate({
      ...without(keyword),
      handlers: { onMessage: ({ envelope }) => void told.push(envelope) },
    });
    const client = await session.opened();
    const verdicts = await client.send({ ...rcpt(rcptOnly), parameters }, 'x');
    expect(verdicts).toMatchObject([{ verdict: 'delivered' }]);
    expect(told).toEqual([
      {
        reversePath: plain.reversePath,
        parameters: {},
        recipients: [{ forwardPath: mailbox('r@b.example'), parameters: {} }],
      },
    ]);
    expect(session.wire.sent).toMatch(/^MAIL FROM:<s@a\.example>\r\nRCPT TO:<r@b\.example>\r\n/m);
  });
});

describe('LIMITS (RFC 9422)', () => {
  it('keeps a client from what is over them: recipients and domains are deferred, a mail transaction is refused', async () => {
    const session = negotiate({
      server: {
        extensions: [
          ...standardExtensions,
          limits({ mailMaximum: 2, recipientMaximum: 2, recipientDomainMaximum: 1 }),
        ],
      },
    });
    const client = await session.opened();
    const limited = (keyword: string, limit: number) => ({
      verdict: 'deferred',
      failure: { kind: 'limit', keyword, limit },
    });
    expect(await client.send(envelopeFor('a', 'b', 'c'), 'x')).toMatchObject([
      { verdict: 'delivered' },
      { verdict: 'delivered' },
      limited('RCPTMAX', 2),
    ]);
    const other = { ...envelopeFor('a'), recipients: [mailbox('a@other.example'), mailbox('a@B.example')] };
    expect(await client.send(other, 'x')).toMatchObject([
      limited('RCPTDOMAINMAX', 1),
      { verdict: 'delivered' },
    ]);
    await expect(client.send(envelopeFor(), 'x')).rejects.toMatchObject({ name: 'LocalProtocolError' });
    expect(session.wire.sent.match(/^(MAIL|RCPT)/gm)).toEqual(['MAIL', 'RCPT', 'RCPT', 'MAIL', 'RCPT']);
  });
});
