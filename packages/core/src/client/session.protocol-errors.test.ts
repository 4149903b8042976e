import { describe, expect, it } from 'vitest';
import { RemoteProtocolError } from '../errors.js';
import { begun, Dialogue, ended, failureIn, type Shown, written } from './dialogue.test-support.js';

const closed = { type: 'closed' };

describe('a protocol error', () => {
  const errorOf = (outputs: readonly Shown[]): RemoteProtocolError => {
    const failure = failureIn(outputs);
    if (failure?.kind !== 'protocol') throw new Error(`No protocol error but ${failure?.kind}`);
    expect(failure.error).toBeInstanceOf(RemoteProtocolError);
    return failure.error;
  };

  it.each([
    ['no code', 'hello\r\n', 'code'],
    ['a ninth empty line', '\r\n'.repeat(9), 'code'],
    ['a ninth empty line amid a reply', `220-b\r\n${'\r\n'.repeat(9)}`, 'code'],
    ['a code of two digits', '22 b\r\n', 'code'],
    ['a code of four digits', '2200 b\r\n', 'code'],
    ['a code outside 200 to 599', '120 b\r\n', 'code'],
    ['codes of two classes', '220-a\r\n554 b\r\n', 'different codes, 220 and 554: "220 a 554 b"'],
    ['421 among other codes', '450-a\r\n421 b\r\n', 'different codes'],
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
      '250 Thanks',
      'The server replied 250 "Thanks": a message under way takes 4yz or 5yz',
    ],
    ['as the greeting', () => new Dialogue(), '354 x', 'the greeting is 2yz, 4yz or 5yz'],
    [
      'as the greeting',
      () => new Dialogue(),
      '221 Bye',
      '221 "Bye": which answers QUIT only; the greeting is',
    ],
    ['to the final dot', () => ended(), '221 Bye', '221 "Bye": which answers QUIT only; the final dot takes'],
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
