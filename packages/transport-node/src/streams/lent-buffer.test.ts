/**
 * What is read into the one buffer is copied before the next client's octets are: over real sockets, with many clients at
 * once, through STARTTLS, and of what may hold a password nothing is left in it.
 */
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { listen } from '../listening/listen.js';
import { type MailServerOptions, startMailServer } from '../listening/mail-server.js';
import { eventually, expectNothingLeftOpen, portOf } from '../listening.test-support.js';
import { createTlsContext } from '../tls/tls-context.js';
import { generateCertificate } from '../tls-certificates.test-support.js';
import { canLend } from './lent-buffer.js';

expectNothingLeftOpen();

const { cert, key } = await generateCertificate('localhost');
const context = createTlsContext({ cert, key });

async function serving(options: Omit<MailServerOptions, 'addresses'>, tls = false) {
  const server = await startMailServer({
    addresses: [{ port: 0, ...(tls && { tls: { mode: 'startTls', context } }) }],
    session: { hostname: 'mx.example' },
    ...options,
  });
  const [address] = server.addresses;
  if (address?.kind !== 'tcp') throw new Error('not TCP');
  return { server, port: address.port };
}

/** A client that writes what it is told to, and notes what it hears. */
function client(port: number): { socket: Socket; heard: () => string } {
  let text = '';
  const socket = connect(port, '127.0.0.1').setNoDelay();
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  return { socket, heard: () => text };
}

// A listener uses it from when it is known that it works.
await canLend();

describe('the one read buffer', () => {
  it('can be used on this version of Node', async () => {
    expect(await canLend()).toBe(true);
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

  it('gives no client the octets of another, however they are cut and however late they are read', async () => {
    const clients = 20;
    const bodies = new Map<string, string>();
    const lines: string[] = [];
    const { server, port } = await serving({
      session: { hostname: 'mx.example', maximumJunkCommands: Number.POSITIVE_INFINITY },
      observer: {
        command: (event) => lines.push(Buffer.from(event.octets ?? []).toString('latin1')),
        mailData: ({ octets }) => void turn().then(() => lines.push(Buffer.from(octets).toString('latin1'))),
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
    });
    const messageOf = (name: string) => `${`${name.repeat(20)}\r\n`.repeat(300)}`;
    await Promise.all(
      Array.from({ length: clients }, async (_, index) => {
        const name = `client${String.fromCharCode(97 + index)}`;
        const { socket, heard } = client(port);
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
      Array.from({ length: clients }, (_, index) => `EHLO client${String.fromCharCode(97 + index)}.example`),
    );
    const words = new Set(lines.join('').match(/client[a-z]/g));
    expect(words.size).toBe(clients);
  });

  it.each([
    ['in the octets of STARTTLS itself', 'STARTTLS\r\nMAIL FROM:<a@b.example>\r\n', ''],
    ['in the place of the handshake', 'STARTTLS\r\n', 'MAIL FROM:<a@b.example>\r\n'],
  ])('passes on nothing that was injected %s (CVE-2011-0411)', async (_, first, then) => {
    const asked: string[] = [];
    const { server, port } = await serving(
      { handlers: { onMailFrom: ({ reversePath }) => void asked.push(String(reversePath)), onMessage() {} } },
      true,
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
