/**
 * What clients can make the server hold, and what they can take from each other. Bounds are ratios, of several tries the
 * best, or what one heap holds: no test here needs a fast machine.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run, sansmtp, start, until } from './processes.js';
import { connectRaw } from './raw-client.js';
import { serve } from './serving.js';

const CLIENTS = 20;

function connectTo(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** `serve --discard` with a heap of so many MiB; its port. */
async function serveWithin(heap: number, ...words: string[]) {
  const [node, script] = sansmtp('serve', '--port', '0', '--discard', ...words);
  const running = start(node, [`--max-old-space-size=${heap}`, ...script]);
  await until(() => /listening smtp .*:\d+/.test(running.stdout));
  return { ...running, port: Number(/listening smtp .*:(\d+)/.exec(running.stdout)?.[1]) };
}

/** One mail transaction in one connection; milliseconds. */
async function deliver(port: number): Promise<number> {
  const begin = performance.now();
  const socket = connectTo(port);
  let heard = '';
  const script = [
    [/^220 .*\r\n/, 'EHLO c.example\r\n'],
    [/^250 .*\r\n/m, 'MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n'],
    [/^354 .*\r\n/m, 'Hello\r\n.\r\nQUIT\r\n'],
  ] as const;
  let step = 0;
  await new Promise<void>((resolve, reject) => {
    socket.on('data', (bytes) => {
      heard += bytes.toString('latin1');
      const [awaited, words] = script[step] ?? [];
      if (awaited?.test(heard)) {
        socket.write(words ?? '');
        heard = '';
        step += 1;
      }
      if (step === script.length && /^221 /m.test(heard)) resolve();
    });
    socket.on('close', () => reject(new Error(`the server closed after: ${heard}`)));
  });
  socket.destroy();
  return performance.now() - begin;
}

/** The median of so many deliveries, one after the other. */
async function median(port: number, count = 7): Promise<number> {
  const times: number[] = [];
  for (let done = 0; done < count; done += 1) times.push(await deliver(port));
  return times.sort((one, other) => one - other)[Math.floor(count / 2)] ?? Number.NaN;
}

/** Ordinary senders, each as fast as it can; what ends them. */
function sendOrdinarily(port: number): () => Promise<unknown> {
  let over = false;
  const senders = Array.from({ length: CLIENTS }, async () => {
    while (!over) await deliver(port);
  });
  return () => {
    over = true;
    return Promise.all(senders);
  };
}

/** Clients that pipeline NOOP for all they are worth, and read the replies; who is shown the door comes again. */
function flood(port: number): () => void {
  const commands = Buffer.from('NOOP\r\n'.repeat(10_000));
  let over = false;
  const sockets = new Set<Socket>();
  const begin = () => {
    const socket = connectTo(port);
    sockets.add(socket);
    const write = () => {
      while (!over && socket.writable && socket.write(commands));
    };
    socket.on('connect', write).on('drain', write).resume();
    socket.on('close', () => {
      sockets.delete(socket);
      if (!over) setTimeout(begin, 1);
    });
  };
  for (let client = 0; client < CLIENTS; client += 1) begin();
  return () => {
    over = true;
    for (const socket of sockets) socket.destroy();
  };
}

describe('one client and another', () => {
  it.each([
    ['without a limit for junk', ['--max-junk', '0']],
    ['with the limits that are the defaults', []],
  ])(
    'twenty that flood delay a delivery at most ten times as long as twenty ordinary senders: %s',
    async (_, words) => {
      const { port } = await serveWithin(512, ...words);
      const ratios: number[] = [];
      for (let round = 0; round < 3 && !ratios.some((ratio) => ratio <= 10); round += 1) {
        const endSending = sendOrdinarily(port);
        const among = await median(port);
        await endSending();
        const endFlood = flood(port);
        const during = await median(port);
        endFlood();
        ratios.push(during / among);
      }
      expect(Math.min(...ratios)).toBeLessThanOrEqual(10);
    },
  );

  it('hundreds that pipeline and never read do not end a server with a small heap', async () => {
    const { port, child, exit } = await serveWithin(128, '--max-junk', '0', '--idle-timeout', '600');
    const commands = Buffer.from('NOOP\r\n'.repeat(100_000));
    const clients = Array.from({ length: 120 }, () => {
      const socket = connectTo(port);
      socket.pause();
      socket.write(commands);
      return socket;
    });
    // All of them have sent what the server takes.
    let before = -1;
    const sent = () =>
      clients.reduce((sum, { bytesWritten, writableLength }) => sum + bytesWritten - writableLength, 0);
    await until(async () => {
      const now = sent();
      const stands = now > 0 && now === before;
      before = now;
      if (!stands) await new Promise((resolve) => setTimeout(resolve, 500));
      return stands;
    });
    await deliver(port);
    expect(child.exitCode).toBeNull();
    child.kill('SIGKILL');
    expect(await exit).toBe('SIGKILL');
  }, 240_000);
});

describe('what is no SMTP', () => {
  it('a POST of curl whose body speaks SMTP delivers nothing, and is a line in the log', async () => {
    const server = await serve();
    const body = 'EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nHello\r\n.\r\nQUIT\r\n';
    await run('curl', [
      '--http0.9',
      '-sS',
      '-m',
      '10',
      '--data-binary',
      body,
      `http://127.0.0.1:${server.port}/`,
    ]);
    await until(() => server.stderr.includes('connection ended: no SMTP'));
    expect(server.stderr).toContain('The client sent an HTTP request');
    expect(await server.messages()).toEqual([]);
  });

  it('a TLS client on a port in the clear is told at once, and is a line in the log', async () => {
    const server = await serve();
    const failed = new Promise<Error>((resolve) => {
      connectTls({ host: '127.0.0.1', port: server.port }).on('error', resolve);
    });
    expect(await failed).toMatchObject({ code: expect.stringMatching(/SSL|ECONNRESET/) });
    await until(() => server.stderr.includes('TLS ClientHello in the clear'));
  });
});

describe('limits that are given hold on loopback, too', () => {
  it('--max-junk, --max-connections-per-client and --max-session', async () => {
    const server = await serve([
      '--max-junk',
      '2',
      '--max-connections-per-client',
      '2',
      '--max-session',
      '2',
    ]);
    const first = connectRaw(server);
    await first.say('', /^220 /);
    await first.say('NOOP\r\nNOOP\r\nNOOP\r\n', /^421 4\.7\.0 Too many commands/m);
    await first.closed;
    const second = connectRaw(server);
    await second.say('', /^220 /);
    const third = connectRaw(server);
    await third.say('', /^220 /);
    const fourth = connectRaw(server);
    await fourth.say('', /^421 4\.7\.0 Too many connections from your address/);
    await third.say('', /^421 4\.7\.0 The session has lasted too long/m);
    expect(server.stderr).toContain('maximumConnectionsPerClient');
  });

  it('--min-rate ends a message that drips', async () => {
    const server = await serve(['--min-rate', '1000000']);
    const client = connectRaw(server);
    await client.say('', /^220 /);
    await client.say('EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n', /^354 /m);
    const drip = setInterval(() => client.socket.write('x'), 1000);
    onTestFinished(() => clearInterval(drip));
    await until(() => client.received.includes('421 4.7.0 The message comes too slowly'));
    expect(await server.messages()).toEqual([]);
  }, 120_000);
});

describe('a server that was stopped', () => {
  it('answers what came meanwhile, instead of blaming the client for its silence', async () => {
    const server = await serve(['--idle-timeout', '2']);
    const client = connectRaw(server);
    await client.say('', /^220 /);
    server.child.kill('SIGSTOP');
    client.socket.write('NOOP\r\n');
    await new Promise((resolve) => setTimeout(resolve, 4000));
    server.child.kill('SIGCONT');
    await until(() => /^(?:250|421) /m.test(client.received));
    expect(client.received).toMatch(/^250 2\.0\.0 OK/m);
    expect(client.received).not.toMatch(/^421 /m);
  });
});
