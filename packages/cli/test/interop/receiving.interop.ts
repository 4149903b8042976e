/**
 * Other people's clients deliver to `sansmtp serve`: the Maildir holds what they sent, to the octet.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { messages, withCrlf } from './messages.js';
import { describeWith, type Peer, python } from './peers.js';
import { run, scratchFolder } from './processes.js';
import { serve } from './serving.js';

interface Client {
  /** @param lf,crlf the file with the message, by its line ends */
  command(server: { host: string; port: string }, lf: string, crlf: string): readonly [string, ...string[]];
  /** What it adds to a message. */
  readonly added?: string;
}

const SMTPLIB = `
import smtplib, sys
host, port, file = sys.argv[1:]
with smtplib.SMTP(host, int(port)) as client:
    client.sendmail('ann@example.com', ['joe@example.org'], open(file, 'rb').read(), ['BODY=8BITMIME'])
`;

const clients: Partial<Record<Peer, Client>> = {
  swaks: {
    command: ({ host, port }, lf) => [
      'swaks',
      ...['--server', host, '--port', port, '--from', 'ann@example.com', '--to', 'joe@example.org'],
      ...['--timeout', '50s', '--data', `@${lf}`],
    ],
    // It ends the last line once more.
    added: '\r\n',
  },
  msmtp: {
    command: ({ host, port }, lf) => [
      'sh',
      '-c',
      `msmtp --host=${host} --port=${port} --timeout=50 --from=ann@example.com --tls=off --auth=off ` +
        `--set-from-header=off --set-date-header=off --set-msgid-header=off joe@example.org < ${lf}`,
    ],
  },
  curl: {
    command: ({ host, port }, _, crlf) => [
      'curl',
      ...['--silent', '--show-error', '--max-time', '50', `smtp://${host}:${port}/client.example`],
      ...['--mail-from', 'ann@example.com', '--mail-rcpt', 'joe@example.org', '--upload-file', crlf],
    ],
  },
  smtplib: {
    command: ({ host, port }, _, crlf) => [python, '-c', SMTPLIB, host, port, crlf],
  },
  'smtp-source': {
    command: ({ host, port }, lf) => [
      'smtp-source',
      ...['-f', 'ann@example.com', '-t', 'joe@example.org', '-F', lf, `inet:${host}:${port}`],
    ],
    // It ends what stands behind the last line, too.
    added: '\r\n',
  },
};

for (const [peer, { command, added = '' }] of Object.entries(clients)) {
  describeWith(peer as Peer, () => {
    it.each(Object.entries(messages))('delivers %s', async (_, message) => {
      const folder = await scratchFolder();
      const [lf, crlf] = [join(folder, 'lf'), join(folder, 'crlf')];
      await writeFile(lf, message);
      await writeFile(crlf, withCrlf(message));
      const server = await serve();

      const [program, ...words] = command({ host: '127.0.0.1', port: `${server.port}` }, lf, crlf);
      const { exit, stdout, stderr } = await run(program, words);

      expect({ exit, output: exit === 0 ? '' : stdout + stderr }).toEqual({ exit: 0, output: '' });
      const stored = await server.messages();
      expect(stored).toHaveLength(1);
      expect(stored[0]?.header).toMatch(
        /^Return-Path: <ann@example\.com>\r\nDelivered-To: joe@example\.org\r\nReceived: from \S+ \(\[127\.0\.0\.1\]\)/,
      );
      expect(stored[0]?.body.equals(Buffer.concat([withCrlf(message), Buffer.from(added)]))).toBe(true);
    });
  });
}

describeWith('smtp-source', () => {
  it('delivers 200 messages on 20 connections at a time, for 10 recipients each', async () => {
    const server = await serve();
    const words = [
      '-s',
      '20',
      '-m',
      '200',
      '-r',
      '10',
      '-l',
      '5000',
      '-f',
      'a@example.com',
      '-t',
      'b@example.org',
    ];
    const { exit, stderr } = await run('smtp-source', [...words, `inet:127.0.0.1:${server.port}`]);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    const stored = await server.messages();
    expect(stored).toHaveLength(200);
    for (const { header, body } of stored) {
      expect(header.match(/^Delivered-To: /gm)).toHaveLength(10);
      expect(body.length).toBeGreaterThanOrEqual(5000);
    }
  });

  it('delivers over a Unix socket', async () => {
    const server = await serve();
    const { exit } = await run('smtp-source', [
      '-f',
      'a@example.com',
      '-t',
      'b@example.org',
      `unix:${server.unix}`,
    ]);
    expect(exit).toBe(0);
    expect((await server.messages())[0]?.header).toMatch(
      /^Received: from \S+\r\n\tby mx\.example with SMTP id /m,
    );
  });
});

describe('the messages of these tests', () => {
  it('are what they are called', () => {
    expect(messages['30 MB']?.length).toBeGreaterThanOrEqual(30_000_000);
    expect(messages['eight bits']?.some((octet) => octet > 0x7f)).toBe(true);
    for (const message of Object.values(messages)) expect(message.at(-1)).toBe(0x0a);
  });
});
