/** Clients that are made to wait: for the greeting, and for each refusal. */
import { expect, it } from 'vitest';
import { Dialogue, linesOf } from './dialogue.test-support.js';

it('a refusal waits for refusalDelay, and what is accepted does not', () => {
  const dialogue = new Dialogue({ refusalDelay: 500 });
  expect(dialogue.say('EHLO c')[0]).toBe('250-s.example OK');
  expect(dialogue.session.delays).toBe(false);
  expect(dialogue.say('MAIL FROM:<a@b>')).toEqual(['250 2.1.0 Sender OK']);
  expect(dialogue.say('MAIL FROM:<a@b>')).toEqual([]);
  expect([dialogue.session.delays, dialogue.session.nextDeadline()]).toEqual([true, 500]);
  expect(linesOf(dialogue.timeoutAt(499))).toEqual([]);
  expect(linesOf(dialogue.timeoutAt(500))).toEqual([expect.stringMatching(/^503 5\.5\.1 /)]);
  expect(dialogue.session.delays).toBe(false);
});

it('the greeting waits for greetingDelay', () => {
  const dialogue = new Dialogue({ greetingDelay: 500 });
  expect([dialogue.replies, dialogue.session.delays]).toEqual([[], true]);
  expect(linesOf(dialogue.timeoutAt(500))).toEqual([expect.stringMatching(/^220 s\.example/)]);
});
