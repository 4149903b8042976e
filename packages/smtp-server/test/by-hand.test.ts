/** What programs and tests reach for below the server: connections without a socket, and the parser as a stream. */
import { describe, expect, it } from 'vitest';
import { SMTPConnection, SMTPServer, type SMTPServerOptions } from '../src/index.js';
import { SMTPStream } from '../src/streams/command-stream.js';

function connectionOf(options: SMTPServerOptions = {}): SMTPConnection {
  return new SMTPConnection(new SMTPServer({ logger: false, ...options }), {});
}

/** What `send()` is told when a line is handled by hand. */
function sent(connection: SMTPConnection, verb: 'EHLO' | 'MAIL' | 'RCPT', line: string) {
  return new Promise<[number, string | readonly string[] | undefined]>((resolve) => {
    connection.send = (code, text) => resolve([code, text]);
    connection[`handler_${verb}`](line, () => {});
  });
}

describe('a connection by hand', () => {
  it('has an id of its own, or the one that it is given', () => {
    const ids = new Set(Array.from({ length: 50 }, () => connectionOf().id));
    expect(ids.size).toBe(50);
    for (const id of ids) expect(id).toMatch(/^[0-9a-v]{16}$/);
    expect(new SMTPConnection(new SMTPServer({ logger: false }), {}, { id: 'mine' }).session.id).toBe('mine');
  });

  it.each([
    ['<a@example.com>', { address: 'a@example.com', args: false }],
    [
      '<a@example.com> SIZE=12    RET=HDRS  ',
      { address: 'a@example.com', args: { SIZE: '12', RET: 'HDRS' } },
    ],
    ['<a@example.com> ENVID=ab+2Bcd', { address: 'a@example.com', args: { ENVID: 'ab+cd' } }],
    ['<a@[IPv6:2001:0db8:0:0::1]>', { address: 'a@[IPv6:2001:db8::1]', args: false }],
    ['<a@[IPv6:::ffff:192.168.1.1]>', { address: 'a@[IPv6:::ffff:192.168.1.1]', args: false }],
    ['<>', { address: '', args: false }],
    ['<a@[999.1.1.1]>', false],
    ['<a@[IPv6:none]>', false],
    ['<ilo.@example.com>', false],
    ['<a@example.com.>', false],
    ['<a@exam\u200bple.com>', false],
    ['<te\x00st@example.com>', false],
    ['<a@example.com> ENVID=ab+0D+0Acd', false],
    ['a@example.com', false],
  ])('reads MAIL FROM:%s', (rest, expected) => {
    expect(connectionOf()._parseAddressCommand('mail from', `MAIL FROM:${rest}`)).toEqual(expected);
  });

  it('reads what lenientAddressParsing takes', () => {
    const connection = connectionOf({ lenientAddressParsing: true });
    const long = `${'a'.repeat(300)}@example.com`;
    for (const address of ['ilo.@example.com', '.te..st.@example..com.', long]) {
      expect(connection._parseAddressCommand('MAIL FROM', `MAIL FROM:<${address}>`)).toEqual({
        address,
        args: false,
      });
    }
    for (const text of ['<a>', '<@b>', '<a@>', 'a@b', '<a\x00@b>']) {
      expect(connection._parseAddressCommand('MAIL FROM', `MAIL FROM:${text}`)).toBe(false);
    }
  });

  it('answers EHLO with the extensions, as TLS has them', async () => {
    const connection = connectionOf({ disabledCommands: ['AUTH'], hideREQUIRETLS: false });
    connection.secure = true;
    expect(await sent(connection, 'EHLO', 'EHLO c.example')).toEqual([
      250,
      expect.arrayContaining(['REQUIRETLS']),
    ]);
  });

  it('answers MAIL and RCPT, asking the handlers', async () => {
    const connection = connectionOf({
      hideDSN: false,
      onMailFrom({ args }, { envelope }, callback) {
        callback(args && args.RET === 'FULL' && envelope.dsn?.ret === 'FULL' ? null : new Error('No'));
      },
    });
    expect(await sent(connection, 'MAIL', 'MAIL FROM:<a@example.com> RET=FULL')).toEqual([250, 'Accepted']);
    expect(await sent(connection, 'RCPT', 'RCPT TO:<b@example.com> NOTIFY=SUCCESS')).toEqual([
      250,
      'Accepted',
    ]);
    expect(connection.session.envelope.rcptTo).toMatchObject([{ dsn: { notify: ['SUCCESS'] } }]);
    expect(await sent(connectionOf({ hideDSN: false }), 'MAIL', 'MAIL FROM:<a@example.com> RET=X')).toEqual([
      501,
      expect.stringContaining('Invalid RET parameter'),
    ]);
  });
});

describe('SMTPStream', () => {
  it('gives commands one after the other, and the message between', async () => {
    const stream = new SMTPStream();
    const commands: string[] = [];
    let message = '';
    stream.oncommand = (command, next) => {
      commands.push(command.toString());
      if (commands.at(-1) === 'DATA') {
        const data = stream.startDataMode(4);
        data.on('data', (chunk) => {
          message += chunk;
        });
        data.on('end', () => {
          commands.push(`${data.byteLength} ${data.sizeExceeded}`);
          stream.continue();
        });
      }
      next?.();
    };
    stream.write('NOOP\r\nDA');
    stream.write('TA\r\nline\r\n..dot\r\n.\r');
    await new Promise<void>((resolve) => stream.end('\nQUIT', resolve));
    expect(commands).toEqual(['NOOP', 'DATA', '12 true', 'QUIT']);
    expect(message).toBe('line\r\n.dot\r\n');
  });

  it('gives no line over its limit', async () => {
    const stream = new SMTPStream({ maxCommandLength: 10 });
    const failed = new Promise((resolve) => stream.on('error', resolve));
    stream.write('x'.repeat(11));
    expect(await failed).toEqual(new Error('Command line too long'));
  });
});
