import { describe, expect, it } from 'vitest';
import { clientMechanisms } from './client-mechanisms.js';
import type { ClientMechanism, MechanismName } from './exchange/exchange.js';
import { resolveMechanisms } from './given-mechanisms.js';
import { plainClient } from './mechanisms/plain.js';

const ticket: ClientMechanism = { ...plainClient, name: 'X-TICKET' };
const resolve = (...given: unknown[]) =>
  resolveMechanisms<ClientMechanism>(given as (MechanismName | ClientMechanism)[], clientMechanisms, {
    fits: 'function',
    begin: 'function',
  }).map(({ name }) => name);

describe('the mechanisms of an option', () => {
  it('are ours by their names, and values, in their order', () => {
    expect(resolve('LOGIN', ticket, 'PLAIN')).toEqual(['LOGIN', 'X-TICKET', 'PLAIN']);
    expect(resolve()).toEqual([]);
    // It takes the place of ours.
    expect(resolve({ ...ticket, name: 'PLAIN' }, 'LOGIN')).toEqual(['PLAIN', 'LOGIN']);
  });

  it.each<[string, unknown[], string]>([
    ['a name that is misspelt', ['PLIAN'], 'is "PLIAN"; it takes \'EXTERNAL\' or'],
    ['which is suggested', ['scram-sha256'], "did you mean 'SCRAM-SHA-256'?"],
    ['a name that is like none', ['X-TICKET'], 'is "X-TICKET"; it takes'],
    ['no mechanism', [7], 'is 7; it takes names of mechanisms, and mechanisms'],
    ['a hole', [undefined], 'mechanisms[0] is undefined'],
    ['a value without a name', [{ ...ticket, name: undefined }], '(RFC 4422 §3.1)'],
    ['a name in lower case', [{ ...ticket, name: 'x-ticket' }], '(RFC 4422 §3.1)'],
    ['no begin', [{ ...ticket, begin: undefined }], 'with a function begin, which is missing here'],
    ['no fits', [{ ...ticket, fits: true }], 'with a function fits, which is a boolean here'],
    ['one twice', [ticket, 'PLAIN', ticket], 'lists X-TICKET twice; leave one out'],
    ['ours twice', ['PLAIN', 'PLAIN'], 'lists PLAIN twice'],
  ])('are refused: %s', (_, given, message) => {
    expect(() => resolve(...given)).toThrow(RangeError);
    expect(() => resolve(...given)).toThrow(message);
  });
});
