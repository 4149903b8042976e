import { describe, expect, it } from 'vitest';
import { ExtensionNotOfferedError } from '../not-offered.js';
import { readMail, refusal, sendMail, standing, writeMail } from '../parameters.test-support.js';
import { offeredKeywords, writeMailParameters } from '../table.js';
import { binaryMime } from './binary-mime.js';
import { chunking } from './chunking.js';
import { eightBitMime } from './eight-bit-mime.js';

const both = [eightBitMime, chunking, binaryMime];

describe('BODY of 8BITMIME (RFC 6152)', () => {
  it.each(['7BIT', '8BITMIME'] as const)('takes %s, in upper or lower case', (body) => {
    expect(readMail(`BODY=${body}`, [eightBitMime])).toEqual({ parameters: { body } });
    expect(readMail(`BODY=${body.toLowerCase()}`, [eightBitMime])).toEqual({ parameters: { body } });
  });

  it('is 501 without a value, which its syntax demands (RFC 6152 §2, RFC 5321 §4.2.2)', () => {
    expect(readMail('BODY', [eightBitMime])).toEqual(refusal(501, '5.5.4', 'BODY takes 7BIT or 8BITMIME'));
  });

  // Not 501, for the syntax of RFC 5321 §4.1.2 is kept, and not 555, for the parameter itself was offered.
  it.each(['BODY=9BIT', 'BODY=BINARYMIME'])(
    'is 504 for a value that is not implemented: %s (RFC 5321 §4.2.2)',
    (parameter) => {
      const expected = refusal(504, '5.5.4', 'BODY takes 7BIT or 8BITMIME');
      expect(readMail(parameter, [eightBitMime])).toEqual(expected);
      // Without CHUNKING, BINARYMIME is not offered (RFC 3030 §3).
      expect(readMail(parameter, [eightBitMime, binaryMime])).toEqual(expected);
    },
  );
});

describe('BODY of BINARYMIME (RFC 3030 §3)', () => {
  it.each([both, [...both].reverse()])(
    'takes its value too, in whichever order they are listed',
    (...list) => {
      for (const body of ['7BIT', '8BITMIME', 'BINARYMIME'] as const) {
        expect(readMail(`BODY=${body.toLowerCase()}`, list)).toEqual({ parameters: { body } });
      }
    },
  );

  it('is refused with all that may stand there', () => {
    const text = 'BODY takes 7BIT, 8BITMIME or BINARYMIME';
    expect(readMail('BODY=9BIT', both)).toEqual(refusal(504, '5.5.4', text));
    expect(readMail('BODY', both)).toEqual(refusal(501, '5.5.4', text));
  });

  it('is offered together with CHUNKING only', () => {
    expect(offeredKeywords(both, standing)).toEqual(['8BITMIME', 'CHUNKING', 'BINARYMIME']);
    expect(offeredKeywords([eightBitMime, binaryMime], standing)).toEqual(['8BITMIME']);
    const chunkingNotNow = { ...chunking, offer: () => undefined };
    expect(offeredKeywords([eightBitMime, chunkingNotNow, binaryMime], standing)).toEqual(['8BITMIME']);
  });
});

describe('BODY that a client sends', () => {
  it.each(['7BIT', '8BITMIME', 'BINARYMIME'] as const)(
    'is written once, and read as it was meant: %s',
    (body) => {
      expect(writeMail({ body }, both)).toBe(`BODY=${body}`);
      expect(sendMail({ body }, both)).toEqual({ parameters: { body } });
    },
  );

  it('is left out where 8BITMIME is not offered, but for BINARYMIME, without which nothing may be sent', () => {
    expect(writeMailParameters({ body: '8BITMIME' }, both, new Map())).toEqual([]);
    for (const keywords of [[], ['8BITMIME'], ['8BITMIME', 'BINARYMIME'], ['CHUNKING']]) {
      const offered = new Map(keywords.map((keyword): [string, string] => [keyword, '']));
      expect(() => writeMailParameters({ body: 'BINARYMIME' }, both, offered)).toThrow(
        new ExtensionNotOfferedError('BINARYMIME'),
      );
    }
  });
});
