import { createServer } from 'node:net';
import { type Envelope, formatMailbox, formatPath } from '@sansmtp/core';
import { Rejection, type ServerHandlers } from '@sansmtp/transport';
import { startMailServer } from '@sansmtp/transport-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Result, sansmtp } from '../running.test-support.js';

const MESSAGE = 'Subject: a\n\n.\nb';

function send(port: number, ...words: string[]): Promise<Result> {
  const target = ['--host', '127.0.0.1', '--port', `${port}`, '--hostname', 'client.example'];
  return sansmtp(
    ['send', ...target, '--from', 'ann@example.com', '--to', 'joe@example.org', ...words],
    MESSAGE,
  );
}

interface Received {
  readonly envelope: Envelope;
  readonly body: string;
}

/** A server of our own that keeps what it gets. */
async function serving(
  handlers: Partial<ServerHandlers> = {},
): Promise<{ port: number; received: Received[] }> {
  const received: Received[] = [];
  const keeping: ServerHandlers = {
    async onMessage({ envelope, body }) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of body) chunks.push(chunk);
      received.push({ envelope, body: Buffer.concat(chunks).toString('latin1') });
    },
    ...handlers,
  };
  const server = await startMailServer({
    addresses: [{ port: 0 }],
    handlers: keeping,
    session: { hostname: 'mx.example' },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  return { port: address?.kind === 'tcp' ? address.port : 0, received };
}

/** A server that says what it is told to, for each line that it gets; `undefined`: it hangs up. */
async function scripted(greeting: string, answer: (line: string) => string | undefined): Promise<number> {
  const server = createServer((socket) => {
    onTestFinished(() => {
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.write(greeting);
    let rest = '';
    socket.on('data', (bytes) => {
      const lines = (rest + bytes).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const reply = answer(line);
        if (reply === undefined) socket.end();
        else socket.write(reply);
      }
    });
  });
  onTestFinished(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Takes any message, but says something else to one line. */
function takingAll(exception: string, says: string | undefined): (line: string) => string | undefined {
  let receiving = false;
  return (line) => {
    if (receiving && line !== '.') return '';
    receiving = line === 'DATA';
    if (line.startsWith(exception)) return says;
    return receiving ? '354 Go on\r\n' : '250 OK\r\n';
  };
}

describe('sansmtp send', () => {
  it('delivers what stands on standard input, with a line for each recipient', async () => {
    const { port, received } = await serving();
    expect(await send(port, '--to', '"a b"@example.net')).toEqual({
      stdout:
        'delivered joe@example.org 250 2.0.0 Message accepted\ndelivered "a b"@example.net 250 2.0.0 Message accepted\n',
      stderr: '',
      exitCode: 0,
    });
    expect(received).toHaveLength(1);
    expect(received[0]?.body).toBe('Subject: a\r\n\r\n.\r\nb\r\n');
    const { reversePath = null, recipients = [], parameters } = received[0]?.envelope ?? {};
    expect(formatPath(reversePath)).toBe('<ann@example.com>');
    expect(recipients.map(({ forwardPath }) => formatMailbox(forwardPath))).toEqual([
      'joe@example.org',
      '"a b"@example.net',
    ]);
    expect(parameters).toEqual({ size: 20 });
  });

  it('says by BODY=8BITMIME that a message has eight bits (RFC 6152 §3), and sends them as they are', async () => {
    const { port, received } = await serving();
    const words = [
      'send',
      '--host',
      '127.0.0.1',
      '--port',
      `${port}`,
      '--from',
      '<>',
      '--to',
      'joe@example.org',
    ];
    expect(await sansmtp(words, Buffer.from('\xe4\n', 'latin1'))).toMatchObject({ exitCode: 0 });
    expect(received[0]).toMatchObject({
      envelope: { reversePath: null, parameters: { size: 3, body: '8BITMIME' } },
      body: '\xe4\r\n',
    });
  });

  it('says by SMTPUTF8 that the header holds UTF-8, also with addresses in ASCII (RFC 6531 §3.2)', async () => {
    const { port, received } = await serving();
    const words = ['--host', '127.0.0.1', '--port', `${port}`, '--from', '<>', '--to', 'joe@example.org'];
    expect(await sansmtp(['send', ...words], 'Subject: h\u00e9\n\na\n')).toMatchObject({ exitCode: 0 });
    expect(received[0]).toMatchObject({
      envelope: { parameters: { size: 19, body: '8BITMIME', smtpUtf8: true } },
      body: 'Subject: h\xc3\xa9\r\n\r\na\r\n',
    });
  });

  it('takes text without a header for text, which needs 8BITMIME alone (RFC 6152 §3)', async () => {
    const { port, received } = await serving();
    const words = ['--host', '127.0.0.1', '--port', `${port}`, '--from', '<>', '--to', 'joe@example.org'];
    expect(await sansmtp(['send', ...words], 'gr\u00fc\u00dfe\n')).toMatchObject({ exitCode: 0 });
    expect(received[0]?.envelope.parameters).toEqual({ size: 9, body: '8BITMIME' });
  });

  it.each([
    {
      what: 'eight bits where 8BITMIME is not offered (RFC 6152 §3)',
      offer: '250 mx\r\n',
      message: Buffer.from('\xe4\n', 'latin1'),
      from: '<>',
      keyword: '8BITMIME',
    },
    {
      what: 'a header in UTF-8 where SMTPUTF8 is not offered (RFC 6531 §3.2)',
      offer: '250-mx\r\n250 8BITMIME\r\n',
      message: 'Subject: h\u00e9\n\na\n',
      from: '<>',
      keyword: 'SMTPUTF8',
    },
    {
      what: 'an address in UTF-8 where SMTPUTF8 is not offered (RFC 6531 §3.2)',
      offer: '250-mx\r\n250 8BITMIME\r\n',
      message: 'a\n',
      from: 'j\u00f6rg@example.com',
      keyword: 'SMTPUTF8',
    },
  ])(
    'exits 64 for $what, with a line for each recipient, and sends nothing of the message',
    async ({ offer, message, from, keyword }) => {
      const lines: string[] = [];
      const port = await scripted('220 mx\r\n', (line) => {
        lines.push(line);
        return line.startsWith('EHLO') ? offer : '250 OK\r\n';
      });
      const target = ['--host', '127.0.0.1', '--port', `${port}`, '--hostname', 'c'];
      const words = [...target, '--from', from, '--to', 'joe@b', '--to', 'ann@b'];
      const { stdout, stderr, exitCode } = await sansmtp(['send', ...words], message);
      expect({ stderr, exitCode, lines }).toEqual({ stderr: '', exitCode: 64, lines: ['EHLO c', 'QUIT'] });
      const reason = `5\\.6\\.[37] 127\\.0\\.0\\.1: [^\\n]*needs ${keyword}, which the server does not offer[^\\n]*`;
      expect(stdout).toMatch(new RegExp(`^rejected joe@b ${reason}\nrejected ann@b ${reason}\n$`));
    },
  );

  it('exits 75 when the server shuts down at STARTTLS: 421 says nothing of TLS (RFC 5321 §3.8)', async () => {
    const port = await scripted('220 mx\r\n', (line) => {
      if (line === 'STARTTLS') return '421 4.3.2 Later\r\n';
      return line.startsWith('EHLO') ? '250-mx\r\n250 STARTTLS\r\n' : '250 OK\r\n';
    });
    for (const tls of ['opportunistic', 'required']) {
      expect(await send(port, '--tls', tls)).toEqual({
        stdout: 'deferred joe@example.org 421 4.3.2 Later\n',
        stderr: '',
        exitCode: 75,
      });
    }
  });

  it('introduces itself by --hostname', async () => {
    const names: string[] = [];
    const { port } = await serving({
      onHello: ({ name }) => {
        names.push(name);
      },
    });
    await send(port);
    expect(names).toEqual(['client.example']);
  });

  it('exits 69 when a recipient is rejected, and delivers to the others', async () => {
    const { port, received } = await serving({
      onRcptTo({ forwardPath }) {
        if (forwardPath.localPart === 'nobody') throw new Rejection(550, '5.1.1', 'No such user');
      },
    });
    expect(await send(port, '--to', 'nobody@example.org')).toMatchObject({
      stdout:
        'delivered joe@example.org 250 2.0.0 Message accepted\nrejected nobody@example.org 550 5.1.1 No such user\n',
      exitCode: 69,
    });
    expect(received[0]?.envelope.recipients).toHaveLength(1);
  });

  it('exits 75 when a recipient is deferred', async () => {
    const { port } = await serving({
      onMessage() {
        throw new Rejection(452, '4.3.1', 'Full');
      },
    });
    expect(await send(port)).toMatchObject({
      stdout: 'deferred joe@example.org 452 4.3.1 Full\n',
      exitCode: 75,
    });
  });

  it('exits 75, with a line for each recipient, when nobody answers at the port', async () => {
    const port = await scripted('', () => '');
    const free = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => free.on('listening', resolve));
    const address = free.address();
    await new Promise((resolve) => free.close(resolve));
    expect(port).toBeGreaterThan(0);
    const closed = typeof address === 'object' && address !== null ? address.port : 0;
    const { stdout, exitCode } = await send(closed, '--to', 'ann@example.org');
    expect(stdout).toMatch(
      /^deferred joe@example\.org .*ECONNREFUSED.*\ndeferred ann@example\.org .*ECONNREFUSED.*\n$/,
    );
    expect(exitCode).toBe(75);
  });

  it('exits 69 when the server will not serve it', async () => {
    const port = await scripted('554 No service\r\n', () => '221 Bye\r\n');
    expect(await send(port)).toEqual({
      stdout: 'rejected joe@example.org 554 No service\n',
      stderr: '',
      exitCode: 69,
    });
  });

  it.each([
    { greeting: 'HTTP/1.1 400 Bad Request\r\n', exception: '', says: '' },
    { greeting: '220 mx\r\n', exception: 'MAIL', says: 'OK\r\n' },
    { greeting: '220 mx\r\n', exception: 'DATA', says: '250 OK\r\n' },
  ])('exits 76 when the server breaks the protocol: $greeting$exception $says', async (script) => {
    const port = await scripted(script.greeting, takingAll(script.exception, script.says));
    const { stdout, exitCode } = await send(port);
    expect(stdout).toMatch(/^deferred joe@example\.org 127\.0\.0\.1: The server broke the protocol .*\n$/);
    expect(exitCode).toBe(76);
  });

  it('says unknown, and exits 75, when the connection is lost behind the final dot (RFC 1047)', async () => {
    const port = await scripted('220 mx\r\n', takingAll('.', undefined));
    const { stdout, exitCode } = await send(port);
    expect(stdout).toMatch(/^unknown joe@example\.org .*lost.*\n$/);
    expect(exitCode).toBe(75);
  });

  it.each([
    { silentAt: 'greeting', greeting: '', exception: '', verdict: 'deferred' },
    { silentAt: 'MAIL', greeting: '220 mx\r\n', exception: 'MAIL', verdict: 'deferred' },
    { silentAt: 'final dot', greeting: '220 mx\r\n', exception: '.', verdict: 'unknown' },
  ])('gives up after --timeout where the server is silent at the $silentAt', async (script) => {
    const port = await scripted(script.greeting, takingAll(script.exception, ''));
    const { stdout, exitCode } = await send(port, '--timeout', '2');
    const stopped = `${script.verdict} joe@example.org The delivery was stopped: not decided within the 2 s of --timeout`;
    expect(stdout.startsWith(stopped)).toBe(true);
    expect(exitCode).toBe(75);
  });

  it('keeps what it knows when the server is silent at QUIT until --timeout', async () => {
    const port = await scripted('220 mx\r\n', takingAll('QUIT', ''));
    const begin = performance.now();
    expect(await send(port, '--timeout', '2')).toEqual({
      stdout: 'delivered joe@example.org 250 OK\n',
      stderr: '',
      exitCode: 0,
    });
    expect(performance.now() - begin).toBeLessThan(20_000);
  });

  it.each(['421 Bye\r\n', undefined])('takes it when the server ends the session itself', async (says) => {
    const port = await scripted('220 mx\r\n', takingAll('DATA', says));
    expect(await send(port)).toMatchObject({
      stdout: expect.stringMatching(/^deferred /),
      stderr: '',
      exitCode: 75,
    });
  });

  it('refuses a message that cannot be sent, before it connects', async () => {
    const words = ['send', '--host', '127.0.0.1', '--port', '1', '--from', '<>', '--to', 'joe@example.org'];
    const { stdout, stderr, exitCode } = await sansmtp(words, 'a\rb\n');
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 64 });
    expect(stderr).toMatch(/^error: standard input: .*CR.* octet 1.*\n$/);
  });

  it('shows the dialogue with --verbose, but not the message', async () => {
    const { port } = await serving();
    const { stderr } = await send(port, '--verbose');
    expect(stderr).toMatch(/^S: 220 mx\.example ESMTP\nC: EHLO client\.example\n/);
    expect(stderr).toContain('C: MAIL FROM:<ann@example.com> SIZE=20\n');
    expect(stderr).toMatch(
      /^S: 354 .*\nC: \(\d+ octets of mail data on the wire\)\nS: 250 2\.0\.0 .*\nC: QUIT\nS: 221 .*\n$/m,
    );
    expect(stderr).not.toContain('Subject');
  });

  it('shows it as NDJSON with --json', async () => {
    const { port } = await serving();
    const { stdout, stderr } = await send(port, '--verbose', '--json');
    const records = stderr
      .trimEnd()
      .split('\n')
      .map((record) => JSON.parse(record));
    expect(records[1]).toMatchObject({ speaker: 'C', msg: 'EHLO client.example' });
    expect(stdout).toMatch(/^delivered /);
  });
});
