import type { MailParameters, RcptParameters } from '@sansmtp/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type DeliveryAction,
  type DeliveryStatus,
  type NotificationOptions,
  type RecipientStatus,
  writeDeliveryStatusNotification,
} from './delivery-status-notification.js';

const JOE = { localPart: 'joe', domain: 'example.com' };
const ANN = { localPart: 'ann', domain: 'example.net' };
const OPTIONS: NotificationOptions = {
  hostname: 'mx.example',
  id: '1700.M1',
  date: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
};
const MESSAGE = 'Subject: hello\r\nTo: ann\r\n\r\nHow are you?\r\n';

async function* chunks(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

function original(message: string | Uint8Array = MESSAGE): NonNullable<DeliveryStatus['original']> {
  return { size: Buffer.byteLength(message), content: chunks(message) };
}

const STATUSES = { failed: '5.1.1', delayed: '4.4.1', delivered: '2.0.0', relayed: '2.0.0' } as const;

function failure(parameters: RcptParameters = {}, more: Partial<RecipientStatus> = {}): RecipientStatus {
  const { action = 'failed' } = more;
  return { forwardPath: ANN, parameters, action, status: STATUSES[action], ...more };
}

function statusOf(parameters: MailParameters = {}, more: Partial<DeliveryStatus> = {}): DeliveryStatus {
  return { reversePath: JOE, parameters, recipients: [failure()], ...more };
}

async function write(status: DeliveryStatus, options: Partial<NotificationOptions> = {}): Promise<string> {
  const notification = writeDeliveryStatusNotification(status, { ...OPTIONS, ...options });
  if (notification === undefined) throw new Error('There is no notification');
  const parts: Uint8Array[] = [];
  for await (const part of notification.body) parts.push(part);
  return Buffer.concat(parts).toString();
}

interface Entity {
  /** Names in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  readonly content: string;
}

function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.replaceAll(/\r\n(?=[ \t])/g, '').split('\r\n')) {
    const [, name, value = ''] = /^([!-9;-~]+):(?: (.*))?$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`${JSON.stringify(line)} is no field`);
    if (fields.has(name.toLowerCase())) throw new Error(`There are two fields ${name}`);
    fields.set(name.toLowerCase(), value);
  }
  return fields;
}

function parseEntity(text: string): Entity {
  const end = text.indexOf('\r\n\r\n');
  return { fields: parseFields(text.slice(0, end)), content: text.slice(end + 4) };
}

interface Report extends Entity {
  readonly text: Entity;
  readonly status: Entity;
  readonly returned: Entity | undefined;
  /** Of the message, then of each recipient. */
  readonly groups: readonly ReadonlyMap<string, string>[];
}

/** Reads a notification as a mail program would (RFC 2046 §5.1). */
function parseReport(message: string): Report {
  const whole = parseEntity(message);
  const type = /^multipart\/report; report-type=delivery-status; boundary="([^"]+)"$/;
  const boundary = type.exec(whole.fields.get('content-type') ?? '')?.[1] ?? '';
  const [, ...bodies] = `\r\n${whole.content}`.split(`\r\n--${boundary}`);
  expect(bodies.pop()).toBe('--\r\n');
  const [text, status, returned, ...more] = bodies.map((body) => parseEntity(body.replace(/^\r\n/, '')));
  if (text === undefined || status === undefined || more.length > 0)
    throw new Error('There are 2 or 3 parts');
  const groups = status.content.replace(/\r\n$/, '').split('\r\n\r\n').map(parseFields);
  return { ...whole, text, status, returned, groups };
}

const report = async (...parameters: Parameters<typeof write>): Promise<Report> =>
  parseReport(await write(...parameters));

/** The fields of the first recipient. */
async function recipientFields(
  recipient: RecipientStatus,
  parameters: MailParameters = {},
): Promise<Record<string, string>> {
  const { groups } = await report(statusOf(parameters, { recipients: [recipient] }));
  return Object.fromEntries(groups[1] ?? []);
}

describe('a delivery status notification', () => {
  it('is a multipart/report of a text, a status and the message (RFC 6522 §3, RFC 3464 §2)', async () => {
    const status = statusOf(
      { envid: 'QQ314159' },
      {
        arrivedAt: new Date(Date.UTC(2026, 0, 1)),
        recipients: [
          failure(
            { orcpt: { addressType: 'rfc822', address: 'Ann@old.example' } },
            {
              remoteMta: 'mail.example.net',
              diagnostic: { code: 550, enhancedCode: '5.1.1', lines: ['No such user'] },
              lastAttemptAt: new Date(Date.UTC(2026, 0, 2)),
            },
          ),
        ],
        original: original(),
      },
    );
    expect(await write(status)).toBe(
      [
        'From: Mail Delivery System <MAILER-DAEMON@mx.example>',
        'To: <joe@example.com>',
        'Subject: Undelivered mail returned to sender',
        'Date: Fri, 02 Jan 2026 03:04:05 +0000',
        'Message-ID: <1700.M1@mx.example>',
        'Auto-Submitted: auto-replied',
        'MIME-Version: 1.0',
        'Content-Type: multipart/report; report-type=delivery-status;',
        ' boundary="report_1700.M1"',
        'Content-Transfer-Encoding: 7bit',
        '',
        '--report_1700.M1',
        'Content-Type: text/plain; charset=us-ascii',
        'Content-Transfer-Encoding: 7bit',
        '',
        'This is the mail system at host mx.example.',
        '',
        '<ann@example.net>: your message could not be delivered, and will not be',
        ' tried again.',
        '    550 5.1.1 No such user',
        '',
        '',
        '--report_1700.M1',
        'Content-Type: message/delivery-status',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Original-Envelope-Id: QQ314159',
        'Reporting-MTA: dns; mx.example',
        'Arrival-Date: Thu, 01 Jan 2026 00:00:00 +0000',
        '',
        'Original-Recipient: rfc822; Ann@old.example',
        'Final-Recipient: rfc822; ann@example.net',
        'Action: failed',
        'Status: 5.1.1',
        'Remote-MTA: dns; mail.example.net',
        'Diagnostic-Code: smtp; 550 5.1.1 No such user',
        'Last-Attempt-Date: Fri, 02 Jan 2026 00:00:00 +0000',
        '',
        '--report_1700.M1',
        'Content-Type: text/rfc822-headers',
        'Content-Transfer-Encoding: 7bit',
        '',
        'Subject: hello',
        'To: ann',
        '',
        '--report_1700.M1--',
        '',
      ].join('\r\n'),
    );
  });

  it('goes from the null reverse-path to the sender (RFC 3464 §2)', () => {
    expect(writeDeliveryStatusNotification(statusOf(), OPTIONS)?.envelope).toEqual({
      reversePath: null,
      parameters: {},
      recipients: [JOE],
    });
  });

  it('is never about a notification (RFC 5321 §6.1, RFC 3461 §6)', () => {
    const notify = ['SUCCESS', 'FAILURE', 'DELAY'] as const;
    const status = statusOf({}, { reversePath: null, recipients: [failure({ notify })] });
    expect(writeDeliveryStatusNotification(status, OPTIONS)).toBeUndefined();
  });

  it('holds nothing of the message where none is given', async () => {
    expect((await report(statusOf())).returned).toBeUndefined();
  });

  it('has a group of fields for each recipient, in their order', async () => {
    const recipients = [failure(), failure({}, { forwardPath: JOE, status: '5.2.2' })];
    const { groups, text } = await report(statusOf({}, { recipients }));
    expect(groups.slice(1).map((group) => [group.get('final-recipient'), group.get('status')])).toEqual([
      ['rfc822; ann@example.net', '5.1.1'],
      ['rfc822; joe@example.com', '5.2.2'],
    ]);
    expect(text.content).toMatch(/<ann@example.net>.*<joe@example.com>/s);
  });
});

describe('a recipient is reported on', () => {
  const actions: readonly DeliveryAction[] = ['failed', 'delayed', 'delivered', 'relayed'];

  it.each<[RcptParameters, readonly DeliveryAction[]]>([
    [{}, ['failed', 'delayed']],
    [{ notify: 'NEVER' }, []],
    [{ notify: ['FAILURE'] }, ['failed']],
    [{ notify: ['DELAY'] }, ['delayed']],
    [{ notify: ['SUCCESS'] }, ['delivered', 'relayed']],
    [{ notify: ['SUCCESS', 'FAILURE', 'DELAY'] }, actions],
  ])('with %j if it was %j (RFC 3461 §4.1)', async (parameters, wanted) => {
    for (const action of actions) {
      const notification = writeDeliveryStatusNotification(
        statusOf({}, { recipients: [failure(parameters, { action })] }),
        OPTIONS,
      );
      expect(notification !== undefined).toBe(wanted.includes(action));
    }
  });

  it('without those that are not', async () => {
    const recipients = [failure({ notify: 'NEVER' }), failure({}, { forwardPath: JOE })];
    const message = await write(statusOf({}, { recipients }));
    expect(parseReport(message).groups).toHaveLength(2);
    expect(message).not.toContain('ann@');
  });

  it.each<[readonly DeliveryAction[], string]>([
    [['delivered', 'delayed', 'failed'], 'Undelivered mail returned to sender'],
    [['relayed', 'delayed'], 'Delayed mail, still being tried'],
    [['relayed', 'delivered'], 'Delivered mail'],
  ])('under a subject that says the worst of %j', async (actions, subject) => {
    const notify = ['SUCCESS', 'FAILURE', 'DELAY'] as const;
    const recipients = actions.map((action) => failure({ notify }, { action }));
    expect((await report(statusOf({}, { recipients }))).fields.get('subject')).toBe(subject);
  });
});

describe('the fields of a recipient', () => {
  it('tell until when a delayed message is tried, and nobody else', async () => {
    const willRetryUntil = new Date(Date.UTC(2026, 0, 7));
    const delayed = await recipientFields(
      failure({}, { action: 'delayed', status: '4.4.1', willRetryUntil }),
    );
    expect(delayed['will-retry-until']).toBe('Wed, 07 Jan 2026 00:00:00 +0000');
    expect(await recipientFields(failure({}, { willRetryUntil }))).not.toHaveProperty('will-retry-until');
  });

  it('tell a failure of ours by a type that needs no registration (RFC 3464 §2.1.2)', async () => {
    const fields = await recipientFields(failure({}, { diagnostic: 'Connection refused' }));
    expect(fields['diagnostic-code']).toBe('X-sansmtp; Connection refused');
  });

  it('tell a reply of several lines in one', async () => {
    const lines = ['No such user', 'See https://example.net/why'];
    const fields = await recipientFields(failure({}, { diagnostic: { code: 550, lines } }));
    expect(fields['diagnostic-code']).toBe('smtp; 550 No such user See https://example.net/why');
  });

  it('bound a reply that is very long', async () => {
    const lines = new Array<string>(1000).fill('word '.repeat(90));
    const fields = await recipientFields(failure({}, { diagnostic: { code: 550, lines } }));
    expect(fields['diagnostic-code']).toMatch(/^smtp; 550 word [ word]+\.\.\.$/);
    expect(fields['diagnostic-code']?.length).toBeLessThan(2_100);
  });

  it('make no line of blanks alone, however many a server sends (RFC 5322 §3.2.2)', async () => {
    const blanks = ' '.repeat(1_900);
    const lines = [`No${blanks}such`, blanks, 'user'];
    const recipient = failure({}, { diagnostic: { code: 550, lines } });
    expect((await recipientFields(recipient))['diagnostic-code']).toBe('smtp; 550 No such user');
    expect(await write(statusOf({}, { recipients: [recipient] }))).not.toMatch(/^ +$/m);
  });

  it('name the postmaster without a domain as that of this host', async () => {
    const fields = await recipientFields(
      failure({}, { forwardPath: { localPart: 'Postmaster', domain: '' } }),
    );
    expect(fields['final-recipient']).toBe('rfc822; Postmaster@mx.example');
  });

  it('quote a local-part that needs it', async () => {
    const fields = await recipientFields(
      failure({}, { forwardPath: { localPart: 'a b', domain: '[192.0.2.1]' } }),
    );
    expect(fields['final-recipient']).toBe('rfc822; "a b"@[192.0.2.1]');
  });

  it('pass on original recipients of other types (RFC 3461 §4.2)', async () => {
    const fields = await recipientFields(
      failure({ orcpt: { addressType: 'X400', address: '/C=de /S=a;b/' } }),
    );
    expect(fields['original-recipient']).toBe('x400; /C=de /S=a;b/');
  });
});

describe('what is returned of the message (RFC 3461 §4.3)', () => {
  const long = `A: ${'x'.repeat(50)}\r\n\r\nbody\r\n`;

  it('is all of it for a failure with RET=FULL', async () => {
    const { returned, fields } = await report(statusOf({ ret: 'FULL' }, { original: original() }));
    expect(returned?.fields.get('content-type')).toBe('message/rfc822');
    expect(returned?.content).toBe(MESSAGE);
    expect(fields.get('content-transfer-encoding')).toBe('7bit');
  });

  it.each<[string, MailParameters, Partial<RecipientStatus>]>([
    ['with RET=HDRS', { ret: 'HDRS' }, {}],
    ['without RET', {}, {}],
    ['where nothing failed', { ret: 'FULL' }, { action: 'delayed' }],
    ['with binary mail data (RFC 3030 §3)', { ret: 'FULL', body: 'BINARYMIME' }, {}],
    ['with REQUIRETLS (RFC 8689 §5)', { ret: 'FULL', requireTls: true }, {}],
  ])('is its header section %s', async (_, parameters, more) => {
    const status = statusOf(parameters, { recipients: [failure({}, more)], original: original() });
    const { returned } = await report(status);
    expect(returned?.fields.get('content-type')).toBe('text/rfc822-headers');
    expect(returned?.content).toBe('Subject: hello\r\nTo: ann\r\n');
  });

  it('is its header section where it is too large', async () => {
    const status = (): DeliveryStatus => statusOf({ ret: 'FULL' }, { original: original(long) });
    const fits = await report(status(), { maximumReturnedOctets: long.length });
    expect(fits.returned?.content).toBe(long);
    const less = await report(status(), { maximumReturnedOctets: long.length - 1 });
    expect(less.returned?.content).toBe(`A: ${'x'.repeat(50)}\r\n`);
  });

  it('is no more than the limit whatever the message said of its size', async () => {
    const content = chunks(long, 'x\r\n'.repeat(1000));
    const status = statusOf({ ret: 'FULL' }, { original: { size: 1, content } });
    const { returned } = await report(status, { maximumReturnedOctets: 100 });
    expect(returned?.content.length).toBeGreaterThan(90);
    expect(returned?.content.length).toBeLessThanOrEqual(100);
  });

  it('keeps its eight bits where they were declared, and declares them (RFC 6152)', async () => {
    const message = `${MESSAGE}ü\r\n`;
    const status = statusOf({ ret: 'FULL', body: '8BITMIME' }, { original: original(message) });
    expect(writeDeliveryStatusNotification(status, OPTIONS)?.envelope.parameters).toEqual({
      body: '8BITMIME',
    });
    const { returned, fields, text } = await report(status);
    expect(returned?.content).toBe(message);
    expect(returned?.fields.get('content-transfer-encoding')).toBe('8bit');
    expect(fields.get('content-transfer-encoding')).toBe('8bit');
    expect(text.fields.get('content-transfer-encoding')).toBe('7bit');
  });

  it('is encoded where they were not', async () => {
    const status = statusOf({ ret: 'FULL' }, { original: original(`${MESSAGE}ü\r\n`) });
    expect(writeDeliveryStatusNotification(status, OPTIONS)?.envelope.parameters).toEqual({});
    const { returned, fields } = await report(status);
    expect(fields.get('content-transfer-encoding')).toBe('7bit');
    // RFC 2046 §5.2.1 lets no message/rfc822 be encoded.
    expect(returned?.fields.get('content-type')).toBe('message/global');
    expect(returned?.fields.get('content-transfer-encoding')).toBe('quoted-printable');
    expect(returned?.content).toBe(`${MESSAGE}=C3=BC\r\n`);
  });

  it('has its header section encoded, too', async () => {
    const status = statusOf({}, { original: original('Subject: ü = u\r\n\r\nHello\r\n') });
    const { returned } = await report(status);
    expect(returned?.fields.get('content-type')).toBe('text/rfc822-headers');
    expect(returned?.fields.get('content-transfer-encoding')).toBe('quoted-printable');
    expect(returned?.content).toBe('Subject: =C3=BC =3D u\r\n');
  });

  it('is left out where the message has no header section', async () => {
    for (const parameters of [{}, { body: '8BITMIME' as const }]) {
      const { returned } = await report(
        statusOf(parameters, { original: original('How are you?\r\nWell?\r\n') }),
      );
      expect(returned).toBeUndefined();
    }
  });

  it('does not break out of its part', async () => {
    const message = `A: 1\r\n\r\n--report_1700.M1--\r\n--report_1700.M1\r\nContent-Type: text/html\r\n\r\nx\r\n`;
    const { returned } = await report(statusOf({ ret: 'FULL' }, { original: original(message) }));
    expect(returned?.content).toContain('\r\n -report_1700.M1--\r\n -report_1700.M1\r\nContent-Type');
  });

  it('fails with the message', async () => {
    const broken = new Error('The disk is gone');
    async function* content(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('A: 1\r\n');
      throw broken;
    }
    await expect(write(statusOf({}, { original: { size: 9, content: content() } }))).rejects.toBe(broken);
  });

  it('asks for the same protection as the message (RFC 8689 §5)', () => {
    const notification = writeDeliveryStatusNotification(statusOf({ requireTls: true }), OPTIONS);
    expect(notification?.envelope.parameters).toEqual({ requireTls: true });
  });
});

describe('a notification about internationalized mail (RFC 6533)', () => {
  const forwardPath = { localPart: 'änn', domain: 'bücher.example' };
  const orcpt = { addressType: 'utf-8', address: 'a+b=ä\\ c@x.example' };

  it('holds UTF-8 when the message was sent with SMTPUTF8', async () => {
    const message = 'Subject: Grüße\r\n\r\nü\r\n';
    const recipients = [
      failure({ orcpt }, { forwardPath, diagnostic: { code: 550, lines: ['Gibt’s nicht'] } }),
    ];
    const status = statusOf({ smtpUtf8: true, ret: 'FULL' }, { recipients, original: original(message) });
    expect(writeDeliveryStatusNotification(status, OPTIONS)?.envelope.parameters).toEqual({
      body: '8BITMIME',
    });
    const { fields, text, status: part, groups, returned } = await report(status);
    for (const entity of [{ fields }, text, part, returned]) {
      expect(entity?.fields.get('content-transfer-encoding')).toBe('8bit');
    }
    expect(text.fields.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(text.content).toContain('<änn@bücher.example>');
    expect(text.content).toContain('550 Gibt’s nicht');
    expect(part.fields.get('content-type')).toBe('message/global-delivery-status');
    expect(Object.fromEntries(groups[1] ?? [])).toMatchObject({
      'original-recipient': 'utf-8; a\\x{2B}b\\x{3D}ä\\x{5C}\\x{20}c@x.example',
      'final-recipient': 'utf-8; änn@bücher.example',
      'diagnostic-code': 'smtp; 550 Gibt’s nicht',
    });
    expect(returned?.fields.get('content-type')).toBe('message/global');
    expect(returned?.content).toBe(message);
  });

  it('returns headers as UTF-8, too', async () => {
    const { returned } = await report(
      statusOf({ smtpUtf8: true }, { original: original('Subject: Grüße\r\n\r\n') }),
    );
    expect(returned?.fields.get('content-type')).toBe('message/global-headers');
    expect(returned?.content).toBe('Subject: Grüße\r\n');
  });

  it('needs SMTPUTF8 itself for a sender whose address does', async () => {
    const status = statusOf({ smtpUtf8: true }, { reversePath: forwardPath });
    expect(writeDeliveryStatusNotification(status, OPTIONS)?.envelope).toEqual({
      reversePath: null,
      parameters: { body: '8BITMIME', smtpUtf8: true },
      recipients: [forwardPath],
    });
    expect((await report(status)).fields.get('to')).toBe('<änn@bücher.example>');
  });

  it('speaks UTF-8 to a sender whose address does, even if SMTPUTF8 was not given', async () => {
    const status = statusOf({}, { reversePath: forwardPath, recipients: [failure({}, { forwardPath })] });
    expect(writeDeliveryStatusNotification(status, OPTIONS)?.envelope.parameters).toMatchObject({
      smtpUtf8: true,
    });
    expect((await report(status)).groups[1]?.get('final-recipient')).toBe('utf-8; änn@bücher.example');
  });

  it('holds ASCII alone when the message was sent without', async () => {
    const recipients = [failure({ orcpt }, { forwardPath, diagnostic: 'Grüße' })];
    const message = await write(statusOf({}, { recipients, original: original('Subject: Grüße\r\n\r\n') }));
    expect(message).toMatch(/^[\r\n -~]+$/);
    const { groups, status, returned } = parseReport(message);
    expect(status.fields.get('content-type')).toBe('message/delivery-status');
    expect(Object.fromEntries(groups[1] ?? [])).toMatchObject({
      'original-recipient': 'utf-8; a\\x{2B}b\\x{3D}\\x{E4}\\x{5C}\\x{20}c@x.example',
      'final-recipient': 'utf-8; \\x{E4}nn@b\\x{FC}cher.example',
      'diagnostic-code': 'X-sansmtp; Gr??e',
    });
    expect(returned?.content).toBe('Subject: Gr=C3=BC=C3=9Fe\r\n');
  });
});

describe('whatever peers said', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 60 }),
    fc.constantFrom(
      '\r\nBcc: x',
      '\n\n',
      'a\r\n\r\n--report_1700.M1\r\n',
      'x'.repeat(3000),
      'ü'.repeat(3000),
      ' '.repeat(3000),
    ),
  );
  const statuses = fc.record({
    parameters: fc.record(
      {
        envid: anything,
        ret: fc.constantFrom('FULL', 'HDRS'),
        smtpUtf8: fc.constant(true),
        body: fc.constantFrom('7BIT', '8BITMIME'),
      },
      { requiredKeys: [] },
    ),
    recipient: fc.record(
      {
        remoteMta: anything,
        diagnostic: fc.oneof(
          anything,
          fc.record({ code: fc.constant(550), lines: fc.array(anything, { minLength: 1 }) }),
        ),
        orcpt: fc.record({
          addressType: fc.oneof(fc.constantFrom('rfc822', 'utf-8'), anything),
          address: anything,
        }),
      },
      { requiredKeys: [] },
    ),
    message: fc
      .oneof(anything.map(Buffer.from), fc.uint8Array({ maxLength: 2000 }))
      .map((octets) => Buffer.concat([Buffer.from('A: 1\r\n'), octets])),
  });

  it('a notification is one report of three parts with the same fields, in lines of 998 octets at most', async () => {
    await fc.assert(
      fc.asyncProperty(statuses, async ({ parameters, recipient, message }) => {
        const { orcpt, ...more } = recipient;
        const status = statusOf(parameters as MailParameters, {
          recipients: [failure(orcpt === undefined ? {} : { orcpt }, more as Partial<RecipientStatus>)],
          original: original(message),
        });
        const text = await write(status);
        const { fields, groups, returned } = parseReport(text);
        expect([...fields.keys()]).toEqual([
          'from',
          'to',
          'subject',
          'date',
          'message-id',
          'auto-submitted',
          'mime-version',
          'content-type',
          'content-transfer-encoding',
        ]);
        expect(groups.map((group) => [...group.keys()])).toEqual([
          [...(parameters.envid === undefined ? [] : ['original-envelope-id']), 'reporting-mta'],
          [
            ...(orcpt === undefined ? [] : ['original-recipient']),
            'final-recipient',
            'action',
            'status',
            ...(recipient.remoteMta === undefined ? [] : ['remote-mta']),
            ...(recipient.diagnostic === undefined ? [] : ['diagnostic-code']),
          ],
        ]);
        expect(returned).toBeDefined();
        for (const line of text.split('\r\n')) {
          expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
          expect(line).not.toMatch(/[\r\n\0]/);
        }
        const eightBit =
          writeDeliveryStatusNotification(status, OPTIONS)?.envelope.parameters.body === '8BITMIME';
        if (!eightBit) expect(text).toMatch(/^[^\u0080-\uffff]*$/);
      }),
    );
  });
});

describe('the writer refuses', () => {
  it.each<[string, Partial<DeliveryStatus>, Partial<NotificationOptions>]>([
    ['a host name that is none', {}, { hostname: 'a b' }],
    ['a host name with a line end', {}, { hostname: 'mx.example\r\nBcc: x' }],
    ['no id', {}, { id: '' }],
    ['an id with other characters', {}, { id: 'a"b' }],
    ['an id that is no dot-atom', {}, { id: 'a..b' }],
    ['a long id', {}, { id: 'a'.repeat(51) }],
    ['a limit that is no number', {}, { maximumReturnedOctets: Number.NaN }],
    [
      'a delay with a permanent status',
      { recipients: [failure({}, { action: 'delayed', status: '5.1.1' })] },
      {},
    ],
    ['a failure with a status of success', { recipients: [failure({}, { status: '2.0.0' })] }, {}],
    [
      'a delivery with a status of failure',
      { recipients: [failure({}, { action: 'delivered', status: '4.0.0' })] },
      {},
    ],
    [
      'a passing on with a status of failure',
      { recipients: [failure({}, { action: 'relayed', status: '5.0.0' })] },
      {},
    ],
    ['a size that is none', { original: { ...original(), size: Number.NaN } }, {}],
    ['a status that is none', { recipients: [failure({}, { status: '550' })] }, {}],
    ['a status with a line end', { recipients: [failure({}, { status: '5.1.1\r\n' })] }, {}],
    [
      'a recipient that is none',
      { recipients: [failure({}, { forwardPath: { localPart: 'a\r\n', domain: 'b' } })] },
      {},
    ],
    ['a date that is none', {}, { date: new Date(Number.NaN) }],
    ['a date of arrival that is none', { arrivedAt: new Date(Number.NaN) }, {}],
    [
      'a date of an attempt that is none',
      { recipients: [failure({}, { lastAttemptAt: new Date(Number.NaN) })] },
      {},
    ],
    [
      'an end of retrying that is none',
      { recipients: [failure({}, { action: 'delayed', willRetryUntil: new Date(Number.NaN) })] },
      {},
    ],
    ['a sender that is none', { reversePath: { localPart: 'a', domain: 'b>\r\nBcc: <x' } }, {}],
  ])('%s', (_, status, options) => {
    expect(() => writeDeliveryStatusNotification(statusOf({}, status), { ...OPTIONS, ...options })).toThrow(
      RangeError,
    );
  });

  it('nothing at its limits', async () => {
    expect(await write(statusOf(), { id: 'a'.repeat(50), hostname: '[IPv6:2001:db8::1]' })).toContain(
      `<${'a'.repeat(50)}@[IPv6:2001:db8::1]>`,
    );
  });
});
