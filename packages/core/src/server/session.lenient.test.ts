/** Lenient mode: what docs/receiving.md says of it, line by line, and what a client may do that says no EHLO. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { standardExtensions } from '../extensions/lists.js';
import { etrn } from '../extensions/session/etrn.js';
import { EXPORTER } from '../sasl/running.test-support.js';
import { Dialogue, type DialogueOptions } from './dialogue.test-support.js';

const document = await readFile(new URL('../../../../docs/receiving.md', import.meta.url), 'utf8');

interface Row {
  readonly after: string;
  readonly line: string;
  readonly byDefault: string;
  readonly lenient: string;
}

const tables = document
  .split('<!-- lenient -->\n')
  .slice(1)
  .map((rest): Row[] => {
    const [table = ''] = rest.split('\n\n');
    return table
      .split('\n')
      .slice(2)
      .map((row) => {
        const [, after = '', line = '', byDefault = '', lenient = ''] = row.split(/ *\| */);
        return { after, line: line.slice(1, -1), byDefault, lenient };
      });
  });

const lead: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  EHLO: ['EHLO c.example'],
  MAIL: ['EHLO c.example', 'MAIL FROM:<a@b.example>'],
};

/** What comes of a line: the replies, and what the application was asked. */
function outcomeOf(options: DialogueOptions, after: readonly string[], line: string) {
  const dialogue = new Dialogue(options);
  for (const each of after) dialogue.say(each);
  const asked = dialogue.questions.length;
  const replies = dialogue.say(line.replaceAll('⇥', '\t'));
  return { replies, questions: dialogue.questions.slice(asked) };
}

/** As a row has it: a code, or the line as which it is read, which a strict server takes after EHLO. */
function expectOutcome(lenient: boolean, { after, line }: Row, cell: string): void {
  const outcome = outcomeOf({ lenient }, lead[after] ?? [], line);
  if (/^\d/.test(cell)) {
    expect(outcome).toEqual({ replies: [expect.stringMatching(new RegExp(`^${cell} `))], questions: [] });
    return;
  }
  const expected = outcomeOf({}, lead[after === 'nothing' ? 'EHLO' : after] ?? [], cell.slice(1, -1));
  expect(expected.replies.at(-1)).toMatch(/^2/);
  expect(outcome).toEqual(expected);
}

describe('the tables of docs/receiving.md', () => {
  it('are two: of what lenient mode takes, and of what it refuses as well', () => {
    expect(tables.map((rows) => rows.length > 10)).toEqual([true, true]);
    const [taken = [], refused = []] = tables;
    expect(taken.filter(({ byDefault, lenient }) => !/^\d/.test(byDefault) || /^\d/.test(lenient))).toEqual(
      [],
    );
    expect(refused.filter(({ byDefault, lenient }) => !/^5/.test(byDefault) || !/^5/.test(lenient))).toEqual(
      [],
    );
  });

  it.each(tables.flat())('hold by default: $line after $after', (row) => {
    expectOutcome(false, row, row.byDefault);
  });

  it.each(tables.flat())('hold in lenient mode: $line after $after', (row) => {
    expectOutcome(true, row, row.lenient);
  });
});

const HELLO_FIRST = '503 5.5.1 Bad sequence of commands: send EHLO or HELO first';
const TRANSACTION = ['MAIL FROM:a@b.example', 'RCPT TO:c@d.example'];

describe('a client that says no EHLO', () => {
  const everything: DialogueOptions = {
    lenient: true,
    startTls: 'offered',
    authentication: { allowInsecure: true },
    extensions: [...standardExtensions, etrn, { keyword: 'XVERB', verbs: ['XVERB'] }],
  };

  it('sends mail, one message after another', () => {
    const dialogue = new Dialogue(everything);
    for (let count = 1; count <= 2; count++) {
      expect(dialogue.say(...TRANSACTION, 'DATA')).toEqual([
        '250 2.1.0 Sender OK',
        '250 2.1.5 Recipient OK',
        '354 Send the message; end it with <CRLF>.<CRLF>',
      ]);
      expect(dialogue.say('Hello', '.')).toEqual(['250 2.0.0 Message accepted']);
      expect(dialogue.session.hello).toBeUndefined();
      expect(dialogue.messages).toHaveLength(count);
    }
  });

  it.each(['at first', 'after a mail transaction'])('was offered no service extension: %s', (when) => {
    const dialogue = new Dialogue(everything);
    if (when !== 'at first') dialogue.say(...TRANSACTION, 'RSET');
    for (const line of ['AUTH PLAIN AHUAcA==', 'BDAT 0 LAST', 'STARTTLS', 'ETRN x', 'XVERB']) {
      expect([line, ...dialogue.say(line)]).toEqual([line, HELLO_FIRST]);
    }
    expect(dialogue.say('MAIL FROM:<a@b.example> SIZE=9')[0]).toMatch(/^555 5\.5\.4 /);
    expect(dialogue.say('MAIL FROM:<é@b.example>')[0]).toMatch(/^5/);
  });

  it('sends no BDAT within a mail transaction, and its octets are no commands', () => {
    const dialogue = new Dialogue(everything);
    dialogue.say(TRANSACTION[0] ?? '');
    expect(dialogue.octets('BDAT 6 LAST\r\nQUIT\r\n')).toEqual([HELLO_FIRST]);
    dialogue.say(TRANSACTION[1] ?? '');
    expect(dialogue.octets('BDAT 6 LAST\r\nQUIT\r\n')).toEqual([HELLO_FIRST]);
    dialogue.say('DATA', 'Hello', '.');
    expect(dialogue.messages).toHaveLength(1);
  });

  it('may say EHLO later, which ends the mail transaction (RFC 5321 §4.1.4)', () => {
    const dialogue = new Dialogue(everything);
    dialogue.say(...TRANSACTION, 'EHLO c.example');
    expect(dialogue.session.state).toBe('session.ready');
    expect(dialogue.say('AUTH PLAIN AHUAcA==')).toEqual(['235 2.7.0 Authentication succeeded']);
  });

  it('is not excused from TLS, or from AUTH', () => {
    const [mail = ''] = TRANSACTION;
    expect(new Dialogue({ ...everything, startTls: 'required' }).say(mail)).toEqual([
      '530 5.7.0 Send STARTTLS first',
    ]);
    const authentication = { required: true, allowInsecure: true };
    expect(new Dialogue({ ...everything, authentication }).say(mail)).toEqual([
      '530 5.7.0 Authentication required',
    ]);
  });

  it('makes one error only of what it pipelines behind a refused MAIL (RFC 2920 §3.1)', () => {
    const dialogue = new Dialogue({ ...everything, maximumErrors: 2 });
    const replies = dialogue.say('MAIL FROM:<a@b.example> SIZE=9', 'RCPT TO:<c@d.example>', 'DATA', 'NOOP');
    expect(replies.map((line) => line.slice(0, 3))).toEqual(['555', '503', '503', '250']);
  });

  it('is nobody once TLS has begun', () => {
    const dialogue = new Dialogue(everything).secured(EXPORTER);
    expect(dialogue.session.hello).toBeUndefined();
    expect(dialogue.say(...TRANSACTION)).toEqual(['250 2.1.0 Sender OK', '250 2.1.5 Recipient OK']);
  });
});
