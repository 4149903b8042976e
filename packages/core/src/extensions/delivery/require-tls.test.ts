import { describe, expect, it } from 'vitest';
import { ExtensionNotOfferedError } from '../not-offered.js';
import { readMail, refusal, sendMail, standing } from '../parameters.test-support.js';
import { offeredKeywords, unknownParameter, writeMailParameters } from '../table.js';
import { requireTls } from './require-tls.js';

const list = [requireTls];
const insecure = { ...standing, secured: false };

describe('REQUIRETLS (RFC 8689)', () => {
  it('is offered on a protected connection only (RFC 8689 §2)', () => {
    expect(offeredKeywords(list, standing)).toEqual(['REQUIRETLS']);
    expect(offeredKeywords(list, insecure)).toEqual([]);
    expect(readMail('REQUIRETLS', list, insecure)).toEqual({
      refusal: unknownParameter('REQUIRETLS', 'MAIL'),
    });
  });

  it('is a parameter without a value (RFC 8689 §2)', () => {
    expect(readMail('REQUIRETLS', list)).toEqual({ parameters: { requireTls: true } });
    expect(readMail('REQUIRETLS=1', list)).toEqual(refusal(501, '5.5.4', 'REQUIRETLS takes no value'));
  });

  it('lengthens a MAIL command line by 11 octets (RFC 8689 §2)', () => {
    expect(requireTls.additionalMailOctets).toBe(' REQUIRETLS'.length);
  });

  it('is read as it was meant, and is never left out (RFC 8689 §4.2.1)', () => {
    expect(sendMail({ requireTls: true }, list)).toEqual({ parameters: { requireTls: true } });
    expect(() => writeMailParameters({ requireTls: true }, list, new Map())).toThrow(
      new ExtensionNotOfferedError('REQUIRETLS'),
    );
  });
});
