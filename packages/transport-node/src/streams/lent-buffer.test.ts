/**
 * What is read into the one buffer is copied before the next client's octets are: over real sockets, with many clients at
 * once, through STARTTLS and under TLS, and of what may hold a password nothing is left in it.
 */
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { ByteStream } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { listen } from '../listening/listen.js';
import { type MailServerOptions, startMailServer } from '../listening/mail-server.js';
import { eventually, expectNothingLeftOpen, portOf } from '../listening.test-support.js';
import { createTlsContext } from '../tls/tls-context.js';
import { generateCertificate } from '../tls-certificates.test-support.js';
import { canLend, canLendTls } from './lent-buffer.js';

expectNothingLeftOpen();

const { cert, key } = await generateCertificate('localhost');
const context = createTlsContext({ cert, key });

type Mode = 'implicit' | 'startTls';

async function serving(options: Omit<MailServerOptions, 'addresses'>, mode?: Mode) {
  const server = await startMailServer({
    addresses: [{ port: 0, ...(mode && { tls: { mode, context } }) }],
    session: { hostname: 'mx.example' },
    ...options,
  });
  const [address] = server.addresses;
  if (address?.kind !== 'tcp') throw new Error('not TCP');
  return { server, port: address.port };
}

/** A client that writes what it is told to, and notes what it hears. */
function client(port: number, isTls = false): { socket: Socket; heard: () => string } {
  let text = '';
  const socket = isTls
    ? connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    : connect(port, '127.0.0.1');
  socket.setNoDelay();
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  return { socket, heard: () => text };
}

// A listener uses it from when it is known that it works.
await canLendTls();

/** A listener of its own that borrows, and writes into what it is lent. */
function borrower(stream: ByteStream, onText: (text: string, buffer: ArrayBufferLike) => void): void {
  stream.open({
    borrows: true,
    data(bytes) {
      onText(Buffer.from(bytes).toString('latin1'), bytes.buffer);
      bytes.fill(0xaa);
    },
    end: () => stream.end(),
    drain() {},
    secure() {},
    close() {},
  });
}

describe('the one read buffer', () => {
  it('can be used on this version of Node', async () => {
    expect(await canLend()).toBe(true);
    expect(await canLendTls()).toBe(true);
  });

  it('is that of all clients, with TLS and without, but for first words that come with the handshake', async () => {
    const lent: ArrayBufferLike[] = [];
    const onStream = (stream: ByteStream) => {
      borrower(stream, (_, buffer) => lent.push(buffer));
    };
    const inTheClear = await listen({ port: 0 }, onStream);
    const overTls = await listen({ port: 0, tls: { mode: 'implicit', context } }, onStream);
    for (const listener of [inTheClear, overTls]) {
      const { socket } = client(portOf(listener), listener === overTls);
      for (let word = 1; word <= 3; word += 1) {
        const before = lent.length;
        socket.write('word');
        await eventually(() => expect(lent).toHaveLength(before + 1));
      }
      socket.end();
      await eventually(() => expect(socket.destroyed).toBe(true));
      await listener.close();
    }
    expect(new Set([...lent.slice(0, 3), ...lent.slice(4)]).size).toBe(1);
  });

  it('has copies made of what OpenSSL gives behind a pause, and the end waits for them', async () => {
    const heard: string[] = [];
    let isPaused = false;
    let resume: (() => void) | undefined;
    const listener = await listen({ port: 0, tls: { mode: 'implicit', context } }, (stream) => {
      resume = () => {
        isPaused = false;
        stream.resume();
      };
      borrower(stream, (text) => {
        heard.push(isPaused ? 'while paused' : text);
        isPaused = true;
        stream.pause();
      });
    });
    const { socket } = client(portOf(listener), true);
    await eventually(() => expect(resume).toBeDefined());
    // In forty records, which are read at once.
    (socket as TLSSocket).setMaxSendFragment(512);
    const text = Array.from({ length: 4000 }, (_, word) => `${word},`).join('');
    socket.end(text);
    await eventually(() => expect(heard).toHaveLength(1));
    await eventually(() => {
      resume?.();
      expect(socket.destroyed).toBe(true);
    });
    expect(heard.join('')).toBe(text);
    await listener.close();
  });

  it('is for listeners that borrow: all others keep what they are given', async () => {
    const kept: Uint8Array[] = [];
    const buffers = new Set<ArrayBufferLike>();
    const listener = await listen({ port: 0 }, (stream) => {
      expect(stream.lends).toBe(true);
      stream.open({
        data: (bytes) => {
          kept.push(bytes);
          buffers.add(bytes.buffer);
        },
        end: () => stream.end(),
        drain() {},
        secure() {},
        close() {},
      });
    });
    const { socket } = client(portOf(listener));
    for (const text of ['first', 'second', 'third']) {
      socket.write(text);
      await eventually(() => expect(Buffer.concat(kept).toString()).toContain(text));
    }
    expect(Buffer.concat(kept).toString()).toBe('firstsecondthird');
    socket.end();
    await eventually(() => expect(socket.destroyed).toBe(true));
    await listener.close();
  });

  it.each([
    ['in the clear', undefined],
    ['over TLS', 'implicit'],
  ] as const)(
    'gives no client the octets of another, however they are cut and however late they are read: %s',
    async (_, mode) => {
      const clients = 20;
      const bodies = new Map<string, string>();
      const lines: string[] = [];
      const { server, port } = await serving(
        {
          session: { hostname: 'mx.example', maximumJunkCommands: Number.POSITIVE_INFINITY },
          observer: {
            command: (event) => lines.push(Buffer.from(event.octets ?? []).toString('latin1')),
            mailData: ({ octets }) =>
              void turn().then(() => lines.push(Buffer.from(octets).toString('latin1'))),
          },
          handlers: {
            // Commands are held meanwhile, and mail data waits.
            onMailFrom: async () => void (await turn()),
            async onMessage({ envelope, body }) {
              for (let turns = 0; turns < 5; turns += 1) await turn();
              let text = '';
              for await (const bytes of body) {
                text += Buffer.from(bytes).toString('latin1');
                await turn();
              }
              bodies.set(envelope.reversePath?.localPart ?? '', text);
            },
          },
        },
        mode,
      );
      const messageOf = (name: string) => `${`${name.repeat(20)}\r\n`.repeat(300)}`;
      await Promise.all(
        Array.from({ length: clients }, async (_, index) => {
          const name = `client${String.fromCharCode(97 + index)}`;
          const { socket, heard } = client(port, mode !== undefined);
          await eventually(() => expect(heard()).toMatch(/^220 /));
          const octets = Buffer.from(
            `EHLO ${name}.example\r\nMAIL FROM:<${name}@c.example>\r\nRCPT TO:<r@s.example>\r\nDATA\r\n`,
          );
          const cut = 7 + index;
          for (let from = 0; from < octets.length; from += cut) {
            socket.write(octets.subarray(from, from + cut));
            await turn();
          }
          await eventually(() => expect(heard()).toMatch(/^354 /m));
          const message = Buffer.from(`${messageOf(name)}.\r\nQUIT\r\n`);
          for (let from = 0; from < message.length; from += 3000 + cut) {
            socket.write(message.subarray(from, from + 3000 + cut));
            await turn();
          }
          await eventually(() => expect(heard()).toMatch(/^221 /m));
          socket.end();
        }),
      );
      expect(bodies.size).toBe(clients);
      for (const [name, text] of bodies) expect(text === messageOf(name), name).toBe(true);
      await server.shutdown();
      expect(lines.filter((line) => line.startsWith('EHLO')).sort()).toEqual(
        Array.from(
          { length: clients },
          (_, index) => `EHLO client${String.fromCharCode(97 + index)}.example`,
        ),
      );
      const words = new Set(lines.join('').match(/client[a-z]/g));
      expect(words.size).toBe(clients);
    },
  );

  it.each([
    ['in the octets of STARTTLS itself', 'STARTTLS\r\nMAIL FROM:<a@b.example>\r\n', ''],
    ['in the place of the handshake', 'STARTTLS\r\n', 'MAIL FROM:<a@b.example>\r\n'],
  ])('passes on nothing that was injected %s (CVE-2011-0411)', async (_, first, then) => {
    const asked: string[] = [];
    const { server, port } = await serving(
      { handlers: { onMailFrom: ({ reversePath }) => void asked.push(String(reversePath)), onMessage() {} } },
      'startTls',
    );
    const { socket, heard } = client(port);
    await eventually(() => expect(heard()).toMatch(/^220 /));
    socket.write('EHLO c.example\r\n');
    await eventually(() => expect(heard()).toMatch(/^250 /m));
    socket.write(first);
    if (then !== '') {
      await eventually(() => expect(heard()).toMatch(/^220 2/m));
      socket.write(then);
    }
    await eventually(() => expect(socket.readableEnded || socket.destroyed).toBe(true));
    expect(asked).toEqual([]);
    expect(heard()).not.toMatch(/2\.1\.0/);
    socket.destroy();
    await server.shutdown(0);
  });
});
