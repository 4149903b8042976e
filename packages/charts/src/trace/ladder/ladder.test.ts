import { describe, expect, it } from 'vitest';
import type { TraceRecord } from '../records.js';
import { deliveredBetween, TracedServer } from '../traced-sessions.test-support.js';
import { commandsTakenIn } from './commands-taken.js';
import { type Ladder, ladderOf, pipelinedFlights } from './ladder.js';
import type { LineRung, Rung } from './rungs.js';

const told = ({ records }: { readonly records: readonly TraceRecord[] }): Ladder =>
  ladderOf({ id: 's1', end: 'server', records });

const linesOf = (rungs: readonly Rung[]): LineRung[] => rungs.filter((rung) => rung.kind === 'line');

const textOf = (rungs: readonly Rung[]): string[] =>
  linesOf(rungs).flatMap(({ by, lines }) => lines.map((line) => `${by === 'client' ? 'C' : 'S'}: ${line}`));

describe('a ladder', () => {
  it('has the lines as they went over the wire, with their octets', () => {
    const { rungs } = told(new TracedServer({ maximumMessageSize: 1000 }).say('EHLO c.example').say('QUIT'));
    expect(textOf(rungs)).toEqual([
      'S: 220 mx.example ESMTP',
      'C: EHLO c.example',
      'S: 250-mx.example OK',
      'S: 250-PIPELINING',
      'S: 250-SIZE 1000',
      'S: 250-8BITMIME',
      'S: 250-ENHANCEDSTATUSCODES',
      'S: 250-CHUNKING',
      'S: 250-BINARYMIME',
      'S: 250-SMTPUTF8',
      'S: 250-DSN',
      'S: 250 HELP',
      'C: QUIT',
      'S: 221 2.0.0 Closing the session',
    ]);
    const quit = linesOf(rungs).at(-2);
    expect(quit?.octets).toEqual(Uint8Array.from('QUIT', (character) => character.charCodeAt(0)));
    expect(quit?.time).toBe(2);
  });

  it('says who connected, when it began, where it stands and how it ended', () => {
    const ladder = told(new TracedServer().say('QUIT').end());
    expect(ladder.connection.peer).toEqual({ address: '192.0.2.1', port: 40_000 });
    expect(ladder.began).toBe('2026-01-02T03:04:05.000Z');
    expect(ladder.state).toBe('closed');
    expect(ladder.closed?.ending).toBe('quit');
  });

  it('marks what is under TLS, and what belongs to AUTH', () => {
    const server = new TracedServer({ startTls: 'offered', authentication: {} })
      .say('EHLO c.example')
      .say('STARTTLS')
      .secure()
      .say('EHLO c.example')
      .say('AUTH PLAIN')
      .say('AGEAYg==')
      .say('NOOP');
    const marks = linesOf(told(server).rungs).map(
      ({ by, lines, underTls, authenticating }) =>
        `${by} ${lines[0]?.slice(0, 5)}${underTls ? ' tls' : ''}${authenticating ? ' auth' : ''}`,
    );
    expect(marks.slice(2)).toEqual([
      'server 250-m',
      'client START',
      'server 220 2',
      'client EHLO  tls',
      'server 250-m tls',
      'client AUTH  tls auth',
      'server 334 [ tls auth',
      'client [8 oc tls auth',
      'server 235 2 tls auth',
      'client NOOP tls',
      'server 250 2 tls',
    ]);
  });

  it('brackets what was pipelined, with its replies', () => {
    const server = new TracedServer()
      .say('EHLO c.example')
      .say('MAIL FROM:<a@c.example>', 'RCPT TO:<b@s.example>', 'DATA')
      .say('Hello', '.');
    const { rungs } = told(server);
    const flights = pipelinedFlights(rungs);
    const bracketed = linesOf(rungs).filter(({ flight }) => flight !== undefined && flights.has(flight));
    expect(bracketed.map(({ lines }) => lines[0]?.slice(0, 4))).toEqual([
      'MAIL',
      '250 ',
      'RCPT',
      '250 ',
      'DATA',
      '354 ',
      '250 ',
    ]);
  });

  it("brackets a client's commands that left without waiting", () => {
    const { rungs } = ladderOf({ id: 'c', end: 'client', records: deliveredBetween().client });
    const flights = pipelinedFlights(rungs);
    expect(flights.size).toBe(1);
    const bracketed = linesOf(rungs).filter(({ flight }) => flight !== undefined && flights.has(flight));
    expect(bracketed.map(({ by, verb }) => `${by} ${verb}`)).toEqual([
      'client MAIL',
      'client RCPT',
      'client RCPT',
      'client DATA',
      'server MAIL',
      'server RCPT',
      'server RCPT',
      'server DATA',
      'server DATA',
    ]);
  });

  it('says where records are missing', () => {
    const { records } = new TracedServer().say('NOOP');
    const ladder = told({ records: records.filter(({ seq }) => seq !== 3 && seq !== 4) });
    expect(ladder.rungs.filter(({ kind }) => kind === 'gap')).toMatchObject([{ missing: 2 }]);
  });

  it('grows: the rungs that a record makes are those that it adds', () => {
    const { records } = new TracedServer().say('EHLO c.example', 'MAIL FROM:<a@c.example>', 'DATA').end();
    const whole = told({ records });
    const growing = ladderOf({ id: 's1', end: 'server', records: [] });
    expect(records.flatMap((record) => growing.take(record))).toEqual(whole.rungs);
  });
});

describe('the reason of a reply', () => {
  const reasonsOf = (server: TracedServer) => linesOf(told(server).rungs).map(({ reason }) => reason);
  const lastOf = (server: TracedServer) => reasonsOf(server).at(-1)?.sentence;
  const open = (...more: ConstructorParameters<typeof TracedServer>) =>
    new TracedServer(...more).say('EHLO c.example', 'MAIL FROM:<a@c.example>');

  it('says what was missing, and which commands the state takes', () => {
    const server = open();
    expect(lastOf(server.say('DATA'))).toBe(
      '503 because no recipient was accepted: session.transaction.opened takes RCPT, RSET, ' +
        'EHLO, HELO, QUIT, NOOP, HELP, VRFY, EXPN',
    );
    expect(reasonsOf(server).at(-1)?.description).toBe('RFC 5321 §3.3');
  });

  it.each<[string, string, () => TracedServer]>([
    [
      'is the application’s',
      '550 because the application refused the recipient b@s.example',
      () =>
        open({}, ({ kind }) => ({ decision: kind === 'rcpt' ? 'reject' : 'accept' })).say(
          'RCPT TO:<b@s.example>',
        ),
    ],
    [
      'is the application’s, in its own words',
      '450 because the application refused the recipient b@s.example, in words of its own',
      () =>
        open({}, ({ kind }) =>
          kind === 'rcpt'
            ? { decision: 'reject', reply: { code: 450, lines: ['Later'] } }
            : { decision: 'accept' },
        ).say('RCPT TO:<b@s.example>'),
    ],
    [
      'is an acceptance',
      '250 because the application accepted the recipient b@s.example',
      () => open().say('RCPT TO:<b@s.example>'),
    ],
    [
      'is the line itself',
      '501 because the command says what cannot be taken, as the reply explains',
      () => new TracedServer().say('EHLO c.example', 'MAIL a@c.example'),
    ],
    [
      'is a parameter',
      '552 because the command says what cannot be taken, as the reply explains',
      () =>
        new TracedServer({ maximumMessageSize: 1000 }).say(
          'EHLO c.example',
          'MAIL FROM:<a@c.example> SIZE=2000',
        ),
    ],
    [
      'is the message',
      '554 because the message is flawed, as the reply says',
      () => open().say('RCPT TO:<b@s.example>', 'DATA').send('Hello\nworld\r\n.\r\n'),
    ],
    ['is time that ran out', '421 because the client said nothing for too long', () => open().wait(300_000)],
    [
      'is what TLS would have protected',
      '530 because TLS is required first',
      () => new TracedServer({ startTls: 'required' }).say('EHLO c.example', 'MAIL FROM:<a@c.example>'),
    ],
  ])('%s', (_, sentence, server) => {
    expect(lastOf(server())).toBe(sentence);
  });

  it('is told for every reply', () => {
    const server = new TracedServer({ authentication: { allowInsecure: true } }).say(
      'EHLO c.example',
      'AUTH PLAIN',
      '*',
      'RCPT TO:<b@s.example>',
      'NONSENSE',
      'MAIL FROM:<a@c.example>',
      'RCPT TO:<b@s.example>',
      'DATA',
      'Hello',
      '.',
      'VRFY a',
      'QUIT',
    );
    const replies = linesOf(told(server).rungs).filter(({ by }) => by === 'server');
    expect(replies.filter(({ reason }) => reason === undefined)).toEqual([]);
  });
});

describe('the commands that a state takes', () => {
  const plain = { lmtp: false, keywords: new Set<string>() };

  it.each([
    ['refused', ['QUIT']],
    ['session.greeted', ['MAIL', 'EHLO', 'HELO', 'RSET', 'QUIT', 'NOOP', 'HELP', 'VRFY', 'EXPN']],
    ['session.ready', ['MAIL', 'EHLO', 'HELO', 'RSET', 'QUIT', 'NOOP', 'HELP', 'VRFY', 'EXPN']],
    [
      'session.transaction.addressed',
      ['RCPT', 'DATA', 'RSET', 'EHLO', 'HELO', 'QUIT', 'NOOP', 'HELP', 'VRFY', 'EXPN'],
    ],
  ])('in %s', (state, verbs) => {
    expect(commandsTakenIn(state, plain)).toEqual(verbs);
  });

  it('are without those that would be refused for the same reason', () => {
    expect(commandsTakenIn('session.greeted', plain, 'helloFirst')).toEqual(
      expect.not.arrayContaining(['MAIL']),
    );
  });

  it('are those of the extensions that are offered, too', () => {
    const spoken = { lmtp: true, keywords: new Set(['CHUNKING', 'STARTTLS', 'AUTH']) };
    expect(commandsTakenIn('session.transaction.addressed', spoken)).toEqual(
      expect.arrayContaining(['BDAT', 'LHLO']),
    );
    expect(commandsTakenIn('session.transaction.addressed', spoken)).not.toContain('STARTTLS');
    expect(commandsTakenIn('session.ready', spoken)).toEqual(expect.arrayContaining(['STARTTLS', 'AUTH']));
  });
});
