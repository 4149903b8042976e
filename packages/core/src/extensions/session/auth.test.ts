import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, readMail, refusal, sendMail, standing, writeMail } from '../parameters.test-support.js';
import { offeredKeywords, unknownParameter, writeMailParameters } from '../table.js';
import { auth } from './auth.js';

const list = [auth];
const none = { ...standing, mechanisms: [] };

describe('AUTH (RFC 4954)', () => {
  it('is offered with its mechanisms, and not without any (RFC 4954 §3)', () => {
    const two = { ...standing, mechanisms: ['SCRAM-SHA-256', 'PLAIN'] as const };
    expect(offeredKeywords(list, two)).toEqual(['AUTH SCRAM-SHA-256 PLAIN']);
    expect(offeredKeywords(list, none)).toEqual([]);
    expect(readMail('AUTH=<>', list, none)).toEqual({ refusal: unknownParameter('AUTH', 'MAIL') });
  });

  it.each([
    ['AUTH=<>', null],
    ['AUTH=e+3Dmc2@example.com', { localPart: 'e=mc2', domain: 'example.com' }],
    ['AUTH=+22a+20b+22@c.d', { localPart: 'a b', domain: 'c.d' }],
    ['AUTH=+C3+A9@c.d', { localPart: 'é', domain: 'c.d' }],
    ['AUTH=a=b@c.d', { localPart: 'a=b', domain: 'c.d' }],
    // As curl writes it; and what is no mailbox: nobody is to be believed by it.
    ['AUTH=<ann@example.org>', null],
    ['AUTH=<ann>', null],
    ['AUTH=ann', null],
    ['AUTH=a@b+20', null],
  ])('reads %s (RFC 4954 §5)', (parameter, mailbox) => {
    expect(readMail(parameter, list)).toEqual({ parameters: { auth: mailbox } });
  });

  it.each(['AUTH', 'AUTH=a@b+', 'AUTH=a+zz@b', 'AUTH=a+0A@b', 'AUTH=+00'])(
    'is 501 otherwise: %s',
    (parameter) => {
      expect(readMail(parameter, list)).toEqual(refusal(501, '5.5.4', 'AUTH takes <> or a mailbox as xtext'));
    },
  );

  it('lengthens a MAIL command line by 500 octets (RFC 4954 §3)', () => {
    expect(auth.additionalMailOctets).toBe(500);
  });

  it('cannot be written when it is no mailbox', () => {
    expect(() => writeMail({ auth: { localPart: 'a', domain: 'b c' } }, list)).toThrow(RangeError);
  });

  it('is left out where it is not offered', () => {
    expect(writeMailParameters({ auth: null }, list, new Map())).toEqual([]);
  });

  it('is read as it was meant', () => {
    const mailbox = fc.record({
      localPart: printable({ minLength: 0, maxLength: 20 }),
      domain: fc.constantFrom('example.com', '[192.0.2.1]', 'bücher.example'),
    });
    fc.assert(
      fc.property(fc.option(mailbox), (meant) => {
        expect(sendMail({ auth: meant }, list)).toEqual({ parameters: { auth: meant } });
      }),
    );
  });
});
