import { describe, expect, it } from 'vitest';
import type { SMTPServerSession } from '../src/index.js';
import { Client, codes, HELLO, listening, MAIL, OPEN, RCPT, replies } from './conversation.js';

describe('commands in their order (RFC 5321 §4.1.4)', () => {
  it.each([
    ['MAIL before EHLO', [MAIL], [503]],
    ['RCPT before MAIL', [HELLO, RCPT], [250, 503]],
    ['DATA before RCPT', [HELLO, MAIL, 'DATA'], [250, 250, 503]],
    ['MAIL within a mail transaction', [HELLO, MAIL, MAIL], [250, 250, 503]],
    ['RSET ends the mail transaction', [HELLO, MAIL, 'RSET', RCPT], [250, 250, 250, 503]],
    ['EHLO ends the mail transaction', [HELLO, MAIL, HELLO, RCPT], [250, 250, 250, 503]],
    ['HELO without a name', ['HELO'], [501]],
    ['HELO and EHLO with two', ['HELO c example', 'EHLO c example', MAIL], [501, 501, 503]],
    ['STARTTLS with an argument', [HELLO, 'STARTTLS now'], [250, 501]],
    ['an unknown command', ['EXPN list', 'ZOOP', ''], [500, 500, 500]],
    ['VRFY', ['VRFY bob', 'HELP'], [252, 214]],
    ['QUIT, and nothing after', ['QUIT', 'NOOP'], [221, undefined]],
    ['XCLIENT from somebody', ['XCLIENT ADDR=192.0.2.1'], [550]],
  ])('%s', async (_, lines, expected) => {
    expect(await codes(OPEN, ...lines)).toEqual(expected);
  });

  it('has the words that programs look for', async () => {
    const { port } = await listening({ ...OPEN, name: 'mx.example.com' });
    const client = await Client.to(port);
    expect(await client.reply()).toBe('220 mx.example.com ESMTP');
    const [hello, ...others] = await client.say(
      HELLO,
      RCPT,
      MAIL,
      MAIL,
      RCPT,
      'STARTTLS now',
      'NOOP',
      'ZOOP',
      'QUIT',
    );
    expect(hello).toMatch(/^250-mx\.example\.com Nice to meet you, \[127\.0\.0\.1\]\n/);
    expect(others).toEqual([
      '503 Error: need MAIL command',
      '250 Accepted',
      '503 Error: nested MAIL command',
      '250 Accepted',
      '501 Error: syntax: STARTTLS',
      '250 OK',
      '500 Error: command not recognized',
      '221 Bye',
    ]);
  });

  it('says of RSET that it flushed, and of NOOP that it is OK', async () => {
    expect(await replies(OPEN, 'RSET', 'NOOP')).toEqual(['250 Flushed', '250 OK']);
  });

  it('offers proxies the attributes that smtp-server knows', async () => {
    const [hello = ''] = await replies({ ...OPEN, useXClient: true, useXForward: true }, HELLO);
    expect(hello.split('\n').slice(-2)).toEqual([
      '250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN',
      '250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE',
    ]);
  });

  it('gives enhanced status codes where they are not hidden (RFC 2034)', async () => {
    const [, mail, rcpt] = await replies(
      { ...OPEN, hideENHANCEDSTATUSCODES: false },
      HELLO,
      MAIL,
      'RCPT TO:<bad',
    );
    expect([mail, rcpt]).toEqual(['250 2.1.0 Accepted', '501 5.1.3 Error: Bad recipient address syntax']);
  });

  it('refuses a command that is disabled, for a session too', async () => {
    expect(await codes({ disabledCommands: ['auth', 'VRFY'] }, 'VRFY bob', HELLO, 'AUTH PLAIN')).toEqual([
      500, 250, 500,
    ]);
    const forThis = await replies(
      {
        ...OPEN,
        onConnect(session, callback) {
          session.disabledCommands = ['starttls'];
          callback();
        },
      },
      HELLO,
      'STARTTLS',
    );
    expect(forThis[0]).not.toContain('STARTTLS');
    expect(forThis[1]).toMatch(/^500 /);
  });
});

describe('the reply to EHLO', () => {
  const keywords = async (options: object) =>
    (await replies(options, HELLO))[0]
      ?.split('\n')
      .slice(1)
      .map((line) => line.slice(4));

  it('has what smtp-server offers, in its order', async () => {
    expect(await keywords(OPEN)).toEqual(['PIPELINING', '8BITMIME', 'SMTPUTF8', 'STARTTLS']);
    expect(await keywords({ disabledCommands: ['STARTTLS'] })).toEqual([
      'PIPELINING',
      '8BITMIME',
      'SMTPUTF8',
      'AUTH LOGIN PLAIN',
    ]);
    expect(
      await keywords({
        disabledCommands: ['AUTH', 'STARTTLS'],
        hideENHANCEDSTATUSCODES: false,
        hideDSN: false,
        size: 1024,
      }),
    ).toEqual(['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'DSN', 'SIZE 1024']);
  });

  it('hides what an option hides, which is taken all the same', async () => {
    const [hello, mail] = await replies(
      { ...OPEN, hideSTARTTLS: true, hide8BITMIME: true, hidePIPELINING: true, hideSMTPUTF8: true },
      HELLO,
      'MAIL FROM:<ann@example.org> BODY=8BITMIME SMTPUTF8 SIZE=12',
    );
    expect(hello).not.toContain('\n');
    expect(mail).toBe('250 Accepted');
  });

  it('begins as heloResponse says', async () => {
    const [hello] = await replies({ ...OPEN, name: 'mx', heloResponse: 'Hello %s, I am %s' }, 'HELO c');
    expect(hello).toBe('250 Hello mx, I am [127.0.0.1]');
  });
});

describe('the parameters of MAIL and RCPT', () => {
  it.each([
    ['RET=INVALID', 501, 'Invalid RET parameter'],
    ['BODY=INVALID', 501, 'Invalid BODY parameter'],
    ['BODY', 501, 'BODY parameter requires a value'],
    ['SMTPUTF8=YES', 501, 'does not accept a value'],
    ['REQUIRETLS', 530, 'not permitted on non-TLS'],
    ['SIZE=abc', 501, 'Bad message size syntax'],
    ['SIZE=2048', 552, 'message exceeds fixed maximum message size 1024'],
  ])('MAIL with %s gets %i', async (parameter, code, text) => {
    const options = { ...OPEN, hideDSN: false, hideREQUIRETLS: false, size: 1024 };
    const [, reply] = await replies(options, HELLO, `MAIL FROM:<ann@example.org> ${parameter}`);
    expect(reply).toMatch(new RegExp(`^${code} .*${text}`));
  });

  it.each([
    ['NOTIFY=SOMETIMES', 'NOTIFY parameter must be'],
    ['NOTIFY=NEVER,SUCCESS', 'NOTIFY=NEVER cannot be combined'],
    ['ORCPT=bob@example.com', 'Bad ORCPT parameter syntax'],
    ['NOTIFY', 'NOTIFY parameter requires a value'],
  ])('RCPT with %s gets 501', async (parameter, text) => {
    const [, , reply] = await replies({ ...OPEN, hideDSN: false }, HELLO, MAIL, `${RCPT} ${parameter}`);
    expect(reply).toMatch(new RegExp(`^501 .*${text}`));
  });

  it('stand in the envelope and in the address', async () => {
    const seen: SMTPServerSession['envelope'][] = [];
    await codes(
      {
        ...OPEN,
        hideDSN: false,
        onRcptTo(address, session, callback) {
          seen.push({ ...session.envelope, rcptTo: [address] });
          callback();
        },
      },
      HELLO,
      'MAIL FROM:<ann@example.org> SIZE=99 BODY=8BITMIME RET=HDRS ENVID=ab+2Bcd',
      `${RCPT} NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@example.com`,
    );
    expect(seen).toEqual([
      {
        mailFrom: {
          address: 'ann@example.org',
          args: { SIZE: '99', BODY: '8BITMIME', RET: 'HDRS', ENVID: 'ab+cd' },
        },
        rcptTo: [
          {
            address: 'bob@example.com',
            args: { NOTIFY: 'SUCCESS,FAILURE', ORCPT: 'rfc822;bob@example.com' },
            dsn: { notify: ['SUCCESS', 'FAILURE'], orcpt: 'rfc822;bob@example.com' },
          },
        ],
        bodyType: '8bitmime',
        smtpUtf8: false,
        requireTLS: false,
        dsn: { ret: 'HDRS', envid: 'ab+cd' },
      },
    ]);
  });

  it('that nobody offered are refused (RFC 5321 §4.1.1.11)', async () => {
    expect(await codes(OPEN, HELLO, `${MAIL} CUSTOM=1`)).toEqual([250, 555]);
  });
});

describe('addresses', () => {
  const addressesOf = async (options: object, mail: string, rcpt: string) => {
    const seen: string[] = [];
    const note = ({ address }: { address: string }, _: unknown, callback: () => void) => {
      seen.push(address);
      callback();
    };
    const answers = await codes({ ...OPEN, ...options, onMailFrom: note, onRcptTo: note }, HELLO, mail, rcpt);
    return [...answers.slice(1), ...seen];
  };

  it('are shown without source routes, in Unicode, and literals in their shortest form', async () => {
    expect(
      await addressesOf(
        {},
        'MAIL FROM:<@relay.example:a@xn--bcher-kva.example>',
        'RCPT TO:<b@[IPv6:2001:db8:0:0::1]>',
      ),
    ).toEqual([250, 250, 'a@bücher.example', 'b@[IPv6:2001:db8::1]']);
    expect(await addressesOf({}, 'MAIL FROM:<>', 'RCPT TO:<Postmaster>')).toEqual([
      250,
      250,
      '',
      'Postmaster',
    ]);
    expect(await addressesOf({}, `${MAIL} SMTPUTF8`, 'RCPT TO:<δοκιμή@παράδειγμα.δοκιμή>')).toEqual([
      250,
      250,
      'ann@example.org',
      'δοκιμή@παράδειγμα.δοκιμή',
    ]);
  });

  it('with stray dots are refused, or taken with lenientAddressParsing', async () => {
    expect(await addressesOf({}, 'MAIL FROM:<ilo.@example.com>', 'NOOP')).toEqual([501, 250]);
    expect(
      await addressesOf({ lenientAddressParsing: true }, 'MAIL FROM:<ilo.@example.com>', 'NOOP'),
    ).toEqual([250, 250, 'ilo.@example.com']);
  });
});

describe('a client that misbehaves', () => {
  it('is turned away when it does not wait for the greeting', async () => {
    const { port } = await listening(OPEN);
    const client = await Client.to(port);
    client.write('EHLO early\r\n');
    expect(await client.reply()).toMatch(/^421 .* You talk too soon$/);
    expect(await client.reply()).toBeUndefined();
  });

  it('is turned away when it speaks HTTP', async () => {
    const [reply, next] = await replies(OPEN, 'GET / HTTP/1.0', 'NOOP');
    expect(reply).toBe('421 HTTP requests not allowed');
    expect(next).toBeUndefined();
  });

  it('may not go on without AUTH for ever', async () => {
    const { port } = await listening({ maxAllowedUnauthenticatedCommands: 3 });
    const client = await Client.greeted(port);
    expect(await client.say('NOOP', 'NOOP', 'NOOP')).toEqual(['250 OK', '250 OK', '250 OK']);
    expect(await client.reply()).toBe('421 Error: too many unauthenticated commands');
  });

  it('goes after ten commands that are none', async () => {
    const answers = await codes(OPEN, ...Array.from({ length: 10 }, () => 'ZOOP'));
    expect(answers.slice(0, 9)).toEqual(Array(9).fill(500));
    expect(answers[9]).toBe(421);
  });

  it('goes when it is idle', async () => {
    const { port } = await listening({ ...OPEN, socketTimeout: 300 });
    const client = await Client.greeted(port);
    expect(await client.reply()).toBe('421 Timeout - closing connection');
  });

  it('has its line refused when it is too long, and goes on (RFC 5321 §4.5.3.1.9)', async () => {
    expect(await codes({ ...OPEN, maxCommandLength: 100 }, `NOOP ${'x'.repeat(100)}`, 'NOOP')).toEqual([
      500, 250,
    ]);
  });
});
