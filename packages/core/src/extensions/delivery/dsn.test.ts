import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  printable,
  readMail,
  readRcpt,
  refusal,
  sendMail,
  sendRcpt,
  writeMail,
  writeRcpt,
} from '../parameters.test-support.js';
import { writeMailParameters, writeRcptParameters } from '../table.js';
import { dsn } from './dsn.js';

const list = [dsn];

describe('RET (RFC 3461 §4.3)', () => {
  it('takes FULL or HDRS in any case', () => {
    expect(readMail('RET=FULL', list)).toEqual({ parameters: { ret: 'FULL' } });
    expect(readMail('RET=hdrs', list)).toEqual({ parameters: { ret: 'HDRS' } });
  });

  it.each(['RET', 'RET=ALL', 'RET=FULL,HDRS'])('is 501 otherwise: %s', (parameter) => {
    expect(readMail(parameter, list)).toEqual(refusal(501, '5.5.4', 'RET takes FULL or HDRS'));
  });
});

describe('ENVID (RFC 3461 §4.4)', () => {
  const malformed = refusal(501, '5.5.4', 'ENVID takes xtext, without control characters');

  it('takes xtext, and gives what it spells', () => {
    expect(readMail('ENVID=QQ314159', list)).toEqual({ parameters: { envid: 'QQ314159' } });
    expect(readMail('ENVID=a+20+3D+2Bb', list)).toEqual({ parameters: { envid: 'a =+b' } });
    expect(readMail('ENVID=a+3d=+C3+A9', list)).toEqual({ parameters: { envid: 'a==é' } });
    expect(writeMail({ envid: 'a==é' }, list)).toBe('ENVID=a+3D+3D+C3+A9');
  });

  it.each(['ENVID', 'ENVID=a+', 'ENVID=a+zz', 'ENVID=a+0Db', 'ENVID=a+00', 'ENVID=a+09', 'ENVID=+7F'])(
    'is 501 when it cannot be decoded, or holds a control character: %s',
    (parameter) => {
      expect(readMail(parameter, list)).toEqual(malformed);
    },
  );

  it('is as long as the line lets it be, both ways: what was received is passed on', () => {
    const envid = 'a b'.repeat(100);
    expect(readMail(writeMail({ envid }, list), list)).toEqual({ parameters: { envid } });
  });

  it.each(['', 'a\r\nb', 'a\tb', 'a\u0000', 'a\u007f'])('cannot be written: %j', (envid) => {
    expect(() => writeMail({ envid }, list)).toThrow(`${JSON.stringify(envid)} is no envelope identifier`);
  });
});

describe('NOTIFY (RFC 3461 §4.1)', () => {
  const malformed = refusal(
    501,
    '5.5.4',
    'NOTIFY takes NEVER, or any of SUCCESS, FAILURE and DELAY with commas between',
  );

  it('takes NEVER, or any of the others', () => {
    expect(readRcpt('NOTIFY=never', list)).toEqual({ parameters: { notify: 'NEVER' } });
    expect(readRcpt('NOTIFY=Success', list)).toEqual({ parameters: { notify: ['SUCCESS'] } });
    expect(readRcpt('NOTIFY=DELAY,SUCCESS,FAILURE,DELAY', list)).toEqual({
      parameters: { notify: ['SUCCESS', 'FAILURE', 'DELAY'] },
    });
  });

  it.each([
    'NOTIFY',
    'NOTIFY=ALL',
    'NOTIFY=NEVER,DELAY',
    'NOTIFY=DELAY,',
    'NOTIFY=,',
    'NOTIFY=DELAY;SUCCESS',
  ])('is 501 otherwise: %s', (parameter) => {
    expect(readRcpt(parameter, list)).toEqual(malformed);
  });

  it('cannot be an empty list', () => {
    expect(() => writeRcpt({ notify: [] }, list)).toThrow(RangeError);
  });
});

describe('ORCPT (RFC 3461 §4.2)', () => {
  const malformed = refusal(
    501,
    '5.5.4',
    'ORCPT takes an address type, ";" and xtext, without control characters',
  );

  it('gives the address type and what the xtext spells', () => {
    expect(readRcpt('ORCPT=rfc822;Dana@Ivory.example.net', list)).toEqual({
      parameters: { orcpt: { addressType: 'rfc822', address: 'Dana@Ivory.example.net' } },
    });
    expect(readRcpt('ORCPT=X.400;a;b+3Dc', list)).toEqual(malformed);
    // As Postfix writes it to servers that offer SMTPUTF8 and DSN.
    expect(readRcpt('ORCPT=rfc822;j+C3+BCrgen@smtp.example', list)).toEqual({
      parameters: { orcpt: { addressType: 'rfc822', address: 'jürgen@smtp.example' } },
    });
    expect(readRcpt('ORCPT=rfc822;a=b@c.d', list)).toEqual({
      parameters: { orcpt: { addressType: 'rfc822', address: 'a=b@c.d' } },
    });
    expect(readRcpt('ORCPT=x400;a;b+3Dc', list)).toEqual({
      parameters: { orcpt: { addressType: 'x400', address: 'a;b=c' } },
    });
  });

  it.each([
    'ORCPT',
    'ORCPT=rfc822',
    'ORCPT=rfc822;',
    'ORCPT=;a@b',
    'ORCPT=rfc822;a+',
    'ORCPT=rfc822;a+zz',
    'ORCPT=rfc822;a+0A',
  ])('is 501 otherwise: %s', (parameter) => {
    expect(readRcpt(parameter, list)).toEqual(malformed);
  });

  it('is as long as the line lets it be', () => {
    const orcpt = { addressType: 'rfc822', address: `${'a b'.repeat(300)}@c` };
    expect(readRcpt(writeRcpt({ orcpt }, list), list)).toEqual({ parameters: { orcpt } });
  });

  it.each([
    ['', 'a@b'],
    ['rfc 822', 'a@b'],
    ['rfc822', ''],
    ['rfc822', 'a\r\nb'],
    ['utf-8', 'a\x7f@b'],
  ])('cannot be written: %j, %j', (addressType, address) => {
    expect(() => writeRcpt({ orcpt: { addressType, address } }, list)).toThrow('is no original recipient');
  });
});

describe('DSN', () => {
  it('lengthens the command lines by what its parameters may take', () => {
    expect(dsn.additionalMailOctets).toBe(` RET=FULL ENVID=${'a'.repeat(100)}`.length);
    expect(dsn.additionalRcptOctets).toBe(` NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=${'a'.repeat(500)}`.length);
  });

  it('is left out where it is not offered (RFC 3461 §5.2.2)', () => {
    expect(writeMailParameters({ ret: 'FULL', envid: 'a' }, list, new Map())).toEqual([]);
    expect(writeRcptParameters({ notify: 'NEVER' }, list, new Map())).toEqual([]);
  });

  it('is read as it was meant', () => {
    const mail = fc.record(
      {
        ret: fc.constantFrom('FULL' as const, 'HDRS' as const),
        envid: printable({ minLength: 1, maxLength: 33 }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(mail, (meant) => {
        expect(sendMail(meant, list)).toEqual({ parameters: meant });
      }),
    );
    const rcpt = fc.record(
      {
        notify: fc.oneof(
          fc.constant('NEVER' as const),
          fc.subarray(['SUCCESS' as const, 'FAILURE' as const, 'DELAY' as const], { minLength: 1 }),
        ),
        orcpt: fc.record({
          addressType: fc.constantFrom('rfc822', 'utf-8', 'x+y'),
          address: printable({ minLength: 1, maxLength: 100 }),
        }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(rcpt, (meant) => {
        expect(sendRcpt(meant, list)).toEqual({ parameters: meant });
      }),
    );
  });
});

describe('an original recipient in UTF-8 (RFC 6533 §3)', () => {
  it.each([
    'utf-8;jöe+x@b.example',
    'utf-8;j\\x{F6}e\\x{2B}x@b.example',
    'UTF-8;j\\x{0F6}e+2bx@b.example',
    'utf-8;j+C3+B6e\\x{2b}x@b.example',
  ])('has one meaning, however it was written: %s', (value) => {
    const parsed = readRcpt(`ORCPT=${value.replace('jöe+x', 'jöe\\x{2B}x')}`, list);
    expect(parsed).toMatchObject({ parameters: { orcpt: { address: 'jöe+x@b.example' } } });
  });

  it('is written in ASCII, which every server with DSN takes', () => {
    const orcpt = { addressType: 'utf-8', address: 'j\u00f6 e+\\=\u{1f600}@b' };
    expect(writeRcpt({ orcpt }, list)).toBe('ORCPT=utf-8;j\\x{F6}\\x{20}e\\x{2B}\\x{5C}\\x{3D}\\x{1F600}@b');
    expect(readRcpt(writeRcpt({ orcpt }, list), list)).toEqual({ parameters: { orcpt } });
  });

  it.each([
    'utf-8;\\x{110000}',
    'utf-8;\\x{D800}',
    'utf-8;a\\x{0A}b',
    'utf-8;a\\x{7F}',
    'utf-8;a+zz',
    'utf-8;',
  ])('is 501 where it spells no text: %s', (value) =>
    expect(readRcpt(`ORCPT=${value}`, list)).toMatchObject({ refusal: { code: 501 } }),
  );

  it('is of the type utf-8', () => {
    expect(readRcpt('ORCPT=rfc822;jöe@b.example', list)).toMatchObject({ refusal: { code: 501 } });
  });
});
