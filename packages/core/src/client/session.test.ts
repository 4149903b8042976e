import { describe, expect, it } from 'vitest';
import { LocalProtocolError, RemoteProtocolError } from '../errors.js';
import { MailDataError } from '../wire/mail-data-encoder.js';
import {
  begun,
  Dialogue,
  ended,
  failureIn,
  mailbox,
  octetsOf,
  type Shown,
  verdictsIn,
  written,
} from './dialogue.test-support.js';
import { ClientSession } from './session.js';

const reply = (code: number, ...lines: string[]) => ({ code, lines });
const MAIL = 'MAIL FROM:<s@a.example>\r\n';
const rcpt = (index: number) => `RCPT TO:<r${index}@b.example>\r\n`;
const DATA = 'DATA\r\n';
const closed = { type: 'closed' };
const close = { type: 'close' };

describe('the greeting', () => {
  it('is awaited before anything is written (RFC 5321 §3.1)', () => {
    const client = new Dialogue();
    expect(client.session.poll()).toBeUndefined();
    expect(client.hear('220-b.example', '220 ESMTP')).toEqual([
      { type: 'greeting', reply: reply(220, 'b.example', 'ESMTP') },
      'EHLO c.example\r\n',
    ]);
    expect(client.session.state).toBe('session.identifying');
  });

  it.each([554, 450, 599])('that refuses with %i is answered by QUIT (RFC 5321 §3.1)', (code) => {
    const client = new Dialogue();
    expect(client.hear(`${code} No service`)).toEqual([
      { type: 'failed', failure: { kind: 'refused', phase: 'greeting', reply: reply(code, 'No service') } },
      'QUIT\r\n',
    ]);
    expect(client.hear('221 Bye')).toEqual([close]);
    expect(client.handle({ type: 'eof' })).toEqual([closed]);
  });

  it('of 421 ends the session without QUIT (RFC 5321 §3.8)', () => {
    expect(new Dialogue().hear('421 Busy')).toEqual([
      { type: 'failed', failure: { kind: 'refused', phase: 'greeting', reply: reply(421, 'Busy') } },
      close,
    ]);
  });

  it('is not waited for behind a refusal: whatever comes for QUIT, the session ends, and fails once', () => {
    const endings: ((client: Dialogue) => Shown[])[] = [
      (client) => client.hear('garbage'),
      (client) => client.timeout(),
      (client) => client.handle({ type: 'eof' }),
      (client) => client.handle({ type: 'lost' }),
    ];
    for (const end of endings) {
      const client = new Dialogue();
      client.hear('554 No');
      expect(end(client)).toEqual([closed]);
    }
  });
});

describe('EHLO and HELO', () => {
  it('makes known what the server offers (RFC 5321 §4.1.1.1)', () => {
    const client = new Dialogue();
    client.hear('220 b.example');
    const offer = {
      verb: 'EHLO',
      name: 'b.example',
      keywords: new Map([
        ['SIZE', '1000'],
        ['PIPELINING', ''],
      ]),
    };
    expect(client.session.offer).toBeUndefined();
    expect(client.hear('250-b.example hello', '250-size 1000', '250 PIPELINING')).toEqual([
      { type: 'ready', offer },
    ]);
    expect(client.session.offer).toEqual(offer);
    expect(client.session.state).toBe('session.ready');
  });

  it.each([500, 501, 502, 504])('tries HELO after %i to EHLO (RFC 5321 §3.2)', (code) => {
    const client = new Dialogue();
    client.hear('220 b.example');
    expect(client.hear(`${code} What?`)).toEqual(['HELO c.example\r\n']);
    expect(client.hear('250-b.example hello', '250 PIPELINING')).toEqual([
      { type: 'ready', offer: { verb: 'HELO', name: 'b.example', keywords: new Map() } },
    ]);
  });

  it.each([503, 550, 554, 450])('takes %i to EHLO for a refusal of us, and sends QUIT', (code) => {
    const client = new Dialogue();
    client.hear('220 b.example');
    expect(client.hear(`${code} No`)).toEqual([
      { type: 'failed', failure: { kind: 'refused', phase: 'hello', reply: reply(code, 'No') } },
      'QUIT\r\n',
    ]);
  });

  it.each([500, 550, 450])('takes %i to HELO for a refusal', (code) => {
    const client = new Dialogue();
    client.hear('220 b.example');
    client.hear('502 No EHLO');
    expect(failureIn(client.hear(`${code} No`))).toMatchObject({ kind: 'refused', phase: 'hello' });
    expect(client.session.state).toBe('refused');
  });

  it('gives an address literal for a host without a name (RFC 5321 §4.1.4)', () => {
    const session = new ClientSession({ now: 0 });
    session.handle({ type: 'bytes', bytes: octetsOf('220 b\r\n'), now: 0 });
    session.poll();
    expect(session.poll()).toEqual({ type: 'write', bytes: octetsOf('EHLO [127.0.0.1]\r\n') });
  });

  it('refuses a name that would end the line', () => {
    expect(() => new ClientSession({ hostname: 'a\r\nQUIT', now: 0 })).toThrow(RangeError);
  });
});

describe('a mail transaction without PIPELINING', () => {
  it('sends one command at a time (RFC 5321 §3.3)', () => {
    const client = new Dialogue().ready();
    expect(client.send(2)).toEqual([MAIL]);
    expect(client.hear('250 OK')).toEqual([rcpt(0)]);
    expect(client.hear('250 OK')).toEqual([
      { type: 'recipient', index: 0, reply: reply(250, 'OK') },
      rcpt(1),
    ]);
    expect(client.hear('250 OK')).toEqual([{ type: 'recipient', index: 1, reply: reply(250, 'OK') }, DATA]);
    expect(client.session.wantsMailData).toBe(false);
    expect(client.hear('354 Go on')).toEqual([{ type: 'mailDataWanted' }]);
    expect(client.session.wantsMailData).toBe(true);
    expect(client.data('Hello\r\n')).toEqual(['Hello\r\n']);
    expect(client.end()).toEqual(['.\r\n']);
    const delivered = { verdict: 'delivered', phase: 'message', reply: reply(250, 'Taken') };
    expect(client.hear('250 Taken')).toEqual([{ type: 'done', verdicts: [delivered, delivered] }]);
    expect(client.session.state).toBe('session.ready');
  });

  it('may be followed by another, and by QUIT', () => {
    const client = new Dialogue().sending();
    client.end();
    client.hear('250 OK');
    expect(client.send()).toEqual([MAIL]);
    client.hear('550 No');
    expect(client.handle({ type: 'quit' })).toEqual(['QUIT\r\n']);
    expect(client.hear('221 Bye')).toEqual([close]);
    expect(client.handle({ type: 'eof' })).toEqual([closed]);
    expect(client.session.nextDeadline()).toBeUndefined();
  });

  it('takes a null reverse-path, and the parameters that the server offers (RFC 5321 §4.5.5)', () => {
    const envelope = {
      reversePath: null,
      parameters: { size: 10, body: '8BITMIME' },
      recipients: [mailbox('Postmaster@')],
    } as const;
    expect(new Dialogue().ready('SIZE').handle({ type: 'send', envelope })).toEqual([
      'MAIL FROM:<> SIZE=10\r\n',
    ]);
    expect(new Dialogue().ready('8BITMIME', 'SIZE 20').handle({ type: 'send', envelope })).toEqual([
      'MAIL FROM:<> SIZE=10 BODY=8BITMIME\r\n',
    ]);
    expect(new Dialogue().ready().handle({ type: 'send', envelope })).toEqual(['MAIL FROM:<>\r\n']);
  });

  it('gives each recipient its own verdict', () => {
    const client = new Dialogue().ready();
    client.send(5);
    client.hear('250 OK');
    for (const code of [550, 251, 452, 552, 252]) client.hear(`${code} RCPT`);
    client.hear('354 Go on');
    client.end();
    expect(verdictsIn(client.hear('250 Taken'))).toEqual([
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'RCPT') },
      { verdict: 'delivered', phase: 'message', reply: reply(250, 'Taken') },
      { verdict: 'deferred', phase: 'rcpt', reply: reply(452, 'RCPT') },
      { verdict: 'deferred', phase: 'rcpt', reply: reply(552, 'RCPT') },
      { verdict: 'delivered', phase: 'message', reply: reply(250, 'Taken') },
    ]);
  });

  it('that no recipient is left to sends RSET instead of DATA, and is done once that is answered', () => {
    const client = new Dialogue().ready();
    client.send(2);
    client.hear('250 OK');
    client.hear('550 No');
    expect(client.hear('450 No')).toEqual([
      { type: 'recipient', index: 1, reply: reply(450, 'No') },
      'RSET\r\n',
    ]);
    expect(client.session.state).toBe('session.resetting');
    expect(client.hear('250 OK')).toEqual([
      {
        type: 'done',
        verdicts: [
          { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'No') },
          { verdict: 'deferred', phase: 'rcpt', reply: reply(450, 'No') },
        ],
      },
    ]);
    expect(client.send()).toEqual([MAIL]);
  });

  it.each([
    [450, 'deferred'],
    [552, 'rejected'],
  ])('whose MAIL is refused by %i is %s for all, and needs no RSET', (code, verdict) => {
    const client = new Dialogue().ready();
    client.send(2);
    const each = { verdict, phase: 'mail', reply: reply(code, 'No') };
    expect(client.hear(`${code} No`)).toEqual([{ type: 'done', verdicts: [each, each] }]);
    expect(client.session.state).toBe('session.ready');
  });

  it('whose DATA is refused is dropped by RSET; refused recipients keep their reply', () => {
    const client = new Dialogue().ready();
    client.send(2);
    client.hear('250 OK');
    client.hear('550 No');
    client.hear('250 OK');
    expect(client.hear('451 Not now')).toEqual(['RSET\r\n']);
    expect(verdictsIn(client.hear('250 OK'))).toEqual([
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'No') },
      { verdict: 'deferred', phase: 'data', reply: reply(451, 'Not now') },
    ]);
  });

  it.each([
    [452, 'deferred'],
    [552, 'rejected'],
    [599, 'rejected'],
  ])('whose final dot is answered by %i is %s, and over without RSET', (code, verdict) => {
    const client = new Dialogue().sending();
    client.end();
    expect(client.hear(`${code} No`)).toEqual([
      { type: 'done', verdicts: [{ verdict, phase: 'message', reply: reply(code, 'No') }] },
    ]);
    expect(client.session.state).toBe('session.ready');
  });

  it.each([450, 550])(
    'whose RSET is refused by %i ends the session: the next envelope would mix with it',
    (code) => {
      const client = new Dialogue().ready();
      client.send();
      client.hear('250 OK');
      client.hear('550 Unknown');
      expect(client.hear(`${code} No RSET`)).toEqual([
        { type: 'done', verdicts: [{ verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'Unknown') }] },
        { type: 'failed', failure: { kind: 'refused', phase: 'reset', reply: reply(code, 'No RSET') } },
        'QUIT\r\n',
      ]);
    },
  );

  it('reads codes that nobody defined by their first digit (RFC 5321 §4.2)', () => {
    const client = new Dialogue();
    client.hear('299 b.example');
    client.hear('288 b.example');
    client.send();
    client.hear('277 OK');
    client.hear('266 OK');
    client.hear('399 Go on');
    client.end();
    expect(verdictsIn(client.hear('255 Taken'))).toMatchObject([{ verdict: 'delivered' }]);
  });
});

describe('a mail transaction with PIPELINING (RFC 2920)', () => {
  const whole = MAIL + rcpt(0) + rcpt(1) + DATA;

  it('leaves in one write, and its replies are matched in order', () => {
    const client = new Dialogue().ready('PIPELINING');
    expect(client.send(2)).toEqual([whole]);
    expect(client.session.state).toBe('session.transaction.mailing');
    expect(client.hear('250 OK')).toEqual([]);
    expect(client.session.state).toBe('session.transaction.addressing');
    expect(client.hear('550 No', '250 OK')).toEqual([
      { type: 'recipient', index: 0, reply: reply(550, 'No') },
      { type: 'recipient', index: 1, reply: reply(250, 'OK') },
    ]);
    expect(client.session.state).toBe('session.transaction.initiating');
    expect(client.hear('354 Go on')).toEqual([{ type: 'mailDataWanted' }]);
    client.end();
    expect(verdictsIn(client.hear('250 OK'))).toMatchObject([
      { verdict: 'rejected' },
      { verdict: 'delivered' },
    ]);
  });

  it('is not sent so after HELO, whatever the reply to HELO lists', () => {
    const client = new Dialogue();
    client.hear('220 b.example');
    client.hear('500 What?');
    client.hear('250-b.example', '250 PIPELINING');
    expect(client.send()).toEqual([MAIL]);
  });

  it('answers a 354 without an accepted recipient by the lone dot (RFC 2920 §3.1)', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send(2);
    client.hear('250 OK', '550 No', '450 No');
    expect(client.hear('354 Go on')).toEqual(['.\r\n']);
    expect(client.session.state).toBe('session.transaction.terminating');
    expect(verdictsIn(client.hear('250 Taken for nobody'))).toEqual([
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'No') },
      { verdict: 'deferred', phase: 'rcpt', reply: reply(450, 'No') },
    ]);
    expect(client.session.state).toBe('session.ready');
  });

  it('keeps the refusals when the reply to the lone dot does not come', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send();
    client.hear('250 OK', '550 No', '354 Go on');
    const outputs = client.handle({ type: 'lost' });
    expect(verdictsIn(outputs)).toEqual([{ verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'No') }]);
    expect(failureIn(outputs)).toEqual({ kind: 'lost', phase: 'message' });
  });

  it('whose recipients and DATA are all refused is dropped by RSET', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send();
    expect(written(client.hear('250 OK', '550 No', '554 No valid recipients'))).toBe('RSET\r\n');
    expect(verdictsIn(client.hear('250 OK'))).toEqual([
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550, 'No') },
    ]);
  });

  it('whose MAIL is refused still takes the replies to what was written ahead, and lets MAIL decide', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send(2);
    expect(client.hear('451 Not now', '503 MAIL first', '250 Whatever')).toEqual([
      { type: 'recipient', index: 0, reply: reply(503, 'MAIL first') },
      { type: 'recipient', index: 1, reply: reply(250, 'Whatever') },
    ]);
    const each = { verdict: 'deferred', phase: 'mail', reply: reply(451, 'Not now') };
    expect(client.hear('503 MAIL first')).toEqual([{ type: 'done', verdicts: [each, each] }]);
    expect(client.session.state).toBe('session.ready');
  });

  it('whose MAIL is refused and DATA accepted gets the lone dot, even after an accepted RCPT', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send();
    expect(written(client.hear('550 No', '250 OK', '354 Go on'))).toBe('.\r\n');
    expect(verdictsIn(client.hear('250 OK'))).toEqual([
      { verdict: 'rejected', phase: 'mail', reply: reply(550, 'No') },
    ]);
  });

  it('keeps within maximumOctetsInFlight; the rest follows once half was answered', () => {
    const limit = MAIL.length + rcpt(0).length * 2;
    const client = new Dialogue({ maximumOctetsInFlight: limit }).ready('PIPELINING');
    expect(client.send(5)).toEqual([MAIL + rcpt(0) + rcpt(1)]);
    expect(client.hear('250 OK')).toEqual([]);
    expect(client.hear('250 OK')).toEqual([
      { type: 'recipient', index: 0, reply: reply(250, 'OK') },
      rcpt(2) + rcpt(3),
    ]);
    expect(written(client.hear('250 OK', '250 OK'))).toBe(rcpt(4) + DATA);
    expect(client.hear('250 OK', '250 OK', '354 Go on').at(-1)).toEqual({ type: 'mailDataWanted' });
  });

  it('sends one octet less, one command less', () => {
    const limit = MAIL.length + rcpt(0).length + DATA.length;
    const whole = new Dialogue({ maximumOctetsInFlight: limit }).ready('PIPELINING');
    expect(whole.send()).toEqual([MAIL + rcpt(0) + DATA]);
    const short = new Dialogue({ maximumOctetsInFlight: limit - 1 }).ready('PIPELINING');
    expect(short.send()).toEqual([MAIL + rcpt(0)]);
  });

  it('sends no DATA that is not on its way yet when the last recipient was refused', () => {
    const limit = MAIL.length + rcpt(0).length;
    const client = new Dialogue({ maximumOctetsInFlight: limit }).ready('PIPELINING');
    expect(client.send()).toEqual([MAIL + rcpt(0)]);
    expect(written(client.hear('250 OK', '550 No'))).toBe(DATA); // written before that refusal
    expect(client.session.state).toBe('session.transaction.initiating');

    const tight = new Dialogue({ maximumOctetsInFlight: 1 }).ready('PIPELINING');
    expect(tight.send()).toEqual([MAIL]);
    expect(written(tight.hear('250 OK'))).toBe(rcpt(0));
    expect(written(tight.hear('550 No'))).toBe('RSET\r\n');
  });

  it('sends no more RCPTs once MAIL was refused', () => {
    const limit = MAIL.length + rcpt(0).length;
    const client = new Dialogue({ maximumOctetsInFlight: limit }).ready('PIPELINING');
    expect(client.send(3)).toEqual([MAIL + rcpt(0)]);
    expect(written(client.hear('550 No'))).toBe('');
    const outputs = client.hear('503 MAIL first');
    expect(written(outputs)).toBe('');
    expect(verdictsIn(outputs)).toHaveLength(3);
    expect(client.session.state).toBe('session.ready');
  });

  it('sends no DATA once MAIL was refused, not even after an accepted RCPT', () => {
    const client = new Dialogue({ maximumOctetsInFlight: MAIL.length + rcpt(0).length }).ready('PIPELINING');
    expect(client.send()).toEqual([MAIL + rcpt(0)]);
    const outputs = client.hear('550 No', '250 Whatever');
    expect(written(outputs)).toBe('');
    expect(verdictsIn(outputs)).toMatchObject([{ verdict: 'rejected', phase: 'mail' }]);
    expect(client.session.state).toBe('session.ready');
  });
});

describe('the message', () => {
  it('is sent with transparency applied (RFC 5321 §4.5.2), lone line feeds as CRLF', () => {
    const client = new Dialogue().sending();
    expect(client.data('.a\n..b\r')).toEqual(['..a\r\n...b\r']);
    expect(client.data('\n')).toEqual(['\n']);
    expect(client.data('c')).toEqual(['c']);
    expect(client.end()).toEqual(['\r\n.\r\n']);
  });

  it('passes without being copied where nothing is to be added', () => {
    const client = new Dialogue().sending();
    const bytes = octetsOf('Hello\r\n');
    client.session.handle({ type: 'mailData', bytes, now: 0 });
    const output = client.session.poll();
    expect(output?.type === 'write' && output.bytes).toBe(bytes);
  });

  it('writes nothing for an empty piece', () => {
    expect(new Dialogue().sending().data('')).toEqual([]);
  });

  it.each(['a\0', 'a\rb', '\r\r'])('that holds %j cannot be ended any more', (text) => {
    const client = new Dialogue().sending();
    client.data('Hello\r\n');
    expect(() => client.data(text)).toThrow(MailDataError);
    expect(client.session.state).toBe('session.transaction.abandoned');
    expect(client.session.poll()).toBeUndefined();
    expect(() => client.data('more')).toThrow(LocalProtocolError);
    expect(() => client.end()).toThrow('allowed there: lost, once the connection is closed');
    expect(client.handle({ type: 'lost' })).toEqual([
      {
        type: 'done',
        verdicts: [{ verdict: 'deferred', phase: 'message', failure: { kind: 'lost', phase: 'message' } }],
      },
      { type: 'failed', failure: { kind: 'lost', phase: 'message' } },
      closed,
    ]);
  });

  it('that ends in CR cannot be ended', () => {
    const client = new Dialogue().sending();
    client.data('Hello\r');
    expect(() => client.end()).toThrow(MailDataError);
    expect(client.session.state).toBe('session.transaction.abandoned');
  });

  it('may have its lone line feeds refused', () => {
    const client = new Dialogue({ newlines: 'strict' }).sending();
    expect(() => client.data('a\n')).toThrow(MailDataError);
  });

  it('begins anew with each mail transaction', () => {
    const client = new Dialogue().sending();
    client.data('no line end');
    client.end();
    client.hear('250 OK');
    client.send();
    client.hear('250 OK');
    client.hear('250 OK');
    client.hear('354 Go on');
    expect(client.end()).toEqual(['.\r\n']);
  });
});

describe('421', () => {
  const states: Readonly<Record<string, [phase: string, client: () => Dialogue]>> = {
    mailing: ['mail', () => begun()],
    addressing: ['rcpt', () => begun('250 OK')],
    initiating: ['data', () => begun('250 OK', '250 OK')],
    sending: ['message', () => begun('250 OK', '250 OK', '354 Go on')],
    terminating: ['message', () => ended()],
  };
  const failed = (phase: string) => ({ kind: 'refused', phase, reply: reply(421, 'Closing') });

  it.each(Object.entries(states))(
    'in %s defers the message and ends the session (RFC 5321 §3.8)',
    (_, [phase, client]) => {
      expect(client().hear('421 Closing')).toEqual([
        { type: 'done', verdicts: [{ verdict: 'deferred', phase, reply: reply(421, 'Closing') }] },
        { type: 'failed', failure: failed(phase) },
        close,
      ]);
    },
  );

  it('may come unasked', () => {
    expect(new Dialogue().ready().hear('421 Closing')).toEqual([
      { type: 'failed', failure: failed('ready') },
      close,
    ]);
  });

  it('leaves a refused recipient its refusal', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send(3);
    expect(verdictsIn(client.hear('250 OK', '550 No', '421 Closing'))).toMatchObject([
      { verdict: 'rejected', phase: 'rcpt' },
      { verdict: 'deferred', phase: 'rcpt', reply: { code: 421 } },
      { verdict: 'deferred', phase: 'rcpt', reply: { code: 421 } },
    ]);
  });
});

describe('the end of the connection', () => {
  const endings: Readonly<Record<string, [kind: string, end: (client: Dialogue) => Shown[]]>> = {
    'its loss': ['lost', (client) => client.handle({ type: 'lost' })],
    'its end': ['lost', (client) => client.handle({ type: 'eof' })],
    'a time-out': ['timeout', (client) => client.timeout()],
    'a protocol error': ['protocol', (client) => client.hear('garbage')],
    'a reply that makes no sense': ['protocol', (client) => client.hear('354 What for?')],
  };

  it.each(Object.entries(endings))('by %s before the final dot defers the message', (_, [kind, end]) => {
    for (const client of [begun(), begun('250 OK'), begun('250 OK', '250 OK', '354 Go on')]) {
      const phase = { mailing: 'mail', addressing: 'rcpt', sending: 'message' }[
        client.session.state.split('.')[2] ?? ''
      ];
      const outputs = end(client);
      expect(verdictsIn(outputs)).toMatchObject([{ verdict: 'deferred', phase, failure: { kind, phase } }]);
      expect(failureIn(outputs)).toMatchObject({ kind, phase });
      expect(written(outputs)).toBe('');
      expect(outputs.at(-1)).toEqual(closed);
    }
  });

  it.each(Object.entries(endings))(
    'by %s behind the final dot leaves the outcome unknown (RFC 1047)',
    (_, [kind, end]) => {
      const outputs = end(ended());
      expect(verdictsIn(outputs)).toMatchObject([
        { verdict: 'unknown', phase: 'message', failure: { kind } },
      ]);
      expect(outputs.map((output) => typeof output !== 'string' && output.type)).toEqual([
        'done',
        'failed',
        'closed',
      ]);
    },
  );

  it('is looked at behind the replies that came before it', () => {
    const client = ended();
    client.session.handle({ type: 'bytes', bytes: octetsOf('250 Taken\r\n'), now: 0 });
    const outputs = client.handle({ type: 'eof' });
    expect(verdictsIn(outputs)).toMatchObject([{ verdict: 'delivered' }]);
    expect(failureIn(outputs)).toEqual({ kind: 'lost', phase: 'ready' });
  });

  it('takes nothing more in', () => {
    const client = begun();
    client.handle({ type: 'lost' });
    expect(client.session.wantsInput).toBe(false);
    expect(client.session.nextDeadline()).toBeUndefined();
    expect(client.hear('250 OK')).toEqual([]);
    expect(client.send()).toEqual([]);
    expect(client.handle({ type: 'lost' })).toEqual([]);
  });
});

describe('QUIT', () => {
  it('awaits 221, then the end of the connection (RFC 5321 §4.1.1.10)', () => {
    const client = new Dialogue().ready();
    expect(client.handle({ type: 'quit' })).toEqual(['QUIT\r\n']);
    expect(client.hear('221 Bye', 'what comes behind is not looked at')).toEqual([close]);
    expect(client.hear('nor this')).toEqual([]);
    expect(client.timeout()).toEqual([closed]);
    expect(client.now).toBe(5_000);
  });

  it.each([
    ['500 What?', 'refused', close],
    ['421 Closing', 'refused', close],
    ['354 Go on', 'protocol', closed],
    ['garbage', 'protocol', closed],
  ])('that is answered by %j ends all the same', (line, kind, end) => {
    const client = new Dialogue().ready();
    client.handle({ type: 'quit' });
    const outputs = client.hear(line);
    expect(failureIn(outputs)).toMatchObject({ kind, phase: 'quit' });
    expect(outputs.at(-1)).toEqual(end);
  });

  it('without an answer ends all the same', () => {
    const client = new Dialogue().ready();
    client.handle({ type: 'quit' });
    expect(client.timeout()).toEqual([
      { type: 'failed', failure: { kind: 'timeout', phase: 'quit' } },
      closed,
    ]);
    expect(client.now).toBe(10_000);
  });
});

describe('a protocol error', () => {
  const errorOf = (outputs: readonly Shown[]): RemoteProtocolError => {
    const failure = failureIn(outputs);
    if (failure?.kind !== 'protocol') throw new Error(`No protocol error but ${failure?.kind}`);
    expect(failure.error).toBeInstanceOf(RemoteProtocolError);
    return failure.error;
  };

  it.each([
    ['a bare line feed', '220 b.example\n', 'bare LF'],
    ['a bare carriage return', '220 b\rx', 'bare CR'],
    ['a NUL', '220 b\0', 'NUL'],
    ['no code', 'hello\r\n', 'code'],
    ['an empty line', '\r\n', 'code'],
    ['a code of two digits', '22 b\r\n', 'code'],
    ['a code of four digits', '2200 b\r\n', 'code'],
    ['a code outside 200 to 599', '120 b\r\n', 'code'],
    ['codes that differ', '220-a\r\n221 b\r\n', 'different codes'],
  ])('is %s in a reply', (_, text, message) => {
    const client = new Dialogue();
    const outputs = client.octets(text);
    expect(errorOf(outputs).message).toContain(message);
    expect(outputs.at(-1)).toEqual(closed);
    expect(written(outputs)).toBe('');
  });

  it('is a line of a reply over maximumReplyLineLength, CRLF included', () => {
    const client = new Dialogue({ maximumReplyLineLength: 20 });
    expect(client.hear(`220 ${'x'.repeat(14)}`)).toHaveLength(2);
    expect(errorOf(client.hear(`250 ${'x'.repeat(15)}`)).message).toContain('20 octets');
    expect(errorOf(new Dialogue().octets('2'.repeat(4096))).message).toContain('4096 octets');
    expect(new Dialogue().octets('2'.repeat(4095))).toEqual([]);
  });

  it('is a reply of more than maximumReplyLines', () => {
    const lines = (count: number) => [...Array.from({ length: count - 1 }, () => '220-x'), '220 x'];
    expect(new Dialogue({ maximumReplyLines: 3 }).hear(...lines(3))).toHaveLength(2);
    expect(errorOf(new Dialogue({ maximumReplyLines: 3 }).hear(...lines(4))).message).toContain('3 lines');
    expect(errorOf(new Dialogue().hear(...lines(129))).message).toContain('128 lines');
  });

  it.each([
    [
      'in ready',
      () => new Dialogue().ready(),
      '250 "Surprise"',
      'The server replied 250 "\\"Surprise\\"": nothing was asked of it',
    ],
    [
      'while the message is sent',
      () => new Dialogue().sending(),
      '552 Too big',
      'The server replied 552 "Too big": the message was not complete',
    ],
    ['as the greeting', () => new Dialogue(), '354 x', 'the greeting is 2yz, 4yz or 5yz'],
    ['to MAIL', () => begun(), '354 x', 'MAIL takes 2yz, 4yz or 5yz'],
    ['to RCPT', () => begun('250 OK'), '354 x', 'RCPT takes 2yz, 4yz or 5yz'],
    ['to DATA', () => begun('250 OK', '250 OK'), '250 x', 'DATA takes 3yz, 4yz or 5yz'],
    ['to the final dot', () => ended(), '354 x', 'the final dot takes 2yz, 4yz or 5yz'],
  ])('is a reply %s that makes no sense there', (_, client, line, message) => {
    const outputs = client().hear(line);
    expect(errorOf(outputs).message).toContain(message);
    expect(outputs.at(-1)).toEqual(closed);
  });

  it('is one reply too many to a pipelined batch', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send();
    expect(failureIn(client.hear('250 OK', '250 OK', '354 Go on', '250 Done'))).toMatchObject({
      kind: 'protocol',
      phase: 'message',
    });
  });
});

describe('the deadlines of RFC 5321 §4.5.3.2', () => {
  const deadlines: Readonly<Record<string, [milliseconds: number, phase: string, client: () => Dialogue]>> = {
    greeting: [300_000, 'greeting', () => new Dialogue()],
    hello: [
      300_000,
      'hello',
      () => {
        const client = new Dialogue();
        client.hear('220 b');
        return client;
      },
    ],
    mail: [300_000, 'mail', () => begun()],
    rcpt: [300_000, 'rcpt', () => begun('250 OK')],
    dataInitiation: [120_000, 'data', () => begun('250 OK', '250 OK')],
    dataBlock: [180_000, 'message', () => new Dialogue().sending()],
    dataTermination: [600_000, 'message', () => ended()],
    reset: [300_000, 'reset', () => begun('250 OK', '550 No')],
    quit: [
      10_000,
      'quit',
      () => {
        const client = new Dialogue().ready();
        client.handle({ type: 'quit' });
        return client;
      },
    ],
  };

  it.each(Object.entries(deadlines))('%s', (_, [milliseconds, phase, start]) => {
    const client = start();
    client.now = milliseconds - 1;
    expect(client.handle({ type: 'timeout' })).toEqual([]);
    expect(client.session.nextDeadline()).toBe(milliseconds);
    client.now = milliseconds;
    const outputs = client.handle({ type: 'timeout' });
    expect(failureIn(outputs)).toEqual({ kind: 'timeout', phase });
    expect(outputs.at(-1)).toEqual(closed);
    expect(written(outputs)).toBe('');
  });

  it('can each be set', () => {
    const client = new Dialogue({ timeouts: { greeting: 7, hello: 8 } });
    expect(client.session.nextDeadline()).toBe(7);
    client.hear('220 b');
    expect(client.session.nextDeadline()).toBe(8);
  });

  it('begin anew with each reply, and not with a part of one', () => {
    const client = new Dialogue().ready();
    client.send(2);
    client.now = 1000;
    client.hear('250 OK');
    client.now = 2000;
    client.hear('250-still');
    expect(client.session.nextDeadline()).toBe(301_000);
    client.hear('250 OK');
    expect(client.session.nextDeadline()).toBe(302_000);
  });

  it('begin anew for each RCPT whose reply comes in a batch of pipelined ones', () => {
    const client = new Dialogue().ready('PIPELINING');
    client.send(3);
    client.now = 1000;
    client.hear('250 OK', '250 OK');
    client.now = 2000;
    client.hear('250 OK');
    expect(client.session.nextDeadline()).toBe(302_000);
  });

  it('begin anew with each piece of the message', () => {
    const client = new Dialogue().sending();
    client.now = 100_000;
    client.data('Hello\r\n');
    expect(client.session.nextDeadline()).toBe(280_000);
  });

  it('do not run while nothing is awaited', () => {
    expect(new Dialogue().ready().session.nextDeadline()).toBeUndefined();
  });
});

describe('the trace', () => {
  it('reports each step before what it did', () => {
    const client = new Dialogue({ trace: true });
    expect(client.hear('220 b')).toEqual([
      {
        type: 'transition',
        event: 'reply.success',
        from: 'session.greeting',
        to: 'session.identifying',
        effects: ['clearDeadline', 'announceGreeting', 'write', 'setDeadline'],
      },
      { type: 'greeting', reply: reply(220, 'b') },
      'EHLO c.example\r\n',
    ]);
  });
});
