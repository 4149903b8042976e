import { describe, expect, it } from 'vitest';
import { ExtensionNotOfferedError } from '../not-offered.js';
import { readMail, refusal, sendMail, standing, writeMail } from '../parameters.test-support.js';
import { offeredKeywords, writeMailParameters } from '../table.js';
import { eightBitMime } from './eight-bit-mime.js';
import { smtpUtf8 } from './smtp-utf8.js';

const list = [eightBitMime, smtpUtf8];

describe('SMTPUTF8 (RFC 6531)', () => {
  it('is offered together with 8BITMIME only (RFC 6531 §3.1)', () => {
    expect(offeredKeywords(list, standing)).toEqual(['8BITMIME', 'SMTPUTF8']);
    expect(offeredKeywords([smtpUtf8], standing)).toEqual([]);
  });

  it('is a parameter without a value (RFC 6531 §3.1)', () => {
    expect(readMail('SMTPUTF8', list)).toEqual({ parameters: { smtpUtf8: true } });
    expect(readMail('smtputf8', list)).toEqual({ parameters: { smtpUtf8: true } });
    expect(readMail('SMTPUTF8=1', list)).toEqual(refusal(501, '5.5.4', 'SMTPUTF8 takes no value'));
  });

  it('lengthens a MAIL command line by 10 octets (RFC 6531 §3.1)', () => {
    expect(smtpUtf8.additionalMailOctets).toBe(10);
  });

  it('is read as it was meant, and is essential', () => {
    expect(writeMail({ smtpUtf8: true }, list)).toBe('SMTPUTF8');
    expect(writeMail({}, list)).toBe('');
    expect(sendMail({ smtpUtf8: true }, list)).toEqual({ parameters: { smtpUtf8: true } });
    expect(() => writeMailParameters({ smtpUtf8: true }, list, new Map([['8BITMIME', '']]))).toThrow(
      new ExtensionNotOfferedError('SMTPUTF8'),
    );
  });
});
