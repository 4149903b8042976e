import { describe, expect, it } from 'vitest';
import type { ServerOutput } from './contract/messages.js';
import { answering, Dialogue, reject, typesOf } from './dialogue.test-support.js';

const ACCEPTED = '250 2.0.0 Message accepted';
const MALFORMED = expect.stringMatching(/^554 5\.6\.0 Line \d+ of the message /);
const TOO_LARGE = '552 5.3.4 The message exceeds the size limit';

const bytes = (text: string) =>
  ({ type: 'bytes', bytes: Uint8Array.from(Buffer.from(text, 'latin1')) }) as const;
const abandoned = (outputs: readonly ServerOutput[]) =>
  outputs.flatMap((output) => (output.type === 'abandonMailData' ? [output.reason] : []));

describe('mail data', () => {
  it('ends at CRLF "." CRLF, the first CRLF being its own (RFC 5321 §4.1.1.4)', () => {
    const dialogue = new Dialogue().receiving();
    expect(dialogue.octets('Subject: x\r\n\r\nHello\r\n.\r\nNOOP\r\n')).toEqual([ACCEPTED, '250 2.0.0 OK']);
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['Subject: x\r\n\r\nHello\r\n']);
  });

  it('may be empty', () => {
    const dialogue = new Dialogue().receiving();
    expect(dialogue.octets('.\r\n')).toEqual([ACCEPTED]);
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['']);
    expect(dialogue.questions.at(-1)).toMatchObject({ kind: 'message', size: 0 });
  });

  it('comes without transparency, and is measured so (RFC 5321 §4.5.2)', () => {
    const dialogue = new Dialogue().receiving();
    expect(dialogue.octets('..\r\n...x\r\n.y\r\n.\r\n')).toEqual([ACCEPTED]);
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['.\r\n..x\r\ny\r\n']);
    expect(dialogue.questions.at(-1)).toMatchObject({ kind: 'message', size: 3 + 5 + 3 });
  });

  it('may hold any octets above 127 (RFC 6152)', () => {
    const dialogue = new Dialogue().receiving();
    dialogue.octets('\x80\xff\xc3\r\n.\r\n');
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['\x80\xff\xc3\r\n']);
  });

  it('is handed out as it comes, without waiting for its end and without a copy', () => {
    const { session } = new Dialogue().receiving();
    const input = bytes('Hello\r\nthere');
    session.handle({ ...input, now: 0 });
    const output = session.poll();
    expect(output?.type === 'mailData' && output.bytes.buffer).toBe(input.bytes.buffer);
    expect(output).toMatchObject({ type: 'mailData', bytes: input.bytes });
    expect(session.poll()).toBeUndefined();
  });

  it('holds no commands: they are text (RFC 5321 §4.1.1.4)', () => {
    const dialogue = new Dialogue().receiving();
    dialogue.say('QUIT', 'RSET', 'MAIL FROM:<evil@x>', '.');
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['QUIT\r\nRSET\r\nMAIL FROM:<evil@x>\r\n']);
    expect(dialogue.session.state).toBe('session.ready');
  });

  it('that is refused in the end leaves nothing behind (RFC 5321 §4.1.1.4)', () => {
    const dialogue = new Dialogue({ application: answering({ message: reject }) }).receiving();
    expect(dialogue.say('Hello', '.')).toEqual(['554 5.3.0 Message refused']);
    expect(dialogue.session.state).toBe('session.ready');
  });
});

describe('mail data that is malformed', () => {
  it.each([
    ['a\nb', 'ends in LF alone; end every line in CRLF (RFC 5321 section 2.3.8)'],
    ['a\rb', 'holds a CR without LF; end every line in CRLF, and send no other CR'],
    ['a\0b', 'holds a NUL; send binary content in base64'],
    ['a\r', 'holds a CR without LF; end every line in CRLF, and send no other CR'],
    [
      'x'.repeat(999),
      'has more than 1000 octets; break it, or encode the text as quoted-printable or base64',
    ],
  ])(
    'is 554 5.6.0 after its true end, which says what is wrong and where: %j (RFC 5321 §2.3.8)',
    (line, flaw) => {
      const dialogue = new Dialogue({ maximumTextLineLength: 1000 }).receiving();
      const outputs = dialogue.handle(bytes(`fine\r\n${line}\r\n`));
      expect(outputs).toEqual([{ type: 'abandonMailData', reason: 'malformed' }]);
      expect(dialogue.session.state).toBe('session.transaction.receiving');
      expect(dialogue.octets('more\r\n.\r\nNOOP\r\n')).toEqual([
        `554 5.6.0 Line 2 of the message ${flaw}`,
        '250 2.0.0 OK',
      ]);
      expect(dialogue.asked).not.toContain('message');
      expect(dialogue.session.state).toBe('session.ready');
      expect(dialogue.say('RCPT TO:<a@b>')[0]).toMatch(/^503 /);
    },
  );

  it('is given up at once, and nothing of the rest is handed out', () => {
    const dialogue = new Dialogue().receiving();
    expect(typesOf(dialogue.handle(bytes('fine\r\n')))).toEqual(['mailData']);
    expect(typesOf(dialogue.handle(bytes('a\n')))).toEqual(['abandonMailData']);
    expect(dialogue.handle(bytes('more\r\n'))).toEqual([]);
    expect(dialogue.handle(bytes('x\0y\n\r\n'))).toEqual([]);
    expect(typesOf(dialogue.handle(bytes('.\r\n')))).toEqual(['write']);
  });

  it('does not count among the errors in a row', () => {
    const dialogue = new Dialogue({ maximumErrors: 1 }).receiving();
    expect(dialogue.octets('a\nb\r\n.\r\n')).toEqual([MALFORMED]);
    expect(dialogue.session.state).toBe('session.ready');
  });

  it('is kept verbatim where `bareNewline` says so, and ends at CRLF "." CRLF all the same', () => {
    const dialogue = new Dialogue({ bareNewline: 'keep' }).receiving();
    const text = 'a\nb\rc\0\n.\n\r.\r\n.\n.\r.\r\r\n';
    expect(dialogue.octets(`${text}.\r\n`)).toEqual([ACCEPTED]);
    expect(dialogue.messages.map((message) => message.text)).toEqual(['a\nb\rc\0\n.\n\r.\r\n\n.\r.\r\r\n']);
  });

  it('has lines of any length (RFC 5321 §4.5.3.1.6)', () => {
    expect(new Dialogue().receiving().say('x'.repeat(100_000), '.')).toEqual([ACCEPTED]);
  });

  it('has lines as long as `maximumTextLineLength` says, CRLF included and the dot of transparency not', () => {
    const limited = (bareNewline: 'reject' | 'keep' = 'reject') =>
      new Dialogue({ maximumTextLineLength: 1000, bareNewline }).receiving();
    expect(limited().say('x'.repeat(998), '.')).toEqual([ACCEPTED]);
    expect(limited().say(`..${'x'.repeat(997)}`, '.')).toEqual([ACCEPTED]);
    expect(limited().say('x'.repeat(999), '.')).toEqual([MALFORMED]);
    expect(limited('keep').say('x'.repeat(999), '.')).toEqual([MALFORMED]);
    // Sixty short lines are no long one because they end in LF.
    expect(limited('keep').octets(`${'a line of the message\n'.repeat(60)}\r\n.\r\n`)).toEqual([ACCEPTED]);
  });
});

describe('a bare LF that is normalized', () => {
  const normalizing = () => new Dialogue({ bareNewline: 'normalize' });

  it('ends a command and a line of the message, which is handed on with CRLF; only CRLF.CRLF ends the message', () => {
    const dialogue = normalizing();
    dialogue.octets('EHLO c\nMAIL FROM:<a@b>\nRCPT TO:<c@d>\nDATA\n');
    expect(dialogue.octets('Subject: x\n\n..a\n.\n.b\n')).toEqual([]);
    expect(dialogue.octets('\r\n.\r\nNOOP\n')).toEqual([ACCEPTED, '250 2.0.0 OK']);
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['Subject: x\r\n\r\n.a\r\n\r\nb\r\n\r\n']);
    expect(dialogue.questions.at(-1)).toMatchObject({ kind: 'message', size: 25 });
  });

  it('is one of a chunk, too, without dots; and is data where the message is binary (RFC 3030)', () => {
    const dialogue = normalizing().addressed();
    expect(dialogue.octets('BDAT 6 LAST\na\n.\nb\n')).toEqual([ACCEPTED]);
    dialogue.say('MAIL FROM:<a@b> BODY=BINARYMIME', 'RCPT TO:<c@d>');
    expect(dialogue.octets('BDAT 6 LAST\na\n\r\0\r\n')).toEqual([ACCEPTED]);
    expect(dialogue.messages.map(({ text }) => text)).toEqual(['a\r\n.\r\nb\r\n', 'a\n\r\0\r\n']);
  });

  it.each(['a\rb', 'a\0b'])('leaves a bare CR and a NUL what they are: %j', (text) => {
    expect(normalizing().receiving().octets(`x\n${text}\n\r\n.\r\n`)).toEqual([
      expect.stringContaining('554 5.6.0 Line 2 '),
    ]);
    expect(normalizing().octets(`NOOP ${text}\nNOOP\n`)).toEqual([
      expect.stringMatching(/^500 5\.5\.2/),
      '250 2.0.0 OK',
    ]);
  });

  it('counts as CRLF in the size of the message', () => {
    const outcome = (chunks: readonly string[]) => {
      const dialogue = new Dialogue({ bareNewline: 'normalize', maximumMessageSize: 6 }).receiving();
      for (const chunk of chunks) dialogue.octets(chunk);
      return dialogue.replies.at(-1);
    };
    for (const [text, reply] of [
      ['\n\n\n.\r\n\r\n.\r\n', TOO_LARGE],
      ['a\nb\n\r\n.\r\n', TOO_LARGE],
      ['\n\n\r\n.\r\n', ACCEPTED],
      ['\n\n\n\0\r\n.\r\n', MALFORMED],
      ['\n\n\n\n\0\r\n.\r\n', TOO_LARGE],
    ] as const) {
      expect(outcome([text])).toEqual(reply);
      expect(outcome([...text])).toEqual(reply);
    }
  });
});

describe('mail data that is too large', () => {
  const limited = () => new Dialogue({ maximumMessageSize: 10 }).receiving();

  it('is measured without transparency and without its end', () => {
    expect(limited().octets('12345678\r\n.\r\n')).toEqual([ACCEPTED]);
    expect(limited().octets('..2345678\r\n.\r\n')).toEqual([ACCEPTED]);
    expect(limited().octets('123456789\r\n.\r\n')).toEqual([TOO_LARGE]);
    expect(limited().octets('..23456789\r\n.\r\n')).toEqual([TOO_LARGE]);
  });

  it('is given up at the octet that is too many, and refused after its end (RFC 1870 §6.3)', () => {
    const dialogue = limited();
    expect(dialogue.handle(bytes('1234567890'))).toMatchObject([{ type: 'mailData' }]);
    expect(dialogue.handle(bytes('1'))).toEqual([{ type: 'abandonMailData', reason: 'tooLarge' }]);
    expect(dialogue.handle(bytes('more'.repeat(10_000)))).toEqual([]);
    expect(dialogue.octets('\r\n.\r\n')).toEqual([TOO_LARGE]);
    expect(dialogue.session.state).toBe('session.ready');
    expect(dialogue.messages).toEqual([]);
    expect(dialogue.say('DATA')[0]).toMatch(/^503 /);
  });

  it('is found to be so though it was declared smaller (RFC 1870 §6.3)', () => {
    const dialogue = new Dialogue({ maximumMessageSize: 10 }).ready();
    dialogue.say('MAIL FROM:<a@b> SIZE=1', 'RCPT TO:<c@s>', 'DATA');
    expect(dialogue.octets('1234567890\r\n.\r\n')).toEqual([TOO_LARGE]);
  });

  it('is told apart from malformed by what comes first, whatever the chunks', () => {
    const outcome = (text: string, chunks: readonly string[]) => {
      const dialogue = limited();
      for (const chunk of chunks) dialogue.octets(chunk);
      return [text, abandoned(dialogue.outputs), dialogue.replies.at(-1)];
    };
    for (const [text, reason, reply] of [
      ['1234567\n9012\r\n.\r\n', 'malformed', MALFORMED],
      ['123456789\n12\r\n.\r\n', 'malformed', MALFORMED],
      // At one octet the message is too large and the bare LF is met: neither comes first.
      ['1234567890\n2\r\n.\r\n', 'malformed', MALFORMED],
      ['12345678901\n\r\n.\r\n', 'tooLarge', TOO_LARGE],
      ['..2345678901\n\r\n.\r\n', 'tooLarge', TOO_LARGE],
    ] as const) {
      const expected = [text, [reason], reply];
      expect(outcome(text, [text])).toEqual(expected);
      expect(outcome(text, [...text])).toEqual(expected);
    }
  });
});

describe('commands behind a message that was refused', () => {
  it.each([
    ['malformed', 'a\nb'],
    ['too large', 'x'.repeat(20)],
  ])('are errors where they are out of sequence, for nothing was pipelined behind it: %s', (_, text) => {
    const dialogue = new Dialogue({ maximumMessageSize: 10, maximumErrors: 3 }).receiving();
    dialogue.say(text, '.');
    expect(dialogue.say('RCPT TO:<c@d>', 'DATA', 'DATA').map((line) => line.slice(0, 3))).toEqual([
      '503',
      '503',
      '421',
    ]);
  });
});
