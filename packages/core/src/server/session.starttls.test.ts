/** STARTTLS (RFC 3207): when it may be used, what may not come behind it, and what is forgotten. */
import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../errors.js';
import { standardExtensions } from '../extensions/lists.js';
import { etrn } from '../extensions/session/etrn.js';
import { END_POINT, EXPORTER, tlsWith } from '../sasl/running.test-support.js';
import {
  accept,
  answering,
  Dialogue,
  type DialogueOptions,
  hangUp,
  reject,
  typesOf,
} from './dialogue.test-support.js';

const offering: DialogueOptions = { startTls: 'offered' };
const GO_AHEAD = '220 2.0.0 Begin the TLS handshake';

/** Waiting for the TLS handshake. */
function securing(options: DialogueOptions = offering): Dialogue {
  const dialogue = new Dialogue(options).ready();
  dialogue.say('STARTTLS');
  return dialogue;
}

const keywords = (replies: readonly string[]) => replies.slice(1).map((line) => line.slice(4));

describe('the keyword STARTTLS', () => {
  it('is offered where TLS can be had, and only there (RFC 3207 §4)', () => {
    expect(keywords(new Dialogue(offering).say('EHLO c'))).toContain('STARTTLS');
    expect(keywords(new Dialogue({ startTls: 'required' }).say('EHLO c'))).toContain('STARTTLS');
    expect(keywords(new Dialogue().say('EHLO c'))).not.toContain('STARTTLS');
  });

  it('is not offered over TLS (RFC 3207 §4.2)', () => {
    expect(keywords(new Dialogue(offering).secured(EXPORTER).say('EHLO c'))).not.toContain('STARTTLS');
    expect(keywords(new Dialogue({ ...offering, tls: EXPORTER }).say('EHLO c'))).not.toContain('STARTTLS');
  });
});

describe('the command STARTTLS', () => {
  it('gets 220, then the transport is told to begin the handshake (RFC 3207 §4)', () => {
    const dialogue = new Dialogue(offering).ready();
    const outputs = dialogue.handle({ type: 'bytes', bytes: Buffer.from('STARTTLS\r\n') });
    expect(typesOf(outputs)).toEqual(['ask', 'write', 'upgradeTls']);
    expect(dialogue.replies.at(-1)).toBe(GO_AHEAD);
    expect(dialogue.session.state).toBe('session.securing');
    expect(dialogue.session.tls).toBeUndefined();
  });

  it('writes all replies to what came before it first', () => {
    const dialogue = new Dialogue(offering).ready();
    expect(dialogue.say('RSET', 'NOOP', 'STARTTLS')).toEqual(['250 2.0.0 OK', '250 2.0.0 OK', GO_AHEAD]);
    expect(typesOf(dialogue.outputs).at(-1)).toBe('upgradeTls');
  });

  it.each<[string, string, DialogueOptions, string[]]>([
    ['501 with an argument (RFC 3207 §4)', '501 5.5.4', offering, ['EHLO c', 'STARTTLS now']],
    ['502 where it is not offered', '502 5.5.1', {}, ['EHLO c', 'STARTTLS']],
    [
      '502 where its extension is not listed',
      '502 5.5.1',
      { ...offering, extensions: [] },
      ['EHLO c', 'STARTTLS'],
    ],
    ['503 before EHLO', '503 5.5.1', offering, ['STARTTLS']],
    ['503 after HELO, which was offered nothing', '503 5.5.1', offering, ['HELO c', 'STARTTLS']],
    ['503 over TLS (RFC 3207 §4.2)', '503 5.5.1', { tls: EXPORTER }, ['EHLO c', 'STARTTLS']],
    ['503 in a mail transaction', '503 5.5.1', offering, ['EHLO c', 'MAIL FROM:<a@b>', 'STARTTLS']],
    [
      '454 where TLS cannot be had now (RFC 3207 §4)',
      '454 4.7.0',
      { ...offering, application: answering({ startTls: reject }) },
      ['EHLO c', 'STARTTLS'],
    ],
  ])('gets %s', (_, code, options, lines) => {
    const dialogue = new Dialogue(options);
    expect(dialogue.say(...lines).at(-1)).toContain(`${code} `);
    expect(typesOf(dialogue.outputs)).not.toContain('upgradeTls');
    expect(dialogue.say('NOOP')).toEqual(['250 2.0.0 OK']);
  });

  it('gets 503 after a STARTTLS that succeeded (RFC 3207 §4.2)', () => {
    const dialogue = new Dialogue(offering).secured(EXPORTER).ready();
    expect(dialogue.say('STARTTLS')).toEqual(['503 5.5.1 TLS is active already']);
  });

  it('is an error each time that it is refused', () => {
    const dialogue = new Dialogue({ tls: EXPORTER, maximumErrors: 3 }).ready();
    dialogue.say('STARTTLS', 'STARTTLS');
    expect(dialogue.say('STARTTLS')).toEqual(['421 4.7.0 Too many errors in a row, closing the session']);
  });

  it('leaves what follows its refusal to be counted: it is no refused MAIL', () => {
    const dialogue = new Dialogue({ tls: EXPORTER, maximumErrors: 3 }).ready();
    expect(dialogue.say('STARTTLS', 'DATA', 'DATA').at(-1)).toContain('421 4.7.0');
  });

  it('may be answered by 421, which ends the session (RFC 5321 §3.8)', () => {
    const dialogue = securing({ ...offering, application: answering({ startTls: hangUp }) });
    expect(dialogue.session.state).toBe('closing');
    expect(typesOf(dialogue.outputs)).not.toContain('upgradeTls');
  });

  it('is accepted by 220 and by no other code', () => {
    const dialogue = securing({ ...offering, application: answering({ startTls: undefined }) });
    const reply = { code: 250, lines: ['OK'] };
    expect(() => dialogue.answer({ decision: 'accept', reply })).toThrow(LocalProtocolError);
    expect(dialogue.answer(accept)).toEqual([GO_AHEAD]);
  });
});

describe('required TLS (RFC 3207 §4)', () => {
  const REQUIRED = '530 5.7.0 Send STARTTLS first';
  const options: DialogueOptions = {
    startTls: 'required',
    authentication: { mechanisms: ['PLAIN'], allowInsecure: true },
    trusted: true,
    extensions: [...standardExtensions, etrn, { keyword: 'XVERB', verbs: ['XVERB'] }],
    maximumErrors: 100,
  };
  const commands = [
    ...[
      'HELO c',
      'MAIL FROM:<a@b>',
      'RCPT TO:<a@b>',
      'DATA',
      'RSET',
      'VRFY x',
      'EXPN x',
      'HELP',
      'AUTH PLAIN',
    ],
    ...['AUTH PLAIN AHUAcA==', 'ETRN x', 'XVERB', 'XCLIENT NAME=c', 'XFORWARD NAME=c', 'BDAT 0 LAST'],
  ];

  it.each(commands)('answers 530 to %s before it, also before EHLO', (command) => {
    const dialogue = new Dialogue(options);
    expect(dialogue.say(command)).toEqual([REQUIRED]);
    expect(dialogue.ready().say(command)).toEqual([REQUIRED]);
    expect(dialogue.asked).toEqual(['connect', 'hello']);
    expect(dialogue.session.state).toBe('session.ready');
  });

  it.each([
    ['EHLO c', '250-s.example OK'],
    ['NOOP', '250 2.0.0 OK'],
    ['QUIT', '221 2.0.0 Closing the session'],
    ['STARTTLS', GO_AHEAD],
  ])('serves %s before it', (command, reply) => {
    expect(new Dialogue(options).ready().say(command)[0]).toBe(reply);
  });

  it('reads the octets behind a BDAT away before it says 530 (RFC 3030 §2)', () => {
    const dialogue = new Dialogue(options).ready();
    expect(dialogue.octets('BDAT 6\r\nQUIT\r')).toEqual([]);
    expect(dialogue.octets('\nNOOP\r\n')).toEqual([REQUIRED, '250 2.0.0 OK']);
  });

  it('counts no further errors of a client that has pipelined behind MAIL (RFC 2920 §3.1)', () => {
    const dialogue = new Dialogue({ ...options, maximumErrors: 3 }).ready();
    expect(dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<a@b>', 'RCPT TO:<a@b>', 'DATA')).toEqual(
      Array(4).fill(REQUIRED),
    );
  });

  it.each([
    ['through STARTTLS', () => new Dialogue(options).secured(EXPORTER).ready()],
    ['from the start', () => new Dialogue({ ...options, tls: EXPORTER }).ready()],
  ])('serves all over TLS %s', (_, start) => {
    expect(
      start()
        .say('MAIL FROM:<a@b>', 'RCPT TO:<a@b>', 'RSET', 'VRFY x', 'HELP')
        .map((line) => line[0]),
    ).toEqual(['2', '2', '2', '2', '2']);
  });
});

describe('octets in the clear behind STARTTLS (RFC 3207 §6, CVE-2011-0411)', () => {
  const INJECTED = '421 4.7.0 Something was sent in the clear behind STARTTLS, closing the session';
  const evil = [
    'RSET\r\n',
    'VRFY evil\r\n',
    'R',
    '\r',
    '\x16\x03\x01',
    'MAIL FROM:<evil@b>\r\nRCPT TO:<c@d>\r\n',
  ];

  it.each(evil)('end the session when they come in the same chunk: %j', (octets) => {
    const dialogue = new Dialogue(offering).ready();
    expect(dialogue.octets(`STARTTLS\r\n${octets}`)).toEqual([INJECTED]);
    expect(typesOf(dialogue.outputs).slice(-2)).toEqual(['write', 'close']);
    expect(dialogue.asked).toEqual(['connect', 'hello', 'startTls']);
    dialogue.octets('VRFY evil\r\n');
    dialogue.handle({ type: 'eof' });
    expect(dialogue.asked).toEqual(['connect', 'hello', 'startTls']);
    expect(dialogue.session.state).toBe('closed');
  });

  it.each(evil)('end the session when they come while the question is open: %j', (octets) => {
    const dialogue = new Dialogue({ ...offering, application: answering({ startTls: undefined }) }).ready();
    dialogue.say('STARTTLS');
    dialogue.octets(octets);
    expect(dialogue.answer(accept)).toEqual([INJECTED]);
    expect(dialogue.session.state).toBe('closing');
    expect(typesOf(dialogue.outputs)).not.toContain('upgradeTls');
  });

  it.each(evil)('end the session at once when they come instead of the handshake: %j', (octets) => {
    const dialogue = securing();
    expect(dialogue.octets(octets)).toEqual([]);
    expect(dialogue.session.state).toBe('closed');
    expect(typesOf(dialogue.outputs).at(-1)).toBe('closed');
    expect(dialogue.asked).toEqual(['connect', 'hello', 'startTls']);
  });

  it('are nothing of the kind where TLS is refused: the client may have pipelined', () => {
    const dialogue = new Dialogue({ ...offering, application: answering({ startTls: reject }) }).ready();
    expect(dialogue.say('STARTTLS', 'NOOP')[1]).toBe('250 2.0.0 OK');
  });

  it('are not there in a chunk without octets', () => {
    const dialogue = securing();
    dialogue.octets('');
    expect(dialogue.session.state).toBe('session.securing');
  });
});

describe('after the TLS handshake all that was said counts for nothing (RFC 3207 §4.2)', () => {
  it('knows what TLS it is', () => {
    const dialogue = new Dialogue(offering).secured(EXPORTER);
    expect(dialogue.session.tls).toBe(EXPORTER);
    expect(new Dialogue({ tls: END_POINT }).session.tls).toBe(END_POINT);
  });

  it('says nothing by itself, and wants EHLO again', () => {
    const dialogue = securing();
    expect(dialogue.handle({ type: 'tlsEstablished', tls: EXPORTER })).toEqual([]);
    expect(dialogue.session.state).toBe('session.greeted');
    expect(dialogue.session.hello).toBeUndefined();
    for (const line of ['MAIL FROM:<a@b>', 'RCPT TO:<a@b>', 'DATA', 'BDAT 0', 'STARTTLS']) {
      expect(dialogue.say(line)[0]).toMatch(/^503 5\.5\.1/);
    }
    expect(dialogue.say('EHLO c')[0]).toBe('250-s.example OK');
    expect(dialogue.say('MAIL FROM:<a@b>')).toEqual(['250 2.1.0 Sender OK']);
  });

  it('knows no parameter, and no longer line, until EHLO offers them again', () => {
    const dialogue = new Dialogue(offering).secured(EXPORTER);
    dialogue.say('HELO c');
    expect(dialogue.say('MAIL FROM:<a@b> SIZE=1')[0]).toMatch(/^555 5\.5\.4/);
    expect(dialogue.say(`MAIL FROM:<a@b>${' '.repeat(500)}`)).toEqual(['500 5.5.2 Line too long']);
  });

  it('forgets who was authenticated, and lets them authenticate themselves anew', () => {
    const dialogue = new Dialogue({
      ...offering,
      authentication: { mechanisms: ['PLAIN'], allowInsecure: true, required: true },
    }).ready();
    dialogue.say('AUTH PLAIN AHUAcA==');
    expect(dialogue.session.identity).toEqual({ mechanism: 'PLAIN', authenticatedAs: 'u', username: 'u' });
    dialogue.secured(EXPORTER);
    expect(dialogue.session.identity).toBeUndefined();
    expect(dialogue.ready().say('MAIL FROM:<a@b>')).toEqual(['530 5.7.0 Authentication required']);
    expect(dialogue.say('AUTH PLAIN AHUAcA==')).toEqual(['235 2.7.0 Authentication succeeded']);
  });

  it('forgets XFORWARD, and LOGIN of XCLIENT, but not for whom the peer speaks', () => {
    const dialogue = new Dialogue({ ...offering, trusted: true });
    dialogue.say('XCLIENT ADDR=192.0.2.1 LOGIN=u');
    expect(dialogue.session.identity).toEqual({ mechanism: 'EXTERNAL', authenticatedAs: 'u', username: 'u' });
    dialogue.secured(EXPORTER);
    expect(dialogue.session.identity).toBeUndefined();
    expect(dialogue.session.client).toEqual({ address: '192.0.2.1' });

    const forwarding = new Dialogue({ ...offering, trusted: true });
    forwarding.ready().say('XFORWARD NAME=c');
    forwarding.secured(EXPORTER);
    expect(forwarding.session.forwarded).toBeUndefined();
  });

  it('forgets errors, and that a MAIL was refused', () => {
    const dialogue = new Dialogue({
      ...offering,
      maximumErrors: 3,
      application: answering({ mail: reject }),
    }).ready();
    dialogue.say('FOO', 'FOO', 'MAIL FROM:<a@b>');
    dialogue.say('STARTTLS');
    dialogue.handle({ type: 'tlsEstablished', tls: EXPORTER });
    dialogue.ready();
    expect(dialogue.say('DATA', 'DATA', 'DATA').map((line) => line.slice(0, 3))).toEqual([
      '503',
      '503',
      '421',
    ]);
  });

  it('offers to bind to the channel only where that can be done', () => {
    const authOf = (tls: Parameters<Dialogue['secured']>[0]) =>
      keywords(new Dialogue({ ...offering, authentication: {} }).secured(tls).say('EHLO c')).find((keyword) =>
        keyword.startsWith('AUTH'),
      );
    expect(authOf(EXPORTER)).toBe(
      'AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-1 PLAIN LOGIN',
    );
    expect(authOf(tlsWith({}))).toBe('AUTH SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN');
  });
});

describe('a TLS handshake that does not come about (RFC 3207 §4.1)', () => {
  it('ends the session without a word when it fails', () => {
    const dialogue = securing();
    expect(typesOf(dialogue.handle({ type: 'tlsFailed' }))).toEqual(['closed']);
  });

  it('ends the session without a word when it takes too long', () => {
    const dialogue = securing({ ...offering, timeouts: { handshake: 70 } });
    expect(dialogue.session.nextDeadline()).toBe(70);
    expect(dialogue.timeoutAt(69)).toEqual([]);
    expect(typesOf(dialogue.timeoutAt(70))).toEqual(['closed']);
  });

  it.each(['eof', 'lost'] as const)('ends the session: %s', (type) => {
    expect(typesOf(securing().handle({ type }))).toEqual(['closed']);
  });

  it('does not begin where the end of input came with STARTTLS', () => {
    const dialogue = new Dialogue({ ...offering, application: answering({ startTls: undefined }) }).ready();
    dialogue.say('STARTTLS');
    dialogue.handle({ type: 'eof' });
    dialogue.answer(accept);
    expect(dialogue.session.state).toBe('closed');
  });

  it('is waited for by a shutdown, whose 421 goes through TLS', () => {
    const dialogue = securing();
    expect(dialogue.handle({ type: 'shutdown' })).toEqual([]);
    const outputs = dialogue.handle({ type: 'tlsEstablished', tls: EXPORTER });
    expect(typesOf(outputs)).toEqual(['write', 'close']);
    expect(dialogue.replies.at(-1)).toMatch(/^421 4\.3\.2/);
  });

  it.each(['tlsEstablished', 'tlsFailed', 'computed'] as const)('is told of in its time only: %s', (type) => {
    const dialogue = new Dialogue(offering).ready();
    const input =
      type === 'tlsEstablished'
        ? { type, tls: EXPORTER }
        : type === 'computed'
          ? { type, result: undefined }
          : { type };
    expect(() => dialogue.handle(input)).toThrow(LocalProtocolError);
    expect(dialogue.session.state).toBe('session.ready');
  });
});
