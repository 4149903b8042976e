import { RemoteProtocolError, type Reply, type SessionFailure } from '@sansmtp/core';
import { SessionError, TlsError } from '@sansmtp/transport';
import { ConnectError } from '@sansmtp/transport-node';
import { describe, expect, it } from 'vitest';
import { exitCodeOf, type Outcome, outcomeLine, outcomeOf, outcomeOfError } from './outcome.js';

const ok: Reply = { code: 250, enhancedCode: '2.0.0', lines: ['Kept', 'as 1'] };
const no: Reply = { code: 554, lines: ['No'] };
const later: Reply = { code: 421, enhancedCode: '4.3.2', lines: ['Later'] };

const delivered: Outcome = { verdict: 'delivered', reply: ok };
const rejected: Outcome = { verdict: 'rejected', reply: no };
const deferred: Outcome = { verdict: 'deferred', reply: later };
const unknown: Outcome = { verdict: 'unknown', reason: 'lost' };
const noHost: Outcome = { verdict: 'rejected', reason: 'no such host', fault: 'noHost' };
const unsafe: Outcome = { verdict: 'deferred', reason: 'no TLS', fault: 'access' };
const refused: Outcome = { verdict: 'rejected', reply: no, fault: 'access' };
const broken: Outcome = { verdict: 'deferred', reason: 'nonsense', fault: 'protocol' };

const nonsense: SessionFailure = {
  kind: 'protocol',
  phase: 'mail',
  error: new RemoteProtocolError('nonsense'),
};

describe('the line for a recipient', () => {
  it('holds verdict, address and reply on one line', () => {
    const line = outcomeLine({ localPart: 'a b', domain: 'example.org' }, delivered);
    expect(line).toBe('delivered "a b"@example.org 250 2.0.0 Kept as 1');
  });

  it('cannot be more than one', () => {
    const outcome: Outcome = { verdict: 'deferred', reason: 'a\r\ndelivered b' };
    expect(outcomeLine({ localPart: 'a', domain: 'b' }, outcome)).toBe('deferred a@b a??delivered b');
  });
});

describe('the outcome', () => {
  it('is the verdict, and the reply it rests on', () => {
    expect(outcomeOf({ verdict: 'rejected', phase: 'rcpt', reply: no })).toEqual(rejected);
  });

  it('is the verdict, and why there was no reply', () => {
    const failure: SessionFailure = { kind: 'lost', phase: 'message' };
    expect(outcomeOf({ verdict: 'unknown', phase: 'message', failure })).toEqual({
      verdict: 'unknown',
      reason: expect.stringMatching(/lost/),
    });
  });

  it('holds the reply by which the server ended the session', () => {
    const failure: SessionFailure = { kind: 'refused', phase: 'mail', reply: later };
    expect(outcomeOf({ verdict: 'deferred', phase: 'mail', failure })).toEqual(deferred);
  });

  it('blames the server for breaking the protocol', () => {
    expect(outcomeOf({ verdict: 'deferred', phase: 'mail', failure: nonsense })).toMatchObject({
      fault: 'protocol',
    });
    expect(outcomeOfError(new SessionError(nonsense))).toMatchObject({
      verdict: 'deferred',
      fault: 'protocol',
    });
  });

  it.each([
    { reply: no, outcome: rejected },
    { reply: later, outcome: deferred },
  ])('is $outcome.verdict where the server greets with $reply.code', ({ reply, outcome }) => {
    expect(outcomeOfError(new SessionError({ kind: 'refused', phase: 'greeting', reply }))).toEqual(outcome);
  });

  it.each([
    { kind: 'tls', phase: 'startTls', error: new Error('self-signed') },
    { kind: 'notOffered', phase: 'startTls', keyword: 'STARTTLS' },
    { kind: 'notOffered', phase: 'auth', keyword: 'AUTH' },
    { kind: 'withheld', phase: 'auth', reason: 'There is no TLS' },
    { kind: 'authentication', phase: 'auth', reason: 'It does not know the password' },
    { kind: 'refused', phase: 'startTls', reply: later },
    { kind: 'refused', phase: 'auth', reply: no },
  ] as const satisfies readonly SessionFailure[])('blames the lack of access: $kind ($phase)', (failure) => {
    const outcome = outcomeOfError(new SessionError(failure));
    expect(outcome).toMatchObject({ fault: 'access' });
    expect(exitCodeOf([outcome])).toBe(77);
  });

  it('blames it where there is no connection under TLS', () => {
    expect(outcomeOfError(new TlsError('self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'))).toEqual({
      verdict: 'deferred',
      reason: 'self-signed',
      fault: 'access',
    });
  });

  it('blames nobody where AUTH fails for now (RFC 4954 §6)', () => {
    const failure: SessionFailure = {
      kind: 'refused',
      phase: 'auth',
      reply: { code: 454, lines: ['Later'] },
    };
    const outcome = outcomeOfError(new SessionError(failure));
    expect(outcome).toEqual({ verdict: 'deferred', reply: failure.reply });
    expect(exitCodeOf([outcome])).toBe(75);
  });

  it('tells of a recipient that was one too many for the server (RFC 9422 §4)', () => {
    const failure = { kind: 'limit', phase: 'rcpt', keyword: 'RCPTMAX', limit: 2 } as const;
    expect(outcomeOf({ verdict: 'deferred', phase: 'rcpt', failure })).toEqual({
      verdict: 'deferred',
      reason: expect.stringMatching(/takes 2 \(RCPTMAX\)/),
    });
  });

  it.each([
    { code: 'ENOTFOUND', outcome: { verdict: 'rejected', reason: 'words', fault: 'noHost' } },
    { code: 'EAI_AGAIN', outcome: { verdict: 'deferred', reason: 'words' } },
    { code: 'ECONNREFUSED', outcome: { verdict: 'deferred', reason: 'words' } },
    { code: undefined, outcome: { verdict: 'deferred', reason: 'words' } },
  ])('is $outcome where connecting gives $code', ({ code, outcome }) => {
    expect(outcomeOfError(new ConnectError('words', code))).toEqual(outcome);
  });

  it('is deferred where the message could not be read to its end', () => {
    const error = Object.assign(new Error('words'), { code: 'EIO' });
    expect(outcomeOfError(error)).toEqual({ verdict: 'deferred', reason: 'words' });
  });

  it('is none where the fault is ours', () => {
    expect(() => outcomeOfError(new TypeError('a mistake'))).toThrow('a mistake');
  });
});

describe('the exit code', () => {
  it.each([
    { outcomes: [delivered, delivered], code: 0 },
    { outcomes: [delivered, deferred], code: 75 },
    { outcomes: [delivered, unknown], code: 75 },
    { outcomes: [delivered, deferred, rejected], code: 69 },
    { outcomes: [noHost, deferred], code: 68 },
    { outcomes: [noHost, rejected], code: 69 },
    { outcomes: [rejected, broken], code: 76 },
    { outcomes: [unsafe, broken], code: 76 },
    { outcomes: [unsafe, rejected], code: 77 },
    { outcomes: [refused, noHost], code: 77 },
  ])('is $code for $outcomes', ({ outcomes, code }) => {
    expect(exitCodeOf(outcomes)).toBe(code);
    expect(exitCodeOf(outcomes.toReversed())).toBe(code);
  });
});
