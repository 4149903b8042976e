/**
 * `sansmtp send` delivers to other people's servers: they get the message to the octet, and its lines and exit code
 * say what they replied.
 */
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { messages, withCrlf } from './messages.js';
import { describeWith, python } from './peers.js';
import { accepts, freePort } from './ports.js';
import { type Finished, run, sansmtp, scratchFolder, start, until } from './processes.js';
import { serve } from './serving.js';

const ENVELOPE = ['--from', 'ann@example.com', '--to', 'joe@example.org', '--to', '"a b"@example.net'];

function send(input: Uint8Array | string, ...words: string[]): Promise<Finished> {
  return run(...sansmtp('send', ...ENVELOPE, '--timeout', '50', ...words), input);
}

function delivered(reply: string): Finished {
  const stdout = `delivered joe@example.org ${reply}\ndelivered "a b"@example.net ${reply}\n`;
  return { exit: 0, stdout, stderr: '' };
}

interface Sink {
  readonly unix: string;
  /** What it wrote of the messages that it got: its own lines, and the message with lines that end in LF. */
  dumps(): Promise<string[]>;
}

async function sink(...words: string[]): Promise<Sink> {
  const folder = await scratchFolder();
  const unix = join(folder, 'socket');
  const asRoot = process.getuid?.() === 0;
  // Root must name whom it is to run as, and they must be able to write there.
  await chmod(folder, 0o777);
  const user = asRoot ? ['-u', 'nobody'] : [];
  start('smtp-sink', [...user, '-d', join(folder, 'dump.'), ...words, `unix:${unix}`, '10'], folder);
  await until(() => accepts({ path: unix }));
  return {
    unix,
    async dumps() {
      const files = (await readdir(folder)).filter((name) => name.startsWith('dump.'));
      return Promise.all(files.map((name) => readFile(join(folder, name), 'latin1')));
    },
  };
}

describeWith('smtp-sink', () => {
  it.each(Object.entries(messages))('gets %s', async (name, message) => {
    const { unix, dumps } = await sink();
    expect(await send(message, '--unix', unix)).toEqual(delivered('250 2.0.0 Ok'));
    const [dump = '', ...others] = await dumps();
    expect(others).toEqual([]);
    expect(dump).toContain('X-Rcpt-Args: <joe@example.org>\nX-Rcpt-Args: <"a b"@example.net>\n');
    expect(dump.includes('X-Mail-Args: <ann@example.com> BODY=8BITMIME\n')).toBe(name === 'eight bits');
    // It ends each dump with an empty line.
    expect(dump.endsWith(`\n${message.toString('latin1')}\n`)).toBe(true);
  });

  it('gets a message over TCP, after HELO where EHLO is not understood', async () => {
    const port = await freePort();
    const asRoot = process.getuid?.() === 0;
    start('smtp-sink', [...(asRoot ? ['-u', 'nobody'] : []), '-e', `127.0.0.1:${port}`, '10']);
    await until(() => accepts({ port }));
    expect(await send('a\n', '--host', '127.0.0.1', '--port', `${port}`)).toEqual(delivered('250 2.0.0 Ok'));
  });

  it.each([
    { refused: ['-f', 'RCPT'], exit: 69, line: 'rejected joe@example.org 500 5.3.0 Error: command failed' },
    { refused: ['-r', 'RCPT'], exit: 75, line: 'deferred joe@example.org 450 4.3.0 Error: command failed' },
    {
      refused: ['-f', 'CONNECT'],
      exit: 69,
      line: 'rejected joe@example.org 500 5.3.0 Error: command failed',
    },
    { refused: ['-r', '.'], exit: 75, line: 'deferred joe@example.org 450 4.3.0 Error: command failed' },
    { refused: ['-f', '.'], exit: 69, line: 'rejected joe@example.org 500 5.3.0 Error: command failed' },
    {
      refused: ['-Q', 'DATA'],
      exit: 75,
      line: 'deferred joe@example.org 421 4.0.0 Server closing connection',
    },
    { refused: ['-q', 'DATA'], exit: 75, line: expect.stringMatching(/^deferred joe@example\.org .*lost/) },
    { refused: ['-q', '.'], exit: 75, line: expect.stringMatching(/^unknown joe@example\.org .*lost/) },
  ])('says what became of the message when smtp-sink does $refused', async ({ refused, exit, line }) => {
    const { unix } = await sink(...refused);
    const finished = await send('a\n', '--unix', unix);
    expect(finished.exit).toBe(exit);
    const lines = finished.stdout.split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toEqual(line);
  });
});

/** Prints the port, then writes what it got to a file. */
const AIOSMTPD = `
import asyncio, sys
from aiosmtpd.smtp import SMTP

class Keep:
    async def handle_DATA(self, server, session, envelope):
        with open(sys.argv[1], 'wb') as file:
            file.write(envelope.original_content)
        with open(sys.argv[1] + '.envelope', 'w') as file:
            file.write(' '.join([envelope.mail_from, *envelope.rcpt_tos]))
        return '250 2.0.0 Kept'

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keep(), hostname='peer.example'), '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
`;

describeWith('aiosmtpd', () => {
  it.each(Object.entries(messages))('gets %s', async (_, message) => {
    const folder = await scratchFolder();
    const file = join(folder, 'message');
    const server = start(python, ['-c', AIOSMTPD, file]);
    await until(() => server.stdout.includes('\n'));

    // aiosmtpd lets a message grow to this size.
    const fits = message.length < 33_554_432;
    expect(fits).toBe(true);
    expect(await send(message, '--host', '127.0.0.1', '--port', server.stdout.trim())).toEqual(
      delivered('250 2.0.0 Kept'),
    );
    expect((await readFile(file)).equals(withCrlf(message))).toBe(true);
    expect(await readFile(`${file}.envelope`, 'utf8')).toBe(
      'ann@example.com joe@example.org "a b"@example.net',
    );
  });
});

describe('sansmtp serve', () => {
  it.each(Object.entries(messages))('gets %s', async (_, message) => {
    const server = await serve();
    const { exit, stdout } = await send(message, '--host', '127.0.0.1', '--port', `${server.port}`);
    expect(exit).toBe(0);
    expect(stdout).toMatch(/^delivered joe@example\.org 250 2\.0\.0 Message stored as \w+\ndelivered /);
    const stored = await server.messages();
    expect(stored).toHaveLength(1);
    expect(stored[0]?.header).toContain(
      'Delivered-To: joe@example.org\r\nDelivered-To: "a b"@example.net\r\n',
    );
    expect(stored[0]?.body.equals(withCrlf(message))).toBe(true);
  });

  it('gets a message from a file, as it is when its lines end in CRLF', async () => {
    const server = await serve();
    const file = join(await scratchFolder(), 'message');
    const message = withCrlf(messages['dots and empty lines'] ?? Buffer.of());
    await writeFile(file, message);
    const { exit } = await send('', '--unix', server.unix, '--data', file);
    expect(exit).toBe(0);
    expect((await server.messages())[0]?.body.equals(message)).toBe(true);
  });

  it('refuses by SIZE what is too large, before it is sent (RFC 1870 §6.1)', async () => {
    const server = await serve(['--max-size', '1000']);
    const { exit, stdout, stderr } = await send(
      Buffer.alloc(1001, 'a\n'),
      '--unix',
      server.unix,
      '--verbose',
    );
    expect(exit).toBe(69);
    expect(stdout).toMatch(/^rejected joe@example\.org 552 5\.3\.4 /);
    expect(stderr).not.toContain('mail data');
  });
});
