import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPolicyExchanger, parseStsPolicy, parseStsRecord, type StsPolicy } from './sts-policy.js';

describe('an MTA-STS record (RFC 8461 §3.1)', () => {
  it.each([
    ['v=STSv1; id=20160831085700Z;', '20160831085700Z'],
    ['v=STSv1;id=a', 'a'],
    ['v=STSv1;\tid=a \t; x.y-z_9=!~ ;', 'a'],
    [`v=STSv1; x=y; id=${'9'.repeat(32)}`, '9'.repeat(32)],
  ])('%j announces the policy %s', (record, id) => {
    expect(parseStsRecord([record])).toEqual({ kind: 'record', id });
    expect(parseStsRecord(['v=spf1 -all', record, 'v=STSv2; id=b'])).toEqual({ kind: 'record', id });
  });

  it.each([
    'v=STSv1;',
    'v=STSv1',
    'V=STSv1; id=a',
    ' v=STSv1; id=a',
    'v=STSv1; id=',
    'v=STSv1; id=a-b',
    `v=STSv1; id=${'9'.repeat(33)}`,
    'v=STSv1; id=a; id=a',
    'v=STSv1; ID=a',
    'v=STSv1; id=a;;',
    'v=STSv1; id=a; x',
    'v=STSv1; id=a; _x=y',
    'v=STSv1; id=a; x=y=z',
    'v=STSv1; id=a; x=é',
  ])('%j announces none', (record) => {
    expect(parseStsRecord([record])).toMatchObject({ kind: 'invalid' });
  });

  it('must be the only one', () => {
    expect(parseStsRecord(['v=STSv1; id=a', 'v=STSv1; id=a'])).toMatchObject({ kind: 'invalid' });
    expect(parseStsRecord([])).toMatchObject({ kind: 'invalid' });
  });
});

const ENFORCE =
  'version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n';

describe('an MTA-STS policy (RFC 8461 §3.2)', () => {
  const enforce: StsPolicy = { mode: 'enforce', mx: ['mail.example.com', '*.example.net'], maxAge: 604_800 };

  it('is lines of "key: value"', () => {
    expect(parseStsPolicy(ENFORCE)).toEqual({ kind: 'policy', policy: enforce });
  });

  it('may have its lines in any order, ended by LF or CRLF, the last not at all, with white space', () => {
    const lines = [
      'max_age:604800',
      'mx:mail.example.com \t',
      'mode: \tenforce',
      'mx: *.Example.NET',
      'version:STSv1',
    ];
    expect(parseStsPolicy(lines.join('\n'))).toEqual({ kind: 'policy', policy: enforce });
    expect(parseStsPolicy(`${lines.join('\r\n')}\n`)).toEqual({ kind: 'policy', policy: enforce });
  });

  it('passes over what it does not know, and over a key that comes again', () => {
    const more = `${ENFORCE}mode: none\r\nmax_age: 1\r\nfuture-key_1.2: \u00e9 anything : at all\r\n`;
    expect(parseStsPolicy(more)).toEqual({ kind: 'policy', policy: enforce });
  });

  it('needs no mx when there is no policy any more', () => {
    const policy = { mode: 'none', mx: [], maxAge: 0 };
    expect(parseStsPolicy('version: STSv1\nmode: none\nmax_age: 0\n')).toEqual({ kind: 'policy', policy });
  });

  it('may be kept for a year at most', () => {
    const withAge = (age: string): string => `version: STSv1\nmode: none\nmax_age: ${age}`;
    expect(parseStsPolicy(withAge('31557600'))).toMatchObject({ policy: { maxAge: 31_557_600 } });
    for (const age of ['31557601', '-1', '1.5', '1e3', '', 'x', '00000000001']) {
      expect(parseStsPolicy(withAge(age))).toMatchObject({ kind: 'invalid' });
    }
  });

  it.each([
    ['no version', ENFORCE.replace('version: STSv1\r\n', '')],
    ['another version', ENFORCE.replace('STSv1', 'STSv2')],
    ['no mode', ENFORCE.replace('mode: enforce\r\n', '')],
    ['another mode', ENFORCE.replace('enforce', 'Enforce')],
    ['no max_age', ENFORCE.replace('max_age: 604800\r\n', '')],
    ['no mx', ENFORCE.replaceAll(/mx: .*\r\n/g, '')],
    ['an empty line', `\r\n${ENFORCE}`],
    ['a line that is none', `${ENFORCE}mode\r\n`],
    ['a bare CR', ENFORCE.replace('\r\n', '\r')],
    ['nothing', ''],
    ['a web page', '<!DOCTYPE html><html></html>'],
    ['a byte order mark', `\ufeff${ENFORCE}`],
    ...[
      '*',
      '*.',
      '',
      'a.*.example',
      '*a.example',
      '**.example',
      '.example',
      'a..b',
      'bücher.example',
      '[192.0.2.1]',
      'a b',
    ].map((mx) => [`mx ${JSON.stringify(mx)}`, `${ENFORCE}mx: ${mx}\r\n`]),
  ])('is none with %s', (_, text) => {
    expect(parseStsPolicy(text)).toMatchObject({ kind: 'invalid', problem: expect.any(String) });
  });
});

describe('a host is an exchanger of a policy (RFC 8461 §4.1)', () => {
  const policy: StsPolicy = { mode: 'enforce', mx: ['mail.example.com', '*.example.net'], maxAge: 1 };

  it.each([
    ['mail.example.com', true],
    ['MAIL.example.com.', true],
    ['a.mail.example.com', false],
    ['example.com', false],
    ['a.example.net', true],
    ['A.EXAMPLE.NET', true],
    ['a.b.example.net', false],
    ['example.net', false],
    ['.example.net', false],
    ['aexample.net', false],
    ['mail.example.com.evil.example', false],
    ['', false],
  ])('%s: %s', (host, expected) => {
    expect(isPolicyExchanger(policy, host)).toBe(expected);
  });

  const label = fc.stringMatching(/^[a-z\d]{1,5}$/);
  const name = fc.array(label, { minLength: 1, maxLength: 4 });

  it('with "*" for exactly one label', () => {
    fc.assert(
      fc.property(name, name, fc.nat(2), (parent, front, cut) => {
        const wildcard: StsPolicy = { ...policy, mx: [`*.${parent.join('.')}`] };
        expect(isPolicyExchanger(wildcard, [...front, ...parent].join('.'))).toBe(front.length === 1);
        expect(isPolicyExchanger(wildcard, parent.slice(cut).join('.'))).toBe(false);
      }),
    );
  });

  it('without "*" only if it is that host', () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        const exact: StsPolicy = { ...policy, mx: [one.join('.')] };
        expect(isPolicyExchanger(exact, one.join('.').toUpperCase())).toBe(true);
        expect(isPolicyExchanger(exact, [...other, ...one].join('.'))).toBe(false);
        expect(isPolicyExchanger(exact, other.join('.'))).toBe(one.join('.') === other.join('.'));
      }),
    );
  });
});
