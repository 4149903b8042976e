/**
 * `sansmtp serve --proxy-protocol`: behind a proxy, the client is whom the PROXY header names (HAProxy's
 * proxy-protocol.txt, versions 1 and 2).
 */
import { describe, expect, it } from 'vitest';
import { certificate, shown } from './certificates.js';
import { describeWith } from './peers.js';
import { run, until } from './processes.js';
import { connectRaw, type RawClient } from './raw-client.js';
import { type Serving, serve } from './serving.js';

/** The line of the only message that says from where it came. */
async function receivedFrom(server: Serving): Promise<string | undefined> {
  const stored = await server.messages();
  expect(stored).toHaveLength(1);
  return /^Received: (from .*)\r\n/m.exec(stored[0]?.header ?? '')?.[1];
}

/** A header of version 2 for TCP over IPv4, from 192.0.2.7:4321 to 198.51.100.1:25. */
const VERSION_2 = Buffer.from(
  '0d0a0d0a000d0a515549540a 21 11 000c c0000207 c6336401 10e1 0019'.replaceAll(' ', ''),
  'hex',
);

const VERSION_1 = Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 4321 25\r\n');

async function deliver(client: RawClient): Promise<void> {
  await client.say('EHLO client.example\r\n', /^250 /m);
  await client.say('MAIL FROM:<ann@example.com>\r\nRCPT TO:<joe@example.org>\r\nDATA\r\n', /^354 /m);
  await client.say('Subject: a\r\n\r\nb\r\n.\r\nQUIT\r\n', /^221 /m);
}

describeWith('swaks', () => {
  it.each([
    { version: '1', family: ['TCP4'], source: '192.0.2.7', literal: '[192.0.2.7]' },
    { version: '1', family: ['TCP6'], source: '2001:db8::7', literal: '[IPv6:2001:db8::7]' },
    {
      version: '2',
      family: ['AF_INET', '--proxy-protocol', 'STREAM', '--proxy-command', 'PROXY'],
      source: '192.0.2.7',
      literal: '[192.0.2.7]',
    },
  ])(
    'delivers by a header of version $version, for $source',
    async ({ version, family, source, literal }) => {
      const server = await serve(['--proxy-protocol']);
      const destination = source.includes(':') ? '2001:db8::1' : '198.51.100.1';
      const { exit, stdout } = await run('swaks', [
        ...['--server', '127.0.0.1', '--port', `${server.port}`, '--helo', 'client.example'],
        ...['--from', 'ann@example.com', '--to', 'joe@example.org'],
        ...['--proxy-version', version, '--proxy-family', ...family, '--proxy-source', source],
        ...['--proxy-source-port', '4321', '--proxy-dest', destination, '--proxy-dest-port', '25'],
      ]);
      expect({ exit, output: exit === 0 ? '' : stdout }).toEqual({ exit: 0, output: '' });
      expect(await receivedFrom(server)).toBe(`from client.example (${literal})`);
    },
  );
});

describe('a proxied connection', () => {
  it.each([
    { version: 1, header: VERSION_1 },
    { version: 2, header: VERSION_2 },
  ])('begins by a header of version $version, in however many pieces', async ({ header }) => {
    const server = await serve(['--proxy-protocol']);
    const client = connectRaw(server);
    for (const octet of header) {
      client.socket.write(Buffer.of(octet));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until(() => client.received.startsWith('220 '));
    await deliver(client);
    expect(await receivedFrom(server)).toBe('from client.example ([192.0.2.7])');
  });

  it('keeps the proxy’s own address for its own checks (command LOCAL)', async () => {
    const server = await serve(['--proxy-protocol']);
    const client = connectRaw(server);
    await client.say(Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'), /^220 /);
    await deliver(client);
    expect(await receivedFrom(server)).toBe('from client.example ([127.0.0.1])');
  });

  it('may go on by STARTTLS, and by implicit TLS behind the header', async () => {
    const server = await serve(['--proxy-protocol', ...shown(await certificate()), '--tls-port', '0']);
    const first = connectRaw(server);
    await first.say(VERSION_1, /^220 /);
    await first.say('EHLO client.example\r\nSTARTTLS\r\n', /^220 2\.0\.0 /m);
    await first.secure();
    await deliver(first);
    const second = connectRaw({ port: server.portOf('smtps') });
    second.socket.write(VERSION_2);
    await second.secure();
    await until(() => second.received.startsWith('220 '));
    await deliver(second);
    const stored = await server.messages();
    expect(stored).toHaveLength(2);
    for (const { header } of stored) {
      expect(header).toMatch(
        /from client\.example \(\[192\.0\.2\.7\]\)\r\n\tby mx\.example with ESMTPS id \S+ tls /,
      );
    }
  });

  it.each([
    { what: 'no header', said: 'EHLO client.example\r\n' },
    { what: 'a header that is none', said: 'PROXY TCP4 192.0.2.300 198.51.100.1 4321 25\r\n' },
    { what: 'a header of version 3', said: '\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c' },
  ])('is closed without a word for $what, and the log says so', async ({ said }) => {
    const server = await serve(['--proxy-protocol']);
    const client = connectRaw(server);
    client.socket.write(Buffer.from(said, 'latin1'));
    await client.closed;
    expect(client.received).toBe('');
    await until(() => server.stderr.includes('connection not accepted'));
  });
});
