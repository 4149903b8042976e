import { createWriteStream } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { SMTPServerDataStream, SMTPServerOptions } from '../src/index.js';
import { Client, codes, HELLO, listening, MAIL, OPEN, RCPT, replies } from './conversation.js';

const MESSAGE = 'Subject: hello\r\n\r\n..a dot\r\n.';
const START = [HELLO, MAIL, RCPT, 'DATA'];

async function textOf(stream: SMTPServerDataStream): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk;
  return text;
}

describe('onData', () => {
  it('gets the message as a stream, and the envelope in the session', async () => {
    const received: unknown[] = [];
    const answers = await replies(
      {
        ...OPEN,
        onData(stream, { envelope, transaction }, callback) {
          const { mailFrom, rcptTo } = envelope;
          const to = rcptTo.map(({ address }) => address);
          textOf(stream).then((text) => {
            received.push({ from: mailFrom ? mailFrom.address : '', to, text, transaction });
            callback(null, 'Message queued as abcdef');
          });
        },
      },
      ...START,
      MESSAGE,
      MAIL,
      RCPT,
      'DATA',
      MESSAGE,
    );
    expect(answers[4]).toBe('250 Message queued as abcdef');
    const message = {
      from: 'ann@example.org',
      to: ['bob@example.com'],
      text: 'Subject: hello\r\n\r\n.a dot\r\n',
    };
    expect(received).toEqual([
      { ...message, transaction: 1 },
      { ...message, transaction: 2 },
    ]);
  });

  it('refuses by its error', async () => {
    const refusing = (error: Error): SMTPServerOptions => ({
      ...OPEN,
      onData(stream, _, callback) {
        stream.resume();
        stream.on('end', () => callback(error));
      },
    });
    const last = async (options: SMTPServerOptions) => (await replies(options, ...START, MESSAGE))[4];
    expect(await last(refusing(new Error('Not queued')))).toBe('450 Not queued');
    expect(await last(refusing(Object.assign(new Error('Spam'), { responseCode: 554 })))).toBe('554 Spam');
  });

  it('may call back before the message has come, or without reading it', async () => {
    const before: SMTPServerOptions = {
      ...OPEN,
      onData(stream, _, callback) {
        stream.pipe(createWriteStream('/dev/null'));
        callback();
      },
    };
    const large = `${'#'.repeat(70)}\r\n`.repeat(10_000);
    expect(await codes(before, ...START, `${large}.`)).toEqual([250, 250, 250, 354, 250]);
    const without: SMTPServerOptions = {
      ...OPEN,
      onData: (_stream, _session, callback) => callback(null, 'Fine'),
    };
    expect(await codes(without, ...START, `${large}.`)).toEqual([250, 250, 250, 354, 250]);
  });

  it('hears of a message that is too large while it comes', async () => {
    const seen: unknown[] = [];
    const options: SMTPServerOptions = {
      ...OPEN,
      size: 10,
      onData(stream, _, callback) {
        stream.on('data', () => seen.push(stream.sizeExceeded));
        stream.on('end', () => callback(stream.sizeExceeded ? new Error('Too large') : null));
      },
    };
    expect((await replies(options, ...START, MESSAGE))[4]).toBe('450 Too large');
    expect(seen).toContain(true);
    const rejecting = { ...options, rejectOversized: true };
    expect((await replies(rejecting, ...START, MESSAGE))[4]).toBe(
      '552 Error: message exceeds fixed maximum message size 10',
    );
  });

  it('has its stream destroyed when the connection breaks', async () => {
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise((resolve) => {
      fail = resolve;
    });
    const { port } = await listening({
      ...OPEN,
      onData(stream) {
        stream.on('error', fail);
        stream.resume();
      },
    });
    const client = await Client.greeted(port);
    await client.say(...START);
    client.write('Subject: half\r\n');
    client.socket.destroy();
    expect(await failed).toMatchObject({ code: 'ECONNECTION' });
  });

  it('gets a bare LF as a line end where bareNewline says so, and never as the end of the message', async () => {
    let text = '';
    const options: SMTPServerOptions = {
      ...OPEN,
      bareNewline: 'normalize',
      onData(stream, _, callback) {
        textOf(stream).then((whole) => {
          text = whole;
          callback();
        });
      },
    };
    expect(await codes(options, ...START, 'Subject: a\n\n.\nstill the same\r\n.')).toEqual([
      250, 250, 250, 354, 250,
    ]);
    expect(text).toContain('still the same');
  });

  it('gets no message with a bare LF in it (RFC 5321 §2.3.8)', async () => {
    expect(await codes(OPEN, ...START, 'Subject: a\n\n.\nMAIL FROM:<evil@example.org>\r\n.')).toEqual([
      250, 250, 250, 354, 554,
    ]);
  });
});

describe('LMTP (RFC 2033)', () => {
  it('begins with LHLO, and answers for each recipient', async () => {
    const { port } = await listening({
      ...OPEN,
      lmtp: true,
      onData(stream, _, callback) {
        stream.resume();
        const full = Object.assign(new Error('Mailbox full'), { responseCode: 452 });
        stream.on('end', () => callback(null, ['Stored', full]));
      },
    });
    const client = await Client.greeted(port);
    expect((await client.say('EHLO c'))[0]).toBe('500 Error: EHLO not allowed in LMTP server');
    await client.say('LHLO c', MAIL, RCPT, 'RCPT TO:<eve@example.com>', 'DATA');
    expect([...(await client.say(MESSAGE)), await client.reply()]).toEqual([
      '250 Stored',
      '452 Mailbox full',
    ]);
  });
});

describe('the handlers of the envelope', () => {
  it('refuse by their error, by 550 unless it says otherwise', async () => {
    const options: SMTPServerOptions = {
      ...OPEN,
      onMailFrom: ({ address }, _, callback) =>
        callback(/^deny/.test(address) ? new Error('Not accepted') : null),
      onRcptTo: (_address, _session, callback) =>
        callback(Object.assign(new Error('Later'), { responseCode: 450 })),
    };
    expect(await replies(options, HELLO, 'MAIL FROM:<deny@example.org>', MAIL, RCPT)).toEqual([
      expect.any(String),
      '550 Not accepted',
      '250 Accepted',
      '450 Later',
    ]);
  });

  it('that throw are a fault: 451, without a word of theirs, and the session goes on', async () => {
    const logged: unknown[] = [];
    const options: SMTPServerOptions = {
      ...OPEN,
      logger: { error: (...entry: unknown[]) => logged.push(entry) },
      onMailFrom({ address }, _, callback) {
        if (address === 'throw@example.org') throw new Error('Handler bug');
        callback();
      },
    };
    const [, failed, mail] = await replies(options, HELLO, 'MAIL FROM:<throw@example.org>', MAIL);
    expect(failed).toMatch(/^451 /);
    expect(failed).not.toContain('bug');
    expect(mail).toBe('250 Accepted');
    expect(JSON.stringify(logged)).toContain('Handler bug');
  });

  it('count a recipient that is given twice once, and stop at maxRecipients', async () => {
    const lists: number[] = [];
    const options: SMTPServerOptions = {
      ...OPEN,
      maxRecipients: 3,
      onData(stream, { envelope }, callback) {
        lists.push(envelope.rcptTo.length);
        stream.resume().on('end', () => callback());
      },
    };
    const answers = await codes(
      options,
      HELLO,
      MAIL,
      RCPT,
      RCPT.toUpperCase(),
      RCPT,
      'RCPT TO:<c@example.com>',
      'DATA',
      '.',
    );
    expect(answers).toEqual([250, 250, 250, 250, 250, 452, 354, 250]);
    expect(lists).toEqual([1]);
  });
});
