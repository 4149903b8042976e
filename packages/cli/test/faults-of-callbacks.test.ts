/**
 * Nothing that an application throws ends the process: each place where something of the application is called, with a
 * function that throws and with one that rejects. A promise that nobody handles, or an error that nobody catches, fails
 * the whole run of tests.
 */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { createMailer, sansmtpTransport } from '@sansmtp/delivery';
import {
  type ByteStream,
  type OpenSessionOptions,
  openSession,
  type ServeOptions,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import {
  connect,
  type ListenerAddress,
  type ListenOptions,
  listen,
  type MailServerOptions,
  startMailServer,
  systemClock,
} from '@sansmtp/transport-node';
import { webStream } from '@sansmtp/transport-web';
import { describe, expect, it, onTestFinished, vi } from 'vitest';

const FAULT = new Error('A fault of the application');

/** What the application gives: whatever it is called with, it fails. */
type Fail = () => never;

const FAILING: readonly (readonly [string, Fail])[] = [
  [
    'throws',
    () => {
      throw FAULT;
    },
  ],
  ['rejects', () => Promise.reject(FAULT) as never],
];

const ENVELOPE = { from: 'ann@example.org', to: ['bob@example.com'] };

/** What was written to stderr, or given to `onError`, where there is one. */
function told(): { readonly onError: (error: unknown) => void; readonly faults: () => readonly unknown[] } {
  const stderr = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => stderr.mockRestore());
  const errors: unknown[] = [];
  return {
    onError: (error) => errors.push(error),
    faults: () => [...errors, ...stderr.mock.calls.map(([, error]) => error)],
  };
}

/** A message through both ends in memory: it arrives, whatever becomes of the callbacks. */
async function deliver(
  client: Partial<OpenSessionOptions>,
  handlers: Partial<ServerHandlers> = {},
  server: Partial<ServeOptions> = {},
): Promise<void> {
  const [near, far] = createMemoryPair();
  const received = vi.fn();
  const served = serveSession(
    far,
    { onMessage: received, ...handlers },
    { clock: systemClock, hostname: 'mx.example', ...server },
  );
  const session = await openSession(near, { clock: systemClock, hostname: 'c.example', ...client });
  expect(await session.send(ENVELOPE, 'Hello')).toMatchObject([{ verdict: 'delivered' }]);
  await session.quit();
  await served.closed;
  expect(received).toHaveBeenCalledOnce();
}

describe.each(FAILING)('where what the application gave %s', (_, fail) => {
  it.each<[string, Partial<OpenSessionOptions>]>([
    ['onWire', { onWire: fail }],
    ['onTransition', { onTransition: fail }],
    ['observer', { observer: fail }],
    ['onError and onWire', { onWire: fail, onError: fail }],
  ])('the client goes on: %s', async (_, options) => {
    const { onError, faults } = told();
    await deliver({ onError, ...options });
    await vi.waitFor(() => expect(faults()).toContain(FAULT));
  });

  it.each<[string, Partial<ServerHandlers>, Partial<ServeOptions>]>([
    ['onTransition', {}, { onTransition: fail }],
    ['observer', {}, { observer: fail }],
    ['rephrase', {}, { rephrase: fail }],
    ['onClose', { onClose: fail }, {}],
    ['onError and onClose', { onClose: fail, onError: fail }, {}],
  ])('the server goes on: %s', async (_, handlers, options) => {
    const { onError, faults } = told();
    await deliver({}, { onError, ...handlers }, options);
    await vi.waitFor(() => expect(faults()).toContain(FAULT));
  });

  it('the server goes on: onAuthDecided', async () => {
    const { onError, faults } = told();
    const server = await serving({
      handlers: { onMessage() {}, onAuth: () => true, onAuthDecided: fail, onError },
    });
    const heard = await say(server.addresses[0], `EHLO c\r\nAUTH PLAIN ${btoa('\0ann\0pencil')}\r\nQUIT\r\n`);
    expect(heard).toMatch(/^235 [\s\S]*^221 /m);
    await vi.waitFor(() => expect(faults()).toContain(FAULT));
  });

  it.each([
    'createState',
    'onConnect',
    'onHello',
    'onMailFrom',
    'onRcptTo',
    'onData',
    'onMessage',
    'onVerify',
    'onHelp',
    'onCredentials',
    'onAuth',
  ] as const)('the client of a server hears a refusal, and others are served: %s', async (name) => {
    const { onError, faults } = told();
    let failing = true;
    const handler = () => (failing ? fail() : undefined);
    const server = await serving({ handlers: { onMessage() {}, [name]: handler, onError } });
    const message = 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nHello\r\n.\r\n';
    const login = `AUTH ${name === 'onCredentials' ? `SCRAM-SHA-256 ${btoa('n,,n=ann,r=pencil')}` : `PLAIN ${btoa('\0a\0b')}`}\r\n`;
    await say(server.addresses[0], `EHLO c\r\n${login}*\r\nVRFY x\r\nHELP\r\n${message}QUIT\r\n`);
    expect(faults()).toContain(FAULT);
    failing = false;
    expect(await say(server.addresses[0], 'EHLO c\r\nQUIT\r\n')).toMatch(/^221 /m);
  });

  it('a server goes on: onExcess, and onError of an address', async () => {
    const { faults } = told();
    const server = await serving({ maximumConnections: 1, onExcess: fail, handlers: { onMessage() {} } });
    const first = connectTo(server.addresses[0]);
    await once(first, 'data');
    expect(await say(server.addresses[0], '')).toMatch(/^421 /);
    expect(faults()).toContain(FAULT);
    first.write('NOOP\r\n');
    expect(String((await once(first, 'data'))[0])).toMatch(/^250 /);
    first.destroy();
  });

  it('listen goes on: onStream and onError', async () => {
    const { faults } = told();
    const address = await listening({ port: 0, onError: fail }, fail);
    await expect(say(address, 'x')).resolves.toBe('');
    await vi.waitFor(() => expect(faults()).toContain(FAULT));
    await expect(say(address, 'x')).resolves.toBe('');
  });

  it('listen goes on, and trusts nobody: isTrusted', async () => {
    const { faults } = told();
    const onStream = vi.fn();
    const errors: Error[] = [];
    const onError = (error: Error) => errors.push(error);
    const address = await listening({ port: 0, proxied: { isTrusted: fail }, onError }, onStream);
    await say(address, 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n');
    await vi.waitFor(() => expect(errors).toMatchObject([{ failure: 'untrusted' }]));
    expect(faults()).toContain(FAULT);
    expect(onStream).not.toHaveBeenCalled();
  });

  describe.each(['memory', 'socket', 'web'] as const)('a stream (%s) closes with it', (transport) => {
    it.each(['data', 'end', 'drain', 'close'] as const)('%s', async (name) => {
      const { faults } = told();
      const [near, far] = await pairOf(transport);
      const closed = new Promise<Error | undefined>((resolve) => {
        const heard = { data() {}, end() {}, drain() {}, secure() {} };
        near.open({
          ...heard,
          [name]: fail,
          close(reason) {
            resolve(reason);
            if (name === 'close') return fail();
          },
        });
      });
      far.open({ data() {}, end() {}, drain() {}, secure() {}, close() {} });
      if (name === 'drain') while (near.write(new Uint8Array(65_536)));
      far.write(new TextEncoder().encode('x'));
      far.end();
      if (name === 'close') {
        near.end();
        await closed;
        await vi.waitFor(() => expect(faults()).toContain(FAULT));
      } else {
        expect(await closed).toBe(FAULT);
      }
      far.abort();
    });
  });

  it.each<[string, Parameters<typeof createMailer>[0]]>([
    ['openStream', { openStream: fail }],
    ['credentials', { authentication: { credentials: fail, allowInsecure: true } }],
    ['resolver', { resolver: { resolveMx: fail, resolve4: fail, resolve6: fail } as never }],
  ])('the mailer defers the mail: %s', async (_, options) => {
    const mailer = createMailer({ relay: { host: 'mx.example' }, attemptDelay: 0, ...options });
    expect(await mailer.send(ENVELOPE, 'Hello')).toMatchObject([{ verdict: 'deferred' }]);
    await mailer.close();
  });

  it.each<[string, NonNullable<Parameters<typeof createMailer>[0]>['session']]>([
    ['session.onWire', { onWire: fail }],
    ['session.onTransition', { onTransition: fail }],
    ['session.onError', { onWire: fail, onError: fail }],
  ])('the mailer delivers, and its pool goes on: %s', async (_, session) => {
    const { faults } = told();
    const server = await serving({ handlers: { onMessage() {} } });
    const mailer = createMailer({ relay: relayOf(server.addresses[0]), ...(session && { session }) });
    expect(await mailer.send(ENVELOPE, 'Hello')).toMatchObject([{ verdict: 'delivered' }]);
    expect(await mailer.send(ENVELOPE, 'Hello')).toMatchObject([{ verdict: 'delivered' }]);
    await mailer.close();
    expect(faults()).toContain(FAULT);
  });

  it('the transport for nodemailer goes on: callbacks of send and verify, listeners of idle', async () => {
    const { faults } = told();
    const server = await serving({ handlers: { onMessage() {} } });
    const transport = sansmtpTransport({
      relay: relayOf(server.addresses[0]),
      pool: { connectionsPerHost: 1 },
    });
    transport.on('idle', fail);
    transport.verify(fail);
    await vi.waitFor(() => expect(faults()).toEqual([FAULT, FAULT]), 20_000);
    const message = {
      getEnvelope: () => ({ from: 'ann@example.org', to: ['bob@example.com'] }),
      messageId: () => '<1@example.org>',
      async *createReadStream() {
        yield new TextEncoder().encode('Hello');
      },
    };
    transport.send({ data: {}, message: message as never }, fail);
    await vi.waitFor(() => expect(faults()).toHaveLength(4), 20_000);
    transport.close();
  });
});

describe('a stream that breaks before anybody reads it', () => {
  const broken = () => createReadStream('/nonexistent/message.eml');
  const emitted = () => new Promise((resolve) => setTimeout(resolve, 50));

  it('is a fault of nobody where no recipient was accepted', async () => {
    const server = await serving({
      handlers: {
        onMessage() {},
        onRcptTo() {
          throw Object.assign(new Error('No'), { responseCode: 550 });
        },
      },
    });
    const stream = await connect(relayOf(server.addresses[0]));
    const session = await openSession(stream, { clock: systemClock });
    expect(await session.send(ENVELOPE, broken())).toMatchObject([{ verdict: 'rejected' }]);
    await emitted();
    await session.quit();
  });

  it('rejects the send of a session that wants it', async () => {
    const server = await serving({ handlers: { onMessage() {} } });
    const stream = await connect(relayOf(server.addresses[0]));
    const session = await openSession(stream, { clock: systemClock });
    await expect(session.send(ENVELOPE, broken())).rejects.toMatchObject({ code: 'ENOENT' });
    await session.closed;
  });

  it('ends no process where a mailer refuses to send it', async () => {
    const mailer = createMailer({ relay: { host: '192.0.2.1' } });
    await expect(mailer.send({ from: null, to: [] }, broken())).rejects.toThrow('no recipient');
    await mailer.close();
    await expect(mailer.send(ENVELOPE, broken())).rejects.toThrow('closed');
    await emitted();
  });
});

async function serving(options: Omit<MailServerOptions, 'addresses'>) {
  const server = await startMailServer({
    addresses: [{ port: 0 }],
    ...options,
    handlers: { onMessage() {}, onAuth: () => true, onCredentials: () => undefined, ...options.handlers },
    session: { authentication: { allowInsecure: true } },
  });
  onTestFinished(() => server.shutdown(0));
  return server;
}

async function listening(
  options: ListenOptions,
  onStream: (stream: ByteStream) => void,
): Promise<ListenerAddress> {
  const listener = await listen(options, onStream);
  onTestFinished(() => listener.close());
  return listener.address;
}

function relayOf(address: ListenerAddress | undefined): { readonly host: string; readonly port: number } {
  if (address?.kind !== 'tcp') throw new Error('The server has no port');
  return { host: address.host, port: address.port };
}

function connectTo(address: ListenerAddress | undefined) {
  return connectSocket(relayOf(address)).on('error', () => {});
}

/** Says this at once; gives back what was heard until the connection closed. */
async function say(address: ListenerAddress | undefined, words: string): Promise<string> {
  const socket = connectTo(address);
  let heard = '';
  socket.on('data', (bytes) => {
    heard += bytes;
  });
  socket.write(words);
  await new Promise((resolve) => socket.once('close', resolve));
  return heard;
}

/** Two ends of one connection. */
async function pairOf(transport: 'memory' | 'socket' | 'web'): Promise<readonly [ByteStream, ByteStream]> {
  if (transport === 'memory') return createMemoryPair();
  if (transport === 'web') {
    const [there, back] = [new TransformStream(), new TransformStream()];
    return [
      webStream({ readable: back.readable, writable: there.writable }),
      webStream({ readable: there.readable, writable: back.writable }),
    ];
  }
  let accept: (stream: ByteStream) => void = () => {};
  const accepted = new Promise<ByteStream>((resolve) => {
    accept = resolve;
  });
  const address = await listening({ port: 0 }, (stream) => accept(stream));
  return [await connect(relayOf(address)), await accepted];
}
