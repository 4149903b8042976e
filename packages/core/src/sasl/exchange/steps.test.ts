import { describe, expect, it } from 'vitest';
import { Secret } from '../../secret.js';
import { challenge, compute, type Resumption, retrieve, verify } from './steps.js';

/** What a step returns when it is resumed so. */
function resumed<Result>(step: Generator<unknown, Result, Resumption>, resumption: Resumption): Result {
  step.next();
  const result = step.next(resumption);
  if (!result.done) throw new Error('The step asks twice');
  return result.value;
}

const stored = { kind: 'password', password: new Secret('p') } as const;
const some = Uint8Array.of(1);

describe('a step', () => {
  it('returns what it is resumed with', () => {
    expect(resumed(compute({ kind: 'random', octets: 1 }), some)).toBe(some);
    expect(resumed(challenge(some), some)).toBe(some);
    expect(resumed(retrieve('PLAIN', 'u'), stored)).toBe(stored);
    expect(resumed(retrieve('PLAIN', 'u'), undefined)).toBeUndefined();
  });

  it('throws when it is resumed with something of another kind', () => {
    for (const wrong of [undefined, { accepted: true } as const, stored]) {
      expect(() => resumed(compute({ kind: 'random', octets: 1 }), wrong)).toThrow(/'compute'.*Uint8Array/);
      expect(() => resumed(challenge(some), wrong)).toThrow(/'challenge'.*Uint8Array/);
    }
    for (const wrong of [some, { accepted: true } as const]) {
      expect(() => resumed(retrieve('PLAIN', 'u'), wrong)).toThrow(/'retrieve'.*StoredCredentials/);
    }
  });

  it('lets in by a judgement alone', () => {
    const attempt = { mechanism: 'EXTERNAL' } as const;
    expect(resumed(verify(attempt), { accepted: true })).toBe(true);
    expect(resumed(verify(attempt), { accepted: false })).toBe(false);
    for (const wrong of [undefined, some, stored]) {
      expect(() => resumed(verify(attempt), wrong)).toThrow(/'verify'.*Judgement/);
    }
  });
});
