/** The files that are written here are run: as they stand, but for their imports. */
import * as core from '@sansmtp/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TraceRecord } from '../records.js';
import { deliveredBetween, TracedServer } from '../traced-sessions.test-support.js';
import { testFileOf } from './test-file.js';

/** Runs the file; returns how many tests were in it. */
function run(text: string): number {
  let tests = 0;
  const program = text.replace(/^import .*$/gm, '');
  const names = ['ServerSession', 'ClientSession', 'knownExtensions', 'expect', 'it'];
  const runTest = (_: string, test: () => void) => {
    test();
    tests += 1;
  };
  new Function(...names, program)(
    core.ServerSession,
    core.ClientSession,
    core.knownExtensions,
    expect,
    runTest,
  );
  return tests;
}

const of = (records: readonly TraceRecord[], end: 'server' | 'client' = 'server') =>
  testFileOf({ id: 's1', end, records });

const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
const envelope = ['EHLO c.example', 'MAIL FROM:<a@c.example>', 'RCPT TO:<b@s.example>'];

describe('a session as a test', () => {
  it.each<[string, () => TracedServer]>([
    [
      'a message',
      () =>
        new TracedServer()
          .say(...envelope, 'DATA')
          .say('Hello', '.')
          .say('QUIT')
          .end(),
    ],
    ['an empty message', () => new TracedServer().say(...envelope, 'DATA').say('.')],
    ['a message by BDAT', () => new TracedServer().say(...envelope, 'BDAT 4', 'abBDAT 0 LAST')],
    ['a chunk that is refused', () => new TracedServer().say('EHLO c', 'BDAT 4', 'abNOOP')],
    [
      'a message that is malformed',
      () => new TracedServer().say(...envelope, 'DATA').send('a\nb\r\n.\r\nNOOP\r\n'),
    ],
    [
      'a message that is too large',
      () =>
        new TracedServer({ maximumMessageSize: 10 })
          .say(...envelope, 'DATA')
          .say('x'.repeat(100), '.', 'NOOP'),
    ],
    ['time that runs out', () => new TracedServer({ timeouts: { idle: 500 } }).say('EHLO c').wait(500)],
    [
      'TLS, and AUTH by PLAIN',
      () =>
        new TracedServer({ startTls: 'required', authentication: {} })
          .say('EHLO c', 'MAIL FROM:<>', 'STARTTLS')
          .secure()
          .say('EHLO c', `AUTH PLAIN ${base64('\0ann\0pencil')}`),
    ],
    [
      'AUTH by LOGIN, refused, cancelled and malformed',
      () =>
        new TracedServer({ authentication: { allowInsecure: true } }, ({ kind }) => ({
          decision: kind === 'authenticate' ? 'reject' : 'accept',
        })).say(
          'EHLO c',
          'AUTH LOGIN',
          base64('ann'),
          base64('pencil'),
          'AUTH LOGIN',
          '*',
          'AUTH LOGIN',
          '!',
        ),
    ],
    [
      'too many recipients, and too many errors',
      () =>
        new TracedServer({ maximumRecipients: 1, maximumErrors: 2 }).say(
          ...envelope,
          'RCPT TO:<c@s.example>',
          'FOO',
          'BAR',
        ),
    ],
    [
      'LMTP, with a reply for each recipient',
      () =>
        new TracedServer({ protocol: 'lmtp' }, ({ kind }) => ({
          decision: 'accept',
          ...(kind === 'message' && {
            recipientReplies: [
              { code: 250, lines: ['OK'] },
              { code: 450, lines: ['Later'] },
            ],
          }),
        }))
          .say('LHLO c', 'MAIL FROM:<a@c>', 'RCPT TO:<b@s>', 'RCPT TO:<c@s>', 'DATA')
          .say('x', '.'),
    ],
    [
      'other extensions',
      () =>
        new TracedServer({ extensions: [...core.standardExtensions.slice(0, 3), core.etrn] }).say(
          'EHLO c',
          'ETRN @x',
        ),
    ],
    [
      'liberal rules',
      () => new TracedServer({ lenient: true }).say('MAIL FROM:a@c', 'RCPT TO:b@s', 'DATA').say('x', '.'),
    ],
    [
      'lines that are none',
      () => new TracedServer().say('EHLO c', 'x'.repeat(20_000)).send('NOOP\n\r\nNOOP\r\n'),
    ],
    ['HTTP', () => new TracedServer().say('GET / HTTP/1.1', 'Host: a', '')],
    [
      'a chunk that is too large, of which nothing came',
      () => new TracedServer({ maximumMessageSize: 1000 }).say(...envelope, 'BDAT 99999999999'),
    ],
    [
      'the end of the connection amid a message',
      () =>
        new TracedServer()
          .say(...envelope, 'DATA')
          .say('x')
          .end(),
    ],
  ])('says the same again: %s', (_, server) => {
    expect(run(of(server().records))).toBe(1);
  });

  it('says the same again, whatever was said', () => {
    const line = fc.constantFrom(
      'EHLO c.example',
      'HELO c.example',
      'MAIL FROM:<a@c.example>',
      'MAIL FROM:<a@c.example> SIZE=99 BODY=8BITMIME',
      'RCPT TO:<b@s.example>',
      'RCPT TO:<refused@s.example>',
      'RCPT TO:nobody',
      'RSET',
      'NOOP',
      'VRFY a',
      'NONSENSE',
      'AUTH PLAIN',
      'DATA',
      'BDAT 3',
      '.',
    );
    fc.assert(
      fc.property(fc.array(fc.array(line, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), (pieces) => {
        const server = new TracedServer({}, (question) => ({
          decision:
            question.kind === 'rcpt' && question.forwardPath.localPart === 'refused' ? 'reject' : 'accept',
        }));
        for (const lines of pieces) server.say(...lines);
        expect(run(of(server.records))).toBe(1);
      }),
      { numRuns: 60 },
    );
  });

  it('fails where the session says something else', () => {
    const { records } = new TracedServer().say(...envelope);
    expect(() => run(of(records).replace('250 2.1.5', '550 5.1.1'))).toThrow('deeply equal');
  });

  it('ends before AUTH by a mechanism that proves a password, and says so', () => {
    const text = of(
      new TracedServer({ authentication: { allowInsecure: true } }, ({ kind }) => ({
        decision: kind === 'credentials' ? 'reject' : 'accept',
      })).say('EHLO c', `AUTH SCRAM-SHA-256 ${base64('n,,n=ann,r=x')}`).records,
    );
    expect(text).toContain('It ends before the trace does: AUTH SCRAM-SHA-256');
    expect(run(text)).toBe(1);
  });

  it('has what messages say where the trace has it', () => {
    const { records } = new TracedServer({}, undefined, { mailData: true })
      .say(...envelope, 'DATA')
      .say('..x', '.');
    expect(of(records)).toContain('"..x\\r\\n.\\r\\n"');
    expect(run(of(records))).toBe(1);
  });

  it('lets nothing out of its strings that the trace holds', () => {
    const { records } = new TracedServer().say("EHLO ';throw 1//`*/");
    expect(run(testFileOf({ id: "*/ throw new Error('out') /*", end: 'server', records }))).toBe(1);
  });

  it('takes no event of a trace for more than its name', () => {
    const { records } = new TracedServer().say('NOOP');
    const named = (event: string) =>
      records.map((record) =>
        record.name === 'smtp:state_updated' && record.data.old !== undefined
          ? { ...record, data: { ...record.data, event } }
          : record,
      );
    for (const event of ['constructor', '__proto__']) expect(run(of(named(event)))).toBe(1);
  });

  it("is of a client's session, too", () => {
    const { client } = deliveredBetween();
    expect(run(of(client, 'client'))).toBe(1);
  });
});
