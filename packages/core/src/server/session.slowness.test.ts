/** How slow a client may be: at its mail data, and over the whole session. */
import { describe, expect, it } from 'vitest';
import { answering, Dialogue, type DialogueOptions, linesOf } from './dialogue.test-support.js';

const TOO_SLOW = '421 4.7.0 The message comes too slowly, closing the session';
const TOO_LONG = '421 4.7.0 The session has lasted too long; connect anew';

const second = 1000;
const hour = 3600 * second;

/** Mail data comes at this rate, in pieces a second apart, until the session ends; the seconds that took. */
function dripping(dialogue: Dialogue, octets: number, seconds: number): number {
  for (let passed = 1; passed <= seconds; passed += 1) {
    const next = dialogue.now + second;
    // The host calls when a deadline has passed.
    for (let due = dialogue.session.nextDeadline() ?? next; due < next; ) {
      dialogue.timeoutAt(due);
      if (dialogue.session.state === 'closing') return passed;
      due = dialogue.session.nextDeadline() ?? next;
    }
    dialogue.now = next;
    dialogue.octets('x'.repeat(octets));
  }
  return seconds;
}

const receiving = (options: DialogueOptions = {}) =>
  new Dialogue({ maximumTextLineLength: Number.POSITIVE_INFINITY, ...options }).receiving();

describe('mail data', () => {
  it.each([
    [1, 61],
    [50, 120],
    [90, 592],
  ])('at %i octets a second is too slow after about %i s', (octets, seconds) => {
    const dialogue = receiving();
    const taken = dripping(dialogue, octets, 2000);
    expect(Math.abs(taken - seconds)).toBeLessThanOrEqual(2);
    expect(dialogue.replies.at(-1)).toBe(TOO_SLOW);
    expect(dialogue.outputs.map(({ type }) => type)).toContain('abandonMailData');
  });

  it('at the rate may come for ever', () => {
    const dialogue = receiving();
    expect(dripping(dialogue, 100, 2000)).toBe(2000);
    expect(dialogue.session.state).toBe('session.transaction.receiving');
  });

  it('that came fast may pause for as long as any, but not go on slowly for hours', () => {
    const dialogue = receiving();
    dialogue.octets('x'.repeat(10_000_000));
    dialogue.now += 299 * second;
    dialogue.octets('x');
    expect(dialogue.session.state).toBe('session.transaction.receiving');
    expect(dripping(dialogue, 1, 2000)).toBeLessThan(310);
    expect(dialogue.replies.at(-1)).toBe(TOO_SLOW);
  });

  it('in chunks counts as one message, with the time between them: the client is waited for', () => {
    const dialogue = new Dialogue().addressed();
    dialogue.say('BDAT 10');
    dialogue.now += 50 * second;
    dialogue.octets('0123456789');
    dialogue.now += 5 * second;
    dialogue.say('BDAT 500');
    expect(dialogue.session.nextDeadline()).toBe(dialogue.now + 5100);
    dialogue.timeoutAt(dialogue.now + 5100);
    expect(dialogue.replies.at(-1)).toBe(TOO_SLOW);
  });

  it.each([
    ['of an octet', 'BDAT 1\r\nx', 61],
    ['of nothing', 'BDAT 0\r\n', 60],
    ['that are as fast as they have to be', `BDAT 100\r\n${'x'.repeat(100)}`, 2000],
  ])('in chunks %s a second may not, or may, come for ever', (_, chunk, seconds) => {
    const dialogue = new Dialogue().addressed();
    let passed = 0;
    for (; passed < 2000 && dialogue.session.state !== 'closing'; passed += 1) {
      dialogue.octets(chunk);
      const next = dialogue.now + second;
      const due = dialogue.session.nextDeadline() ?? next;
      if (due < next) dialogue.timeoutAt(due);
      dialogue.now = next;
    }
    expect(Math.abs(passed - seconds)).toBeLessThanOrEqual(1);
    if (seconds < 2000) expect(dialogue.replies.at(-1)).toBe(TOO_SLOW);
  });

  it.each(['ready', 'opened'] as const)('of a chunk that is refused (%s) has to come as fast', (state) => {
    const dialogue = new Dialogue()[state]();
    dialogue.say('BDAT 100000');
    expect(Math.abs(dripping(dialogue, 1, 2000) - 61)).toBeLessThanOrEqual(2);
    expect(dialogue.replies.at(-1)).toBe(TOO_SLOW);
    const fast = new Dialogue()[state]();
    fast.say('BDAT 100000');
    expect(dripping(fast, 100, 1000)).toBe(1000);
    expect(fast.replies.at(-1)).toMatch(/^503 /);
  });

  it('in chunks that the host does not read costs the client no time, between them either', () => {
    const dialogue = new Dialogue().addressed();
    dialogue.say('BDAT 10');
    dialogue.handle({ type: 'holdBack' });
    dialogue.octets('0123456789');
    expect(dialogue.session.state).toBe('session.transaction.chunked');
    expect(dialogue.session.nextDeadline()).toBe(600 * second);
    dialogue.now += 500 * second;
    dialogue.handle({ type: 'readOn' });
    expect(dialogue.session.nextDeadline()).toBe(dialogue.now + 60_100);
    dialogue.say('BDAT 0 LAST');
    expect(dialogue.replies.at(-1)).toBe('250 2.0.0 Message accepted');
  });

  it('has no least rate where that is said', () => {
    const dialogue = receiving({ minimumMailDataRate: 0 });
    expect(dripping(dialogue, 1, 5000)).toBe(5000);
  });

  it('that the host does not read costs the client no time', () => {
    const dialogue = receiving();
    dialogue.now += 50 * second;
    dialogue.handle({ type: 'holdBack' });
    expect(dialogue.session.nextDeadline()).toBe(650 * second);
    dialogue.now += 500 * second;
    expect(dialogue.handle({ type: 'timeout' })).toEqual([]);
    dialogue.handle({ type: 'readOn' });
    expect(dialogue.session.nextDeadline()).toBe(560 * second);
    expect(dialogue.say('.')).toEqual(['250 2.0.0 Message accepted']);
  });

  it('that the application never reads ends by its own deadline, and is not blamed on the client', () => {
    const dialogue = receiving();
    dialogue.handle({ type: 'holdBack' });
    expect(linesOf(dialogue.timeoutAt(600 * second))).toEqual([
      '421 4.3.0 No decision in time, closing the session; try again later',
    ]);
  });

  it('that is whole is judged by what it is, however long the host itself stood still', () => {
    const dialogue = receiving();
    dialogue.now += hour / 2;
    expect(dialogue.say('Hello', '.')).toEqual(['250 2.0.0 Message accepted']);
  });
});

describe('a session', () => {
  it('ends after an hour, once it waits for a mail transaction', () => {
    const dialogue = new Dialogue({ maximumJunkCommands: Number.POSITIVE_INFINITY }).ready();
    for (let minute = 0; minute < 59; minute += 1) {
      dialogue.now += 60 * second;
      expect(dialogue.say('NOOP')).toEqual(['250 2.0.0 OK']);
    }
    expect(dialogue.session.nextDeadline()).toBe(hour);
    expect(linesOf(dialogue.timeoutAt(hour))).toEqual([TOO_LONG]);
  });

  it('ends though the octets of a refused chunk still come, by no least rate', () => {
    const dialogue = new Dialogue({ minimumMailDataRate: 0 }).ready();
    dialogue.say('BDAT 100000');
    for (let minute = 0; minute < 59; minute += 1) {
      dialogue.now += 60 * second;
      dialogue.octets('x');
    }
    expect(dialogue.session.nextDeadline()).toBe(hour);
    expect(linesOf(dialogue.timeoutAt(hour))).toEqual([TOO_LONG]);
  });

  it('lets a mail transaction come to its end', () => {
    const dialogue = new Dialogue({ timeouts: { session: 100 } }).addressed();
    dialogue.now = 200;
    expect(dialogue.timeoutAt(200)).toEqual([]);
    expect(dialogue.say('DATA')[0]).toMatch(/^354 /);
    expect(dialogue.say('Hello', '.', 'MAIL FROM:<a@b>')).toEqual(['250 2.0.0 Message accepted', TOO_LONG]);
    expect(dialogue.messages).toHaveLength(1);
  });

  it('lets the application decide', () => {
    const dialogue = new Dialogue({
      timeouts: { session: 100 },
      application: answering({ mail: undefined }),
    }).ready();
    dialogue.say('MAIL FROM:<a@b>');
    dialogue.now = 200;
    expect(dialogue.timeoutAt(200)).toEqual([]);
    expect(dialogue.answer({ decision: 'reject' })).toEqual(['550 5.7.1 Sender refused', TOO_LONG]);
  });

  it('lasts for as long as it likes where that is said', () => {
    const dialogue = new Dialogue({ timeouts: { session: Number.POSITIVE_INFINITY } }).ready();
    dialogue.now = 100 * hour;
    expect(dialogue.say('NOOP')).toEqual(['250 2.0.0 OK']);
  });
});
