import { describe, expect, it } from 'vitest';
import type { Reply } from '../../wire/replies/reply.js';
import type { RecipientLimit, SessionFailure } from './outcomes.js';
import { Verdicts } from './verdicts.js';

const reply = (code: number): Reply => ({ code, lines: ['text'] });
const lost: SessionFailure = { kind: 'lost', phase: 'rcpt' };

describe('Verdicts', () => {
  it('lets a refused RCPT keep its reply whatever becomes of the message', () => {
    const verdicts = new Verdicts(3);
    expect([250, 550, 450].map((code) => verdicts.answerRecipient(reply(code)))).toEqual([0, 1, 2]);
    verdicts.deliver(reply(250));
    expect(verdicts.all()).toEqual([
      { verdict: 'delivered', phase: 'message', reply: reply(250) },
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550) },
      { verdict: 'deferred', phase: 'rcpt', reply: reply(450) },
    ]);
  });

  it.each([251, 252, 299])('takes %i to RCPT for accepted (RFC 5321 §3.4, §4.2)', (code) => {
    const verdicts = new Verdicts(1);
    verdicts.answerRecipient(reply(code));
    verdicts.deliver(reply(250));
    expect(verdicts.all()).toMatchObject([{ verdict: 'delivered' }]);
  });

  it('takes 552 for temporary to RCPT, and nowhere else (RFC 5321 §4.5.3.1.10)', () => {
    const verdicts = new Verdicts(2);
    verdicts.answerRecipient(reply(552));
    verdicts.refuse('message', reply(552));
    expect(verdicts.all()).toEqual([
      { verdict: 'deferred', phase: 'rcpt', reply: reply(552) },
      { verdict: 'rejected', phase: 'message', reply: reply(552) },
    ]);
  });

  it('lets a refused MAIL stand against what is said to the RCPTs after it', () => {
    const verdicts = new Verdicts(2);
    verdicts.refuse('mail', reply(451));
    verdicts.answerRecipient(reply(503));
    verdicts.answerRecipient(reply(250));
    verdicts.deliver(reply(250));
    const deferred = { verdict: 'deferred', phase: 'mail', reply: reply(451) };
    expect(verdicts.all()).toEqual([deferred, deferred]);
  });

  it('tells a failure before the final dot from one behind it (RFC 1047)', () => {
    const before = new Verdicts(1);
    before.defer(lost);
    expect(before.all()).toEqual([{ verdict: 'deferred', phase: 'rcpt', failure: lost }]);
    const behind = new Verdicts(1);
    behind.loseSight({ kind: 'lost', phase: 'message' });
    expect(behind.all()).toEqual([
      { verdict: 'unknown', phase: 'message', failure: { kind: 'lost', phase: 'message' } },
    ]);
  });

  it('has the reply beside the failure where a 421 ended the session (RFC 5321 §3.8)', () => {
    const verdicts = new Verdicts(1);
    const failure: SessionFailure = { kind: 'refused', phase: 'message', reply: reply(421) };
    verdicts.defer(failure);
    expect(verdicts.all()).toEqual([{ verdict: 'deferred', phase: 'message', reply: reply(421), failure }]);
  });

  it('gives verdicts that can be taken apart, with a reply, a failure or both', () => {
    const verdicts = new Verdicts(2);
    verdicts.answerRecipient(reply(550));
    verdicts.loseSight({ kind: 'lost', phase: 'message' });
    const told: string[] = [];
    for (const { verdict, reply, failure } of verdicts.all()) {
      told.push(`${verdict} ${reply?.code ?? 'without a reply'} ${failure?.kind ?? 'without a failure'}`);
    }
    expect(told).toEqual(['rejected 550 without a failure', 'unknown without a reply lost']);
  });

  it('decides about accepted recipients one by one with LMTP (RFC 2033 §4.2)', () => {
    const verdicts = new Verdicts(4);
    for (const code of [250, 550, 250, 250]) verdicts.answerRecipient(reply(code));
    verdicts.decideRecipient(reply(552));
    verdicts.decideRecipient(reply(250));
    verdicts.loseSight({ kind: 'lost', phase: 'message' });
    expect(verdicts.all()).toEqual([
      { verdict: 'rejected', phase: 'message', reply: reply(552) },
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550) },
      { verdict: 'delivered', phase: 'message', reply: reply(250) },
      { verdict: 'unknown', phase: 'message', failure: { kind: 'lost', phase: 'message' } },
    ]);
  });

  it('passes over recipients that are not sent (RFC 9422 §4)', () => {
    const limit: RecipientLimit = { kind: 'limit', phase: 'rcpt', keyword: 'RCPTMAX', limit: 2 };
    const verdicts = new Verdicts(
      5,
      new Map([
        [0, limit],
        [2, limit],
        [4, limit],
      ]),
    );
    expect([250, 550].map((code) => verdicts.answerRecipient(reply(code)))).toEqual([1, 3]);
    verdicts.deliver(reply(250));
    const deferred = { verdict: 'deferred', phase: 'rcpt', failure: limit };
    expect(verdicts.all()).toEqual([
      deferred,
      { verdict: 'delivered', phase: 'message', reply: reply(250) },
      deferred,
      { verdict: 'rejected', phase: 'rcpt', reply: reply(550) },
      deferred,
    ]);
  });

  it('has no verdicts to give while a recipient is undecided', () => {
    const verdicts = new Verdicts(2);
    verdicts.answerRecipient(reply(550));
    expect(() => verdicts.all()).toThrow('recipient 1');
  });
});
