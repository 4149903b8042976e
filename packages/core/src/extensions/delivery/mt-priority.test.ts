import { describe, expect, it } from 'vitest';
import { readMail, refusal, sendMail, standing, writeMail } from '../parameters.test-support.js';
import { offeredKeywords, writeMailParameters } from '../table.js';
import { mtPriority } from './mt-priority.js';

const list = [mtPriority()];

describe('MT-PRIORITY (RFC 6710)', () => {
  it('is offered with the policy, if it is disclosed (RFC 6710 §3)', () => {
    expect(offeredKeywords(list, standing)).toEqual(['MT-PRIORITY']);
    expect(offeredKeywords([mtPriority({ profile: 'MIXER' })], standing)).toEqual(['MT-PRIORITY MIXER']);
  });

  it('has a policy of 20 characters at most (RFC 6710 §7)', () => {
    expect(offeredKeywords([mtPriority({ profile: 'a'.repeat(20) })], standing)).toHaveLength(1);
    for (const profile of ['a'.repeat(21), 'a b', 'a\r\nb']) {
      expect(() => mtPriority({ profile })).toThrow('The option profile is');
    }
  });

  it.each(Array.from({ length: 19 }, (_, i) => i - 9))(
    'takes %i, and reads it as it was meant',
    (priority) => {
      expect(readMail(`MT-PRIORITY=${priority}`, list)).toEqual({ parameters: { mtPriority: priority } });
      expect(sendMail({ mtPriority: priority }, list)).toEqual({ parameters: { mtPriority: priority } });
    },
  );

  it.each([
    'MT-PRIORITY',
    'MT-PRIORITY=10',
    'MT-PRIORITY=-10',
    'MT-PRIORITY=-0',
    'MT-PRIORITY=+1',
    'MT-PRIORITY=01',
  ])('is 501 5.5.2 otherwise: %s (RFC 6710 §4.1)', (parameter) => {
    expect(readMail(parameter, list)).toEqual(
      refusal(501, '5.5.2', 'MT-PRIORITY takes an integer of -9 to 9'),
    );
  });

  it('lengthens a MAIL command line by 15 octets (RFC 6710 §3)', () => {
    expect(list[0]?.additionalMailOctets).toBe(' MT-PRIORITY=-9'.length);
  });

  it.each([10, -10, 0.5, Number.NaN])('cannot be written: %d', (priority) => {
    expect(() => writeMail({ mtPriority: priority }, list)).toThrow(`The priority ${priority} is no integer`);
  });

  it('is left out where it is not offered (RFC 6710 §4.3)', () => {
    expect(writeMailParameters({ mtPriority: 3 }, list, new Map())).toEqual([]);
  });
});
