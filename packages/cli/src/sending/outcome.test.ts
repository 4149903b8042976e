import {
  ExtensionNotOfferedError,
  RemoteProtocolError,
  type Reply,
  type SessionFailure,
} from '@sansmtp/core';
import type { RecipientVerdict } from '@sansmtp/delivery';
import { TlsError } from '@sansmtp/transport';
import { ConnectError } from '@sansmtp/transport-node';
import { describe, expect, it } from 'vitest';
import { exitCodeOf, type Outcome, outcomeLine, outcomeOf } from './outcome.js';

const ok: Reply = { code: 250, enhancedCode: '2.0.0', lines: ['Kept', 'as 1'] };
const no: Reply = { code: 554, lines: ['No'] };
const later: Reply = { code: 421, enhancedCode: '4.3.2', lines: ['Later'] };

const delivered: Outcome = { verdict: 'delivered', reply: ok };
const rejected: Outcome = { verdict: 'rejected', reply: no };
const deferred: Outcome = { verdict: 'deferred', reply: later };
const unknown: Outcome = { verdict: 'unknown', reason: 'lost' };
const noHost: Outcome = { verdict: 'rejected', reason: 'no such host', fault: 'route' };
const unsafe: Outcome = { verdict: 'deferred', reason: 'no TLS', fault: 'access' };
const refused: Outcome = { verdict: 'rejected', reply: no, fault: 'access' };
const unsendable: Outcome = { verdict: 'rejected', reason: 'UTF-8', fault: 'mail' };
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

const recipient = { localPart: 'a', domain: 'b.example' };

/** What the mailer says of one recipient. */
function verdictOf(given: Partial<RecipientVerdict>): RecipientVerdict {
  return {
    recipient,
    verdict: 'deferred',
    phase: 'mail',
    enhancedCode: '4.0.0',
    reason: 'words',
    ...given,
  };
}

describe('the outcome', () => {
  it('is the verdict, and the reply it rests on', () => {
    expect(outcomeOf(verdictOf({ verdict: 'rejected', phase: 'rcpt', reply: no }))).toEqual(rejected);
    expect(outcomeOf(verdictOf({ reply: later }))).toEqual(deferred);
  });

  it('is the verdict, and why there was no reply', () => {
    const failure: SessionFailure = { kind: 'lost', phase: 'message' };
    const given = verdictOf({ verdict: 'unknown', phase: 'message', failure, reason: 'lost' });
    expect(outcomeOf(given)).toEqual(unknown);
  });

  it('blames the server for breaking the protocol', () => {
    expect(outcomeOf(verdictOf({ failure: nonsense }))).toMatchObject({ fault: 'protocol' });
  });

  it.each([
    { kind: 'tls', phase: 'startTls', error: new Error('self-signed') },
    { kind: 'notOffered', phase: 'startTls', keyword: 'STARTTLS' },
    { kind: 'notOffered', phase: 'auth', keyword: 'AUTH', offered: [], switchedOff: [] },
    { kind: 'withheld', phase: 'auth', reason: 'set an option of the API' },
    { kind: 'authentication', phase: 'auth', reason: 'It does not know the password' },
    { kind: 'refused', phase: 'startTls', reply: { code: 454, lines: ['No TLS now'] } },
    { kind: 'refused', phase: 'auth', reply: no },
  ] as const satisfies readonly SessionFailure[])('blames the lack of access: $kind ($phase)', (failure) => {
    const outcome = outcomeOf(verdictOf({ phase: failure.phase, failure }));
    expect(outcome).toMatchObject({ fault: 'access' });
    expect(exitCodeOf([outcome])).toBe(77);
  });

  it('says which option of the command sends the password without TLS', () => {
    const failure: SessionFailure = { kind: 'withheld', phase: 'auth', reason: 'set an option of the API' };
    expect(outcomeOf(verdictOf({ phase: 'auth', failure }))).toMatchObject({
      reason: expect.stringContaining('--allow-insecure-auth'),
    });
  });

  it('blames it where there is no connection under TLS, or not the one that a policy demands', () => {
    const error = new TlsError('self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(outcomeOf(verdictOf({ phase: 'connect', error }))).toMatchObject({ fault: 'access' });
    expect(outcomeOf(verdictOf({ phase: 'policy' }))).toMatchObject({ fault: 'access' });
  });

  it('blames it where mail is not taken without AUTH or TLS (RFC 4954 §6, RFC 3207 §4)', () => {
    const reply: Reply = { code: 530, enhancedCode: '5.7.0', lines: ['Authentication required'] };
    expect(outcomeOf(verdictOf({ verdict: 'rejected', reply }))).toMatchObject({ fault: 'access', reply });
  });

  it('blames nobody where AUTH fails for now (RFC 4954 §6)', () => {
    const reply: Reply = { code: 454, lines: ['Later'] };
    const failure: SessionFailure = { kind: 'refused', phase: 'auth', reply };
    const outcome = outcomeOf(verdictOf({ phase: 'auth', reply, failure }));
    expect(outcome).toEqual({ verdict: 'deferred', reply });
    expect(exitCodeOf([outcome])).toBe(75);
  });

  it.each(['startTls', 'auth'] as const)(
    'blames nobody where the server shuts down, which says nothing of access: 421 (RFC 5321 §3.8, %s)',
    (phase) => {
      const failure: SessionFailure = { kind: 'refused', phase, reply: later };
      const outcome = outcomeOf(verdictOf({ phase, reply: later, failure }));
      expect(outcome).toEqual(deferred);
      expect(exitCodeOf([outcome])).toBe(75);
    },
  );

  it.each([
    { code: 'ENOTFOUND', outcome: { verdict: 'rejected', reason: 'words', fault: 'route' } },
    { code: 'EAI_AGAIN', outcome: { verdict: 'deferred', reason: 'words' } },
    { code: 'ECONNREFUSED', outcome: { verdict: 'deferred', reason: 'words' } },
    { code: undefined, outcome: { verdict: 'deferred', reason: 'words' } },
  ])('is $outcome where connecting gives $code', ({ code, outcome }) => {
    const error = new ConnectError('words', code);
    expect(outcomeOf(verdictOf({ phase: 'connect', error }))).toEqual(outcome);
  });

  it('is no route, with the reply that a server would give, where the domain takes no mail (RFC 7505)', () => {
    const reply: Reply = { code: 556, enhancedCode: '5.1.10', lines: ['No mail'] };
    const given = verdictOf({ verdict: 'rejected', phase: 'routing', reply, reason: 'No mail' });
    expect(outcomeOf(given)).toEqual({ verdict: 'rejected', reply, fault: 'route' });
    const later: Reply = { code: 451, enhancedCode: '4.4.3', lines: ['No answer'] };
    expect(outcomeOf({ ...given, verdict: 'deferred', reply: later })).toEqual({
      verdict: 'deferred',
      reply: later,
    });
  });

  it('blames the mail where it needs what the server does not offer', () => {
    const error = new ExtensionNotOfferedError('SMTPUTF8');
    expect(outcomeOf(verdictOf({ verdict: 'rejected', error }))).toMatchObject({ fault: 'mail' });
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
    { outcomes: [delivered, unsendable], code: 64 },
    { outcomes: [delivered, unsendable, broken], code: 64 },
  ])('is $code for $outcomes', ({ outcomes, code }) => {
    expect(exitCodeOf(outcomes)).toBe(code);
    expect(exitCodeOf(outcomes.toReversed())).toBe(code);
  });
});
