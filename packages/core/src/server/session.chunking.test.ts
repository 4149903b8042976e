/** CHUNKING and BINARYMIME (RFC 3030): mail data by BDAT. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer } from './decisions/questions.js';
import {
  accept,
  answering,
  Dialogue,
  type DialogueOptions,
  hangUp,
  reject,
  typesOf,
} from './dialogue.test-support.js';

const CHUNK = '250 2.0.0 Chunk received';
const ACCEPTED = '250 2.0.0 Message accepted';
const OK = '250 2.0.0 OK';
const MAIL_FIRST = '503 5.5.1 Bad sequence of commands: send MAIL first';
const MALFORMED = expect.stringMatching(/^554 5\.6\.0 Line \d+ of the message /);
const TOO_LARGE = '552 5.3.4 The message exceeds the size limit';

const SHUTTING_DOWN = '421 4.3.2 The service is shutting down, closing the session';

const bdat = (octets: string, last = '') => `BDAT ${octets.length}${last && ` ${last}`}\r\n${octets}`;

/** Behind the first chunk of a message. */
function chunked(options: DialogueOptions = {}): Dialogue {
  const dialogue = new Dialogue(options).addressed();
  dialogue.octets(bdat('ab\r\n'));
  return dialogue;
}

describe('a message by BDAT', () => {
  it('comes in chunks, each with its reply, and is asked about behind the last (RFC 3030 §2)', () => {
    const dialogue = new Dialogue().addressed();
    expect(dialogue.octets(bdat('Hello\r\n'))).toEqual([CHUNK]);
    expect(dialogue.session.state).toBe('session.transaction.chunked');
    expect(dialogue.octets(bdat('.\r\nQUIT\r\n', 'LAST'))).toEqual([ACCEPTED]);
    expect(dialogue.session.state).toBe('session.ready');
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['Hello\r\n.\r\nQUIT\r\n']);
    expect(dialogue.asked).toEqual(['connect', 'hello', 'mail', 'rcpt', 'data', 'message']);
    expect(dialogue.questions.at(-1)).toMatchObject({ kind: 'message', size: 16 });
  });

  it.each([
    ['one chunk', [bdat('Hello\r\n', 'LAST')], 'Hello\r\n'],
    ['an empty last chunk', [bdat('Hello\r\n'), bdat('', 'LAST')], 'Hello\r\n'],
    ['empty chunks in between', [bdat(''), bdat('Hello'), bdat(''), bdat('\r\n', 'last')], 'Hello\r\n'],
    ['nothing at all', [bdat('', 'LAST')], ''],
    ['CRLF cut in two', [bdat('Hello\r'), bdat('\n', 'LAST')], 'Hello\r\n'],
    ['no line end', [bdat('Hello', 'LAST')], 'Hello'],
    ['dots, which are no transparency', [bdat('.\r\n..\r\n', 'LAST')], '.\r\n..\r\n'],
  ])('may be %s', (_, chunks, text) => {
    const dialogue = new Dialogue().addressed();
    expect(dialogue.octets(chunks.join(''))).toEqual([...chunks.slice(1).map(() => CHUNK), ACCEPTED]);
    expect(dialogue.messages.map((message) => message.text)).toEqual([text]);
  });

  it('is refused by the application at its first chunk, whose octets are read away before (RFC 3030 §2)', () => {
    const dialogue = new Dialogue({ application: answering({ data: reject }) }).addressed();
    expect(dialogue.octets('BDAT 6\r\nQUIT')).toEqual([]);
    expect(dialogue.octets('\r\nNOOP\r\n')).toEqual(['554 5.7.1 Message refused', OK]);
    expect(dialogue.session.state).toBe('session.ready');
    expect(typesOf(dialogue.outputs)).not.toContain('mailData');
  });

  it('is refused by the application at its end', () => {
    const dialogue = chunked({ application: answering({ message: reject }) });
    expect(dialogue.octets(bdat('', 'LAST'))).toEqual(['554 5.3.0 Message refused']);
    expect(dialogue.say('RSET')).toEqual([OK]);
  });

  it.each<[string, Answer]>([
    ['by the application', hangUp],
    ['because nobody decides', accept],
  ])('is ended by 421 at its first chunk, and its octets are not waited for: %s', (_, answer) => {
    const dialogue = new Dialogue({
      timeouts: { decision: 100 },
      application: answering({ data: answer === hangUp ? hangUp : undefined }),
    }).addressed();
    dialogue.octets('BDAT 1000\r\nabc');
    dialogue.timeoutAt(100);
    expect(dialogue.replies.at(-1)).toMatch(/^421 4\.3\./);
    expect(typesOf(dialogue.outputs).slice(-2)).toEqual(['write', 'close']);
  });

  it('is answered at once, whatever is pipelined behind it', () => {
    const application = answering({ mail: undefined });
    const dialogue = new Dialogue({ application });
    dialogue.say('EHLO c', 'MAIL FROM:<a@b>');
    dialogue.answer(accept);
    dialogue.say('RCPT TO:<c@d>');
    expect(dialogue.octets(`${bdat('x', 'LAST')}MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n`)).toEqual([ACCEPTED]);
    expect(dialogue.session.question?.kind).toBe('mail');
  });
});

describe('a BDAT that is refused', () => {
  it.each<[string, string, DialogueOptions, string[]]>([
    ['to a client that is not served', '503 5.5.1', { application: answering({ connect: reject }) }, []],
    ['before EHLO', '503 5.5.1', {}, []],
    [
      'after HELO, which was offered nothing',
      '502 5.5.1',
      {},
      ['HELO c', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>'],
    ],
    [
      'where CHUNKING is not offered',
      '502 5.5.1',
      { extensions: [] },
      ['EHLO c', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>'],
    ],
    ['before MAIL', '503 5.5.1', {}, ['EHLO c']],
    [
      'behind a refused MAIL',
      '503 5.5.1',
      { application: answering({ mail: reject }) },
      ['EHLO c', 'MAIL FROM:<a@b>'],
    ],
    ['before RCPT', '503 5.5.1', {}, ['EHLO c', 'MAIL FROM:<a@b>']],
    [
      'behind refused RCPTs',
      '554 5.5.1',
      { application: answering({ rcpt: reject }) },
      ['EHLO c', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>'],
    ],
  ])('has its octets read away before the reply: %s (RFC 3030 §2)', (_, code, options, lines) => {
    for (const last of ['', 'LAST']) {
      const dialogue = new Dialogue(options);
      dialogue.say(...lines);
      const { state } = dialogue.session;
      const asked = dialogue.asked.length;
      const octets = bdat('QUIT\r\nVRFY evil\r\n', last);
      expect(dialogue.octets(octets.slice(0, -1))).toEqual([]);
      expect(dialogue.octets(octets.slice(-1))).toEqual([expect.stringContaining(code)]);
      expect(dialogue.session.state).toBe(state);
      expect(dialogue.asked).toHaveLength(asked);
      expect(dialogue.octets(bdat('', last))).toEqual([expect.stringContaining(code)]);
    }
  });

  it('has its octets read away where its line is too long', () => {
    const dialogue = new Dialogue().addressed();
    expect(dialogue.octets(`BDAT 6${' '.repeat(505)}\r\nQUIT\r\nNOOP\r\n`)).toEqual([
      '500 5.5.2 Line too long',
      OK,
    ]);
  });

  it('keeps nothing of the octets', () => {
    const dialogue = new Dialogue({ maximumHeldOctets: 10 }).ready();
    dialogue.octets(`BDAT ${1000 * 1000}\r\n`);
    for (let count = 0; count < 999; count++) expect(dialogue.octets('x'.repeat(1000))).toEqual([]);
    expect(dialogue.octets('x'.repeat(1000))).toEqual([MAIL_FIRST]);
    expect(typesOf(dialogue.outputs)).not.toContain('mailData');
  });

  it('may be given up by the client, or by its silence', () => {
    const gone = new Dialogue().ready();
    gone.octets('BDAT 10\r\nabc');
    expect(typesOf(gone.handle({ type: 'eof' }))).toEqual(['closed']);

    const silent = new Dialogue({ timeouts: { idle: 100 } }).ready();
    silent.now = 50;
    silent.octets('BDAT 10\r\nabc');
    silent.now = 90;
    silent.octets('abc');
    expect(silent.timeoutAt(189)).toEqual([]);
    silent.timeoutAt(190);
    expect(silent.replies.at(-1)).toMatch(/^421 4\.4\.2/);
  });

  it('is answered before a shutdown ends the session', () => {
    const dialogue = new Dialogue().ready();
    dialogue.octets('BDAT 6\r\nQUIT');
    expect(dialogue.handle({ type: 'shutdown' })).toEqual([]);
    expect(dialogue.octets('\r\n')).toEqual([MAIL_FIRST, expect.stringMatching(/^421 4\.3\.2/)]);
  });

  it('is answered in its order, and what came before it is answered at once', () => {
    const dialogue = new Dialogue().ready();
    expect(dialogue.octets('RSET\r\nMAIL FROM:<a@b>\r\nBDAT 6\r\nQUIT')).toEqual([OK, '250 2.1.0 Sender OK']);
    expect(dialogue.octets('\r\nRSET\r\n').map((line) => line.slice(0, 3))).toEqual(['503', '250']);
  });

  it('may be the error that ends the session, and its octets are not waited for', () => {
    const dialogue = new Dialogue({ maximumErrors: 1 }).ready();
    expect(dialogue.octets('BDAT 10\r\n')).toEqual([
      '421 4.7.0 Too many errors in a row, closing the session',
    ]);
    expect(dialogue.session.state).toBe('closing');
  });
});

describe('a BDAT of which nobody can tell how many octets follow', () => {
  it.each([
    'BDAT',
    'BDAT x',
    'BDAT -1',
    'BDAT 1 2',
    'BDAT 1 LAS',
    `BDAT ${'9'.repeat(21)}`,
    'bdat \x01',
    'BDAT\t5',
    'BDAT \xe9',
  ])('ends the session: %j', (line) => {
    for (const dialogue of [
      new Dialogue(),
      new Dialogue().addressed(),
      chunked(),
      new Dialogue({ application: answering({ connect: reject }) }),
    ]) {
      const asked = dialogue.asked.length;
      const replies = dialogue.octets(`${line}\r\nVRFY evil\r\n`);
      expect(replies).toEqual([expect.stringMatching(/^50[01] 5\.5\.[24] /)]);
      expect(dialogue.session.state).toBe('closing');
      expect(dialogue.asked).toHaveLength(asked);
    }
  });

  it.each([
    'BDAT 22 LAST\n\r\n',
    'BDAT 22 LAST\0\r\n',
    'BDAT 22\r LAST\r\n',
    'BDAT\r 22 LAST\r\n',
    'BDAT\n22 LAST\r\n',
    'BDAT\x0022 LAST\r\n',
    'BDAT\x0b22 LAST\r\n',
    'BDAT\x7f22 LAST\r\n',
    'BDAT=22 LAST\r\n',
    'BDAT\xa022 LAST\r\n',
    `BDAT 22 LAST${' '.repeat(13_000)}\r\n`,
  ])('ends the session, however wrong the line is: %j', (line) => {
    const sent = `${line}RSET\r\nVRFY evil\r\nabcd`;
    const cuts = [1, 2, 3, 4, 5, 6, 7, line.length - 2, line.length - 1, line.length];
    for (const bareNewline of ['reject', 'keep'] as const) {
      const runs = [[sent], [...sent], ...cuts.map((cut) => [sent.slice(0, cut), sent.slice(cut)])];
      for (const chunks of runs) {
        const dialogue = new Dialogue({ bareNewline }).addressed();
        const replies = chunks.flatMap((chunk) => dialogue.octets(chunk));
        expect(replies).toEqual([expect.stringMatching(/^50[01] 5\.5\.[124] /)]);
        expect(dialogue.session.state).toBe('closing');
        expect(dialogue.asked).not.toContain('verify');
      }
    }
  });

  it.each(['BDATA 5', 'BDAT-5', 'BDAT5 LAST', 'BDA\tT 5', 'XBDAT 5'])(
    'is no other verb that begins alike: %j',
    (line) => {
      const dialogue = new Dialogue().ready();
      expect(dialogue.say(line, 'NOOP')).toEqual([expect.stringMatching(/^50[01] /), OK]);
      expect(dialogue.octets(`${line}\n\r\nNOOP\r\n`)).toEqual([expect.stringMatching(/^500 /), OK]);
    },
  );
});

describe('mail data in chunks', () => {
  it.each([
    ['a bare LF', ['a\nb\r\n']],
    ['a bare CR', ['a\rb\r\n']],
    ['a NUL', ['\0']],
    ['a bare CR across chunks', ['a\r', 'b']],
    ['a bare CR at the end of the message', ['a\r']],
    ['too long a line across chunks', ['x'.repeat(6), 'x'.repeat(7)]],
  ])('is text, and refused where it is not: %s (RFC 5321 §2.3.8)', (_, chunks) => {
    const dialogue = new Dialogue({ maximumTextLineLength: 12 }).addressed();
    const text = chunks
      .map((chunk, index) => bdat(chunk, index === chunks.length - 1 ? 'LAST' : ''))
      .join('');
    expect(dialogue.octets(text).at(-1)).toEqual(MALFORMED);
    expect(dialogue.messages).toEqual([]);
    expect(dialogue.asked.at(-1)).toBe('data');
    const abandoned = dialogue.outputs.filter(({ type }) => type === 'abandonMailData');
    expect(abandoned).toEqual([{ type: 'abandonMailData', reason: 'malformed' }]);
  });

  it('may be anything where it was declared to be binary (RFC 3030 §3)', () => {
    const octets = '\0\n\r\r\n.\r\n\xff'.repeat(300);
    const dialogue = new Dialogue().ready();
    dialogue.say('MAIL FROM:<a@b> BODY=BINARYMIME', 'RCPT TO:<c@d>');
    expect(dialogue.octets(bdat(octets) + bdat(octets, 'LAST'))).toEqual([CHUNK, ACCEPTED]);
    expect(dialogue.messages[0]?.text).toBe(octets + octets);
  });

  it('may be of the size limit exactly, all chunks together (RFC 1870 §6.3)', () => {
    const dialogue = new Dialogue({ maximumMessageSize: 8 }).addressed();
    expect(dialogue.octets(bdat('abcd') + bdat('efgh') + bdat('', 'LAST'))).toEqual([CHUNK, CHUNK, ACCEPTED]);
  });

  it('is refused at the chunk that exceeds the limit, and nothing is executed of it or behind it', () => {
    const dialogue = new Dialogue({ maximumMessageSize: 8, maximumErrors: 2 }).addressed();
    const replies = dialogue.octets(
      `${bdat('abcd')}${bdat('QUIT\r\nQUIT\r\n')}${bdat('QUIT\r\n')}${bdat('x', 'LAST')}NOOP\r\n`,
    );
    // RFC 3030 §2: what the client has pipelined behind it is out of sequence, and no error of its own.
    expect(replies).toEqual([CHUNK, TOO_LARGE, MAIL_FIRST, MAIL_FIRST, OK]);
    expect(dialogue.outputs).toContainEqual({ type: 'abandonMailData', reason: 'tooLarge' });
    expect(dialogue.messages).toEqual([]);
  });

  it('is not waited for without end', () => {
    const dialogue = new Dialogue({ timeouts: { mailData: 100 } }).addressed();
    dialogue.octets('BDAT 10\r\nabc');
    dialogue.timeoutAt(100);
    expect(dialogue.replies.at(-1)).toBe('421 4.4.2 No mail data for too long, closing the session');
    expect(dialogue.outputs).toContainEqual({ type: 'abandonMailData', reason: 'closed' });
  });

  it('is handed out as it comes, and not kept', () => {
    const dialogue = new Dialogue({ maximumHeldOctets: 10 }).addressed();
    dialogue.octets('BDAT 1000000 LAST\r\n');
    for (let count = 0; count < 1000; count++) {
      const outputs = dialogue.handle({ type: 'bytes', bytes: Buffer.from(`${'x'.repeat(998)}\r\n`) });
      expect(typesOf(outputs)[0]).toBe('mailData');
    }
    expect(dialogue.replies.at(-1)).toBe(ACCEPTED);
  });
});

describe('DATA and BDAT', () => {
  it('do not mix: DATA behind a chunk gets 503 (RFC 3030 §2)', () => {
    const dialogue = chunked();
    expect(dialogue.say('DATA')[0]).toMatch(/^503 5\.5\.1/);
    expect(dialogue.session.state).toBe('session.transaction.chunked');
    expect(dialogue.octets(bdat('', 'LAST'))).toEqual([ACCEPTED]);
  });

  it('are not alike: DATA gets 503 where the message is binary (RFC 3030 §3)', () => {
    const dialogue = new Dialogue().ready();
    dialogue.say('MAIL FROM:<a@b> BODY=BINARYMIME', 'RCPT TO:<c@d>');
    expect(dialogue.say('DATA')).toEqual(['503 5.5.1 A message with BODY=BINARYMIME is sent by BDAT']);
    expect(dialogue.session.state).toBe('session.transaction.addressed');
    expect(dialogue.octets(bdat('\0', 'LAST'))).toEqual([ACCEPTED]);
    dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<c@d>');
    expect(dialogue.say('DATA')[0]).toMatch(/^354/);
  });
});

describe('between two chunks', () => {
  it.each(['RSET', 'EHLO c'])('%s takes the mail data back, and ends the mail transaction', (line) => {
    const dialogue = chunked();
    expect(dialogue.say(line)[0]).toMatch(/^250/);
    expect(dialogue.outputs).toContainEqual({ type: 'abandonMailData', reason: 'reset' });
    expect(dialogue.session.state).toBe('session.ready');
    dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<c@d>');
    dialogue.octets(bdat('new', 'LAST'));
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['new']);
  });

  it.each([
    'NOOP',
    'VRFY x',
    'EXPN x',
    'HELP',
    'FOO',
    'MAIL FROM:<a@b>',
    'RCPT TO:<c@d>',
    'AUTH PLAIN',
    'EHLO',
  ])('%s changes nothing', (line) => {
    const dialogue = chunked({ authentication: { allowInsecure: true } });
    expect(dialogue.say(line)).toHaveLength(1);
    expect(dialogue.session.state).toBe('session.transaction.chunked');
    dialogue.octets(bdat('cd\r\n', 'LAST'));
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['ab\r\ncd\r\n']);
    expect(dialogue.messages[0]?.envelope.recipients).toHaveLength(1);
  });

  it('a refused EHLO changes nothing', () => {
    const dialogue = new Dialogue({
      application: (question) =>
        question.kind === 'hello' && question.hello.name === 'bad' ? reject : accept,
    }).addressed();
    dialogue.octets(bdat('ab'));
    dialogue.say('EHLO bad');
    dialogue.octets(bdat('cd', 'LAST'));
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['abcd']);
  });

  it.each(['eof', 'lost'] as const)('the session may end: %s', (type) => {
    const dialogue = chunked();
    dialogue.handle({ type });
    expect(dialogue.outputs).toContainEqual({ type: 'abandonMailData', reason: 'closed' });
  });

  it('a shutdown waits for the chunks to come (RFC 5321 §3.8), and for nothing behind the last', () => {
    const dialogue = chunked();
    expect(dialogue.handle({ type: 'shutdown' })).toEqual([]);
    expect(dialogue.octets(bdat('cd'))).toEqual([CHUNK]);
    const behind = 'MAIL FROM:<b@b.example>\r\n';
    expect(dialogue.octets(bdat('ef', 'LAST') + behind)).toEqual([ACCEPTED, SHUTTING_DOWN]);
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['ab\r\ncdef']);
  });

  it('a shutdown waits no longer when the message is given up', () => {
    const dialogue = chunked();
    dialogue.handle({ type: 'shutdown' });
    dialogue.say('RSET');
    expect(dialogue.replies.at(-1)).toBe(SHUTTING_DOWN);
  });

  it('errors are forgotten by a chunk that is accepted', () => {
    const dialogue = chunked({ maximumErrors: 3 });
    for (let count = 0; count < 5; count++) {
      expect(dialogue.say('FOO', 'FOO')).toHaveLength(2);
      expect(dialogue.octets(bdat('ab'))).toEqual([CHUNK]);
    }
  });
});

describe('any octets behind BDAT', () => {
  it('are the message as it is, however it was cut into chunks, and these into pieces', () => {
    const octets = fc.string({
      unit: fc.constantFrom('\r\n', '.', 'a', 'QUIT', 'BDAT 3\r\n'),
      maxLength: 30,
    });
    const lengths = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        octets,
        lengths,
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        (text, sizes, cuts) => {
          const chunks: string[] = [];
          for (let from = 0, count = 0; from < text.length && count < 50; count++) {
            const size = sizes[count % sizes.length] ?? 1;
            chunks.push(bdat(text.slice(from, from + size)));
            from += size;
          }
          const taken = chunks.map((chunk) => chunk.slice(chunk.indexOf('\n') + 1)).join('');
          const whole = [...chunks, bdat('', 'LAST')].join('');
          const run = (pieces: readonly string[]) => {
            const dialogue = new Dialogue({ bareNewline: 'keep' }).addressed();
            for (const piece of pieces) dialogue.octets(piece);
            return { texts: dialogue.messages.map((message) => message.text), replies: dialogue.replies };
          };
          const pieces: string[] = [];
          for (let from = 0, count = 0; from < whole.length; count++) {
            const size = cuts[count % cuts.length] ?? 1;
            pieces.push(whole.slice(from, from + size));
            from += size;
          }
          const expected = run([whole]);
          expect(expected.texts).toEqual([taken]);
          expect(expected.replies.filter((reply) => reply === CHUNK)).toHaveLength(chunks.length);
          expect(run(pieces)).toEqual(expected);
          expect(run([...whole])).toEqual(expected);
        },
      ),
    );
  });
});
