import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { type AuthenticationAttempt, type Envelope, ExtensionNotOfferedError, Secret } from '@sansmtp/core';
import { Rejection, type ServerHandlers } from '@sansmtp/transport';
import { type MailSessionOptions, startMailServer } from '@sansmtp/transport-node';
import { createTransport, type SendMailOptions, type Transporter } from 'nodemailer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { recipientError } from './nodemailer-error.js';
import { type NodemailerTransportOptions, sansmtpTransport } from './nodemailer-transport.js';

interface Received {
  readonly envelope: Envelope;
  readonly text: string;
}

interface Server {
  readonly port: number;
  readonly received: Received[];
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function mailServer(
  handlers: Partial<ServerHandlers> = {},
  session: MailSessionOptions = {},
): Promise<Server> {
  const received: Received[] = [];
  const server = await startMailServer({
    addresses: [{ port: 0, host: '127.0.0.1' }],
    session: { hostname: 'mx.example', ...session },
    handlers: {
      async onMessage({ envelope, body }) {
        received.push({ envelope, text: await textOf(body) });
      },
      ...handlers,
    },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  if (address?.kind !== 'tcp') throw new Error('No port');
  return { port: address.port, received };
}

/** A server that says what it is told to for each line that it hears, and nothing otherwise. */
async function scriptedServer(
  greeting: string,
  replies: Readonly<Record<string, string>> = {},
): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.write(greeting);
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\r\n')) {
        const reply = replies[line.split(/[ :]/)[0] ?? ''];
        if (reply === 'hang up') socket.destroy();
        else if (reply !== undefined) socket.write(reply);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}

function ours(port: number, options: NodemailerTransportOptions = {}): Transporter<unknown> {
  const transporter = createTransport(sansmtpTransport({ relay: { host: '127.0.0.1', port }, ...options }));
  onTestFinished(() => transporter.close());
  return transporter;
}

const mail: SendMailOptions = {
  from: 'Ann <ann@example.org>',
  to: ['bob@example.com', 'cid@example.com'],
  subject: 'Hello',
  text: 'Hello\n.\nthere',
  messageId: '<1@example.org>',
};

/** What only the system, the clock, or nodemailer's own reading of the EHLO reply says. */
const INCOMPARABLE = [
  'ehlo',
  'envelopeTime',
  'messageTime',
  'messageSize',
  'errno',
  'syscall',
  'address',
  'port',
  'timeoutType',
];

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fieldsOf);
  if (typeof value !== 'object' || value === null) return value;
  const fields: Fields = Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, fieldsOf(field)]),
  );
  for (const name of INCOMPARABLE) delete fields[name];
  // Nodemailer says the reply twice where it is no reply to a command.
  if (value instanceof Error && 'response' in value && fields.code !== 'EPROTOCOL')
    fields.message = value.message;
  return fields;
}

async function outcome(transporter: Transporter<unknown>, data: SendMailOptions): Promise<Fields> {
  const settled = await transporter.sendMail(data).then(
    (result) => ({ result: fieldsOf(result) }),
    (error: unknown) => ({ error: fieldsOf(error) }),
  );
  return settled;
}

/** Of ours, only what nodemailer has too: we say more. */
function common(own: unknown, other: unknown): unknown {
  if (Array.isArray(own) && Array.isArray(other)) return own.map((one, index) => common(one, other[index]));
  if (typeof own !== 'object' || own === null || typeof other !== 'object' || other === null) return own;
  return Object.fromEntries(
    Object.entries(own)
      .filter(([name]) => name in other)
      .map(([name, value]) => [name, common(value, (other as Fields)[name])]),
  );
}

interface Situation {
  readonly port: () => Promise<number>;
  readonly data?: () => SendMailOptions;
  readonly ours?: NodemailerTransportOptions;
  readonly theirs?: Fields;
  /** What both have to say, in part. */
  readonly expected: Fields;
}

async function* halfMessage() {
  yield Buffer.from('Subject: half\r\n\r\n');
  throw Object.assign(new Error('The disk is gone'), { code: 'EIO' });
}

const serverPort = async (...options: Parameters<typeof mailServer>) => (await mailServer(...options)).port;

const refuseRecipients = (
  ...refused: readonly [localPart: string, code: number][]
): Partial<ServerHandlers> => ({
  onRcptTo({ forwardPath: { localPart } }) {
    const found = refused.find(([name]) => name === localPart);
    if (found !== undefined) throw new Rejection(found[1], undefined, `No ${localPart} here`);
  },
});

const situations: Readonly<Record<string, Situation>> = {
  'all recipients are accepted': {
    port: () => serverPort(),
    expected: {
      result: {
        accepted: ['bob@example.com', 'cid@example.com'],
        rejected: [],
        envelope: { from: 'ann@example.org', to: ['bob@example.com', 'cid@example.com'] },
        messageId: '<1@example.org>',
        response: expect.stringMatching(/^250 2\.\d\.\d \w/),
      },
    },
  },
  'the mail comes from the null reverse-path': {
    port: () => serverPort(),
    data: () => ({ ...mail, envelope: { from: false, to: 'bob@example.com' } }),
    expected: { result: { envelope: { from: '', to: ['bob@example.com'] } } },
  },
  'one recipient is refused': {
    port: () => serverPort(refuseRecipients(['cid', 550])),
    expected: {
      result: {
        accepted: ['bob@example.com'],
        rejected: ['cid@example.com'],
        rejectedErrors: [
          {
            code: 'EENVELOPE',
            command: 'RCPT TO',
            responseCode: 550,
            permanent: true,
            recipient: 'cid@example.com',
          },
        ],
      },
    },
  },
  'all recipients are refused': {
    port: () => serverPort(refuseRecipients(['bob', 550], ['cid', 551])),
    expected: {
      error: {
        code: 'EENVELOPE',
        command: 'RCPT TO',
        responseCode: 551,
        rejected: ['bob@example.com', 'cid@example.com'],
      },
    },
  },
  'all recipients are refused, one of them for now': {
    port: () => serverPort(refuseRecipients(['bob', 451], ['cid', 550])),
    expected: { error: { code: 'EENVELOPE', command: 'RCPT TO', responseCode: 451, permanent: false } },
  },
  'the sender is refused': {
    port: () =>
      serverPort({
        onMailFrom() {
          throw new Rejection(550, '5.7.1', 'Not you');
        },
      }),
    expected: {
      error: { code: 'EENVELOPE', command: 'MAIL FROM', responseCode: 550, response: '550 5.7.1 Not you' },
    },
  },
  'DATA is refused': {
    port: () =>
      serverPort({
        onData() {
          throw new Rejection(451, '4.3.0', 'Not now');
        },
      }),
    expected: { error: { code: 'EENVELOPE', command: 'DATA', responseCode: 451, permanent: false } },
  },
  'the message is refused, in several lines': {
    port: () =>
      serverPort({
        async onMessage({ body }) {
          await textOf(body);
          return { code: 554, enhancedCode: '5.6.0', lines: ['Not this.', 'Nor that.'] };
        },
      }),
    expected: {
      error: { code: 'EMESSAGE', command: 'DATA', response: '554-5.6.0 Not this.\n554 5.6.0 Nor that.' },
    },
  },
  'the server greets with a refusal': {
    port: () =>
      serverPort({
        onConnect() {
          throw new Rejection(554, '5.3.2', 'Closed');
        },
      }),
    expected: { error: { code: 'EPROTOCOL', command: 'CONN', responseCode: 554 } },
  },
  'the password is wrong': {
    port: () =>
      serverPort(
        {
          onAuth(_attempt: AuthenticationAttempt) {
            throw new Rejection(535, '5.7.8', 'Wrong');
          },
        },
        { authentication: { mechanisms: ['PLAIN'], allowInsecure: true } },
      ),
    ours: {
      authentication: {
        credentials: { kind: 'password', username: 'ann', password: new Secret('guess') },
        allowInsecure: true,
      },
    },
    theirs: { auth: { user: 'ann', pass: 'guess' } },
    expected: {
      error: { code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 535, response: '535 5.7.8 Wrong' },
    },
  },
  'the connection is refused': {
    port: async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      await new Promise((resolve) => server.close(resolve));
      return typeof address === 'object' && address !== null ? address.port : 0;
    },
    expected: { error: { code: 'ESOCKET', originalCode: 'ECONNREFUSED', command: 'CONN' } },
  },
  'the server never greets': {
    port: () => scriptedServer(''),
    ours: { session: { timeouts: { greeting: 100 } } },
    theirs: { greetingTimeout: 100 },
    expected: { error: { code: 'ETIMEDOUT', command: 'CONN' } },
  },
  'the server falls silent at MAIL': {
    port: () => scriptedServer('220 mx.example\r\n', { EHLO: '250 mx.example\r\n' }),
    ours: { session: { timeouts: { mail: 100 } } },
    theirs: { socketTimeout: 100 },
    expected: { error: { code: 'ETIMEDOUT', command: 'CONN' } },
  },
  'there is no recipient': {
    port: () => serverPort(),
    data: () => ({ ...mail, to: [] }),
    expected: { error: { code: 'EENVELOPE', command: 'API' } },
  },
  'the body fails': {
    port: () => serverPort(),
    data: () => ({ ...mail, raw: Readable.from(halfMessage()) }),
    expected: { error: { code: 'ESTREAM', originalCode: 'EIO', command: 'API' } },
  },
};

describe('What nodemailer says with its own SMTP transport, it says with ours', () => {
  for (const [name, { port, data = () => mail, ours: own, theirs, expected }] of Object.entries(situations)) {
    it(`when ${name}`, async () => {
      const where = await port();
      const theirTransporter = createTransport({
        host: '127.0.0.1',
        port: where,
        ignoreTLS: true,
        ...theirs,
      });
      onTestFinished(() => theirTransporter.close());
      const their = await outcome(theirTransporter, data());
      expect(their).toMatchObject(expected);
      const our = await outcome(ours(where, own), data());
      expect(common(our, their)).toEqual(their);
    });
  }
});

describe('The message', () => {
  it('arrives as nodemailer composed it', async () => {
    const { port, received } = await mailServer();
    await ours(port).sendMail({ ...mail, attachments: [{ filename: 'a.txt', content: 'attached' }] });
    const [message] = received;
    expect(message?.envelope.reversePath).toEqual({ localPart: 'ann', domain: 'example.org' });
    expect(message?.envelope.recipients).toHaveLength(2);
    expect(message?.text).toMatch(/^From: Ann <ann@example\.org>\r\nTo: /);
    expect(message?.text).toContain('\r\n\r\nHello\r\n.\r\nthere');
    expect(message?.text).toContain(Buffer.from('attached').toString('base64'));
  });

  it('is not read faster than the server takes it, so that it is never whole in memory', async () => {
    const total = 2_000;
    let produced = 0;
    let ahead = 0;
    let taken = 0;
    const line = Buffer.from(`${'x'.repeat(998)}\r\n`.repeat(16));
    const { port } = await mailServer({
      async onMessage({ body }) {
        for await (const chunk of body) {
          taken += chunk.length;
          ahead = Math.max(ahead, produced - taken);
        }
      },
    });
    const raw = Readable.from(
      (async function* () {
        for (let count = 0; count < total; count += 1) {
          produced += line.length;
          yield line;
        }
      })(),
    );
    const transporter = createTransport(sansmtpTransport({ relay: { host: '127.0.0.1', port } }));
    onTestFinished(() => transporter.close());
    const { messageSize } = await transporter.sendMail({ ...mail, raw });
    expect(messageSize).toBe(total * line.length);
    expect(taken).toBe(total * line.length);
    expect(ahead).toBeLessThan((total * line.length) / 2);
  });

  it('is not composed while no server wants it', async () => {
    const { port } = await mailServer(refuseRecipients(['bob', 550], ['cid', 550]));
    let read = 0;
    const content = Readable.from(
      (async function* () {
        read += 1;
        yield 'attached';
      })(),
    );
    const sending = ours(port).sendMail({ ...mail, attachments: [{ content }] });
    await expect(sending).rejects.toMatchObject({ code: 'EENVELOPE' });
    expect(read).toBe(0);
  });
});

describe('The envelope', () => {
  it('declares size, 8BITMIME and what DSN options ask for (RFC 1870, RFC 6152, RFC 3461)', async () => {
    const { port, received } = await mailServer();
    await ours(port).sendMail({
      ...mail,
      envelope: { from: 'ann@example.org', to: 'bob@example.com', size: 4_000, use8BitMime: true },
      dsn: {
        return: 'headers',
        id: 'job 7',
        notify: ['failure', 'delay'],
        recipient: 'rfc822;bob@old.example.com',
      },
    });
    expect(received[0]?.envelope.parameters).toEqual({
      size: 4_000,
      body: '8BITMIME',
      ret: 'HDRS',
      envid: 'job 7',
    });
    expect(received[0]?.envelope.recipients[0]?.parameters).toEqual({
      notify: ['FAILURE', 'DELAY'],
      orcpt: { addressType: 'rfc822', address: 'bob@old.example.com' },
    });
  });

  it('takes an original recipient without a type for one of Internet mail (RFC 3461 §4.2)', async () => {
    const { port, received } = await mailServer();
    await ours(port).sendMail({ ...mail, dsn: { orcpt: 'bob@old.example.com', notify: 'never' } });
    expect(received[0]?.envelope.recipients[1]?.parameters).toEqual({
      notify: 'NEVER',
      orcpt: { addressType: 'rfc822', address: 'bob@old.example.com' },
    });
  });

  it.each([{ ret: 'half' }, { notify: 'sometimes' }, { notify: 'never,failure' }])(
    'is refused with the DSN options %j',
    async (dsn) => {
      const { port } = await mailServer();
      await expect(ours(port).sendMail({ ...mail, dsn })).rejects.toMatchObject({
        code: 'EENVELOPE',
        command: 'API',
        message: expect.stringMatching(/^Invalid DSN /),
      });
    },
  );

  it('is refused as a whole when an address cannot be written', async () => {
    const { port, received } = await mailServer();
    const envelope = { from: 'ann@example.org', to: ['bob@example.com', `bob@${'b'.repeat(64)}.example`] };
    await expect(ours(port).sendMail({ ...mail, envelope })).rejects.toMatchObject({
      code: 'EENVELOPE',
      command: 'API',
      message: expect.stringContaining('The domain is malformed'),
    });
    expect(received).toEqual([]);
  });

  it('asks for SMTPUTF8 where an address needs it (RFC 6531 §3.2)', async () => {
    const { port, received } = await mailServer();
    await ours(port).sendMail({ ...mail, to: 'jürgen@example.com' });
    expect(received[0]?.envelope.parameters).toMatchObject({ smtpUtf8: true });
    expect(received[0]?.envelope.recipients[0]?.forwardPath.localPart).toBe('jürgen');
  });

  it('demands TLS of every hop with REQUIRETLS (RFC 8689)', async () => {
    const { port, received } = await mailServer();
    const sending = ours(port).sendMail({ ...mail, requireTLSExtensionEnabled: true });
    await expect(sending).rejects.toMatchObject({ code: 'ETLS', command: 'STARTTLS' });
    expect(received).toEqual([]);
  });

  it.each([
    ['REQUIRETLS', 'EREQUIRETLS'],
    ['SMTPUTF8', 'EENVELOPE'],
  ])('needs %s in vain: %s', (keyword, code) => {
    const error = new ExtensionNotOfferedError(keyword);
    const recipient = { localPart: 'bob', domain: 'example.com' };
    const verdict = {
      recipient,
      verdict: 'rejected',
      enhancedCode: '5.7.30',
      phase: 'mail',
      reason: error.message,
      error,
    } as const;
    expect(recipientError(verdict, 'bob@example.com')).toMatchObject({
      code,
      command: 'MAIL FROM',
      recipient: 'bob@example.com',
      cause: error,
    });
  });
});

describe('verify()', () => {
  it('opens a session with the relay, and ends it', async () => {
    const events: string[] = [];
    const { port } = await mailServer({
      onHello() {
        events.push('hello');
      },
      onClose(_session, reason) {
        events.push(reason === undefined ? 'closed' : 'broken');
      },
    });
    expect(await ours(port).verify()).toBe(true);
    expect(events).toEqual(['hello', 'closed']);
  });

  it('tells a callback, too', async () => {
    const { port } = await mailServer();
    const [error, success] = await new Promise<unknown[]>((resolve) => {
      ours(port).verify((...told) => resolve(told));
    });
    expect([error, success]).toEqual([null, true]);
  });

  it.each(['the password is wrong', 'the connection is refused', 'the server greets with a refusal'])(
    'fails as sending does when %s',
    async (name) => {
      const situation = situations[name];
      if (situation === undefined) throw new Error(`No situation ${name}`);
      const verifying = ours(await situation.port(), situation.ours).verify();
      await expect(verifying).rejects.toMatchObject(situation.expected.error as Fields);
    },
  );

  it('has nothing to look at without a relay', async () => {
    expect(await sansmtpTransport().verify()).toBe(true);
  });
});

describe('The transport', () => {
  it('gives our verdicts beside what nodemailer says', async () => {
    const { port } = await mailServer(refuseRecipients(['cid', 451]));
    const transporter = createTransport(sansmtpTransport({ relay: { host: '127.0.0.1', port } }));
    onTestFinished(() => transporter.close());
    const { verdicts, envelopeTime, messageTime } = await transporter.sendMail(mail);
    expect(verdicts.map(({ verdict, phase }) => [verdict, phase])).toEqual([
      ['delivered', 'message'],
      ['deferred', 'rcpt'],
    ]);
    expect(envelopeTime).toBeGreaterThanOrEqual(0);
    expect(messageTime).toBeGreaterThanOrEqual(0);
  });

  it('says so when it is not known whether the message was delivered (RFC 1047)', async () => {
    const port = await scriptedServer('220 mx.example\r\n', {
      EHLO: '250 mx.example\r\n',
      MAIL: '250 OK\r\n',
      RCPT: '250 OK\r\n',
      DATA: '354 Go ahead\r\n',
      '.': 'hang up',
    });
    await expect(ours(port).sendMail(mail)).rejects.toMatchObject({
      code: 'ECONNECTION',
      verdicts: [{ verdict: 'unknown' }, { verdict: 'unknown' }],
    });
  });

  it('stops when the signal of a message is aborted', async () => {
    const port = await scriptedServer('');
    const controller = new AbortController();
    const reason = new Error('Changed our mind');
    const sending = ours(port).sendMail({ ...mail, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(sending).rejects.toMatchObject({ name: 'AbortError', code: 'EABORT', cause: reason });
  });

  it('gives up what is not delivered by its deadline', async () => {
    const port = await scriptedServer('');
    await expect(ours(port, { deadline: 50 }).sendMail(mail)).rejects.toMatchObject({
      rejected: ['bob@example.com', 'cid@example.com'],
      verdicts: [{ verdict: 'deferred' }, { verdict: 'deferred' }],
    });
  });

  it('keeps its connection from one message to the next', async () => {
    let connections = 0;
    const { port, received } = await mailServer({
      onConnect() {
        connections += 1;
      },
    });
    const transporter = ours(port);
    for (let count = 0; count < 3; count += 1) await transporter.sendMail(mail);
    expect(received).toHaveLength(3);
    expect(connections).toBe(1);
  });

  it('takes no mail once it is closed', async () => {
    const { port } = await mailServer();
    const transporter = ours(port);
    transporter.close();
    await expect(transporter.sendMail(mail)).rejects.toMatchObject({ code: 'ECONNECTION', command: 'API' });
  });

  it('has the version of its package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    const transport = sansmtpTransport();
    expect(transport.version).toBe(version);
  });
});

describe("nodemailer's bulk loop", () => {
  /** As nodemailer's documentation of pooled SMTP has it. */
  it('sends all of its messages: by isIdle() as many as there are connections, and by idle the next', async () => {
    let [open, most] = [0, 0];
    const { port, received } = await mailServer({
      onConnect: () => {
        open += 1;
        most = Math.max(most, open);
      },
      onClose: () => {
        open -= 1;
      },
    });
    const transporter = ours(port, { pool: { connectionsPerHost: 3 } });
    const messages = Array.from({ length: 20 }, (_, index) => ({
      ...mail,
      messageId: `<${index}@example.org>`,
    }));
    const sent: Promise<unknown>[] = [];
    let mostUnderWay = 0;
    let underWay = 0;
    await new Promise<void>((resolve) => {
      transporter.on('idle', () => {
        while (transporter.isIdle() && messages.length > 0) {
          const message = messages.shift();
          if (message === undefined) break;
          underWay += 1;
          mostUnderWay = Math.max(mostUnderWay, underWay);
          sent.push(
            transporter.sendMail(message).then(() => {
              underWay -= 1;
            }),
          );
        }
        if (messages.length === 0) resolve();
      });
    });
    await Promise.all(sent);
    expect(received).toHaveLength(20);
    expect(mostUnderWay).toBeGreaterThan(1);
    expect(mostUnderWay).toBeLessThan(20);
    expect(most).toBeLessThanOrEqual(3);
    expect(transporter.isIdle()).toBe(true);
    transporter.close();
    expect(transporter.isIdle()).toBe(false);
  });
});
