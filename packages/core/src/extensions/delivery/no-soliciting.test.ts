import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMail, refusal, sendMail, standing, writeMail } from '../parameters.test-support.js';
import { offeredKeywords, writeMailParameters } from '../table.js';
import { noSoliciting } from './no-soliciting.js';

const list = [noSoliciting({ keywords: ['net.example:ADV', 'org.example:ADV:ADLT'] })];

describe('NO-SOLICITING (RFC 3865)', () => {
  it('is offered with its keywords, or with none (RFC 3865 §2.2)', () => {
    expect(offeredKeywords(list, standing)).toEqual(['NO-SOLICITING net.example:ADV,org.example:ADV:ADLT']);
    expect(offeredKeywords([noSoliciting({ keywords: [] })], standing)).toEqual(['NO-SOLICITING']);
  });

  it('has keywords that fit into a reply line (RFC 5321 §4.5.3.1.5)', () => {
    const keyword = 'a'.repeat(512 - '250-NO-SOLICITING \r\n'.length);
    expect(offeredKeywords([noSoliciting({ keywords: [keyword] })], standing)).toHaveLength(1);
    for (const keywords of [[`${keyword}a`], ['1a'], ['a b'], ['a,b'], [''], ['a\r\nb']]) {
      expect(() => noSoliciting({ keywords })).toThrow('The option keywords is');
    }
  });

  it('reads SOLICIT (RFC 3865 §2.3)', () => {
    expect(readMail('SOLICIT=org.example:ADV:ADLT', list)).toEqual({
      parameters: { solicit: ['org.example:ADV:ADLT'] },
    });
    expect(readMail('SOLICIT=a,b_c-d.e:f', list)).toEqual({ parameters: { solicit: ['a', 'b_c-d.e:f'] } });
  });

  it.each([
    'SOLICIT',
    'SOLICIT=1a',
    'SOLICIT=a,',
    'SOLICIT=,a',
    'SOLICIT=a,,b',
    'SOLICIT=a+20b',
    'SOLICIT=a;b',
  ])('is 501 otherwise: %s', (parameter) => {
    expect(readMail(parameter, list)).toEqual(
      refusal(
        501,
        '5.5.4',
        'SOLICIT takes solicitation class keywords with commas between, 1000 characters at most',
      ),
    );
  });

  it('has 1000 characters at most (RFC 3865 §2.2)', () => {
    const keyword = 'a'.repeat(1000);
    expect(readMail(`SOLICIT=${keyword}`, list)).toEqual({ parameters: { solicit: [keyword] } });
    expect(readMail(`SOLICIT=${keyword}a`, list)).toHaveProperty('refusal');
    expect(writeMail({ solicit: [keyword] }, list)).toBe(`SOLICIT=${keyword}`);
    expect(() => writeMail({ solicit: [`${keyword}a`] }, list)).toThrow('no solicitation class keywords');
    expect(list[0]?.additionalMailOctets).toBe(` SOLICIT=${keyword}`.length);
  });

  it('is left out where there is nothing to say, or it is not offered', () => {
    expect(writeMail({ solicit: [] }, list)).toBe('');
    expect(writeMailParameters({ solicit: ['a'] }, list, new Map())).toEqual([]);
    expect(() => writeMail({ solicit: ['a b'] }, list)).toThrow(RangeError);
  });

  it('is read as it was meant', () => {
    const keyword = fc.stringMatching(/^[A-Za-z][\w.:-]{0,20}$/);
    fc.assert(
      fc.property(fc.array(keyword, { minLength: 1, maxLength: 10 }), (solicit) => {
        expect(sendMail({ solicit }, list)).toEqual({ parameters: { solicit } });
      }),
    );
  });
});
