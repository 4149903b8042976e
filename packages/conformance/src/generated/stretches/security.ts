/** STARTTLS (RFC 3207) and AUTH (RFC 4954). */
import * as fc from 'fast-check';
import type { GeneratedStep } from '../steps.js';
import { base64, each, helloOf, lines, type Stretch, type Surroundings } from './surroundings.js';

/** RFC 3207. */
export function tls(around: Surroundings): fc.Arbitrary<Stretch> {
  const before = fc.constantFrom<Stretch>(
    [],
    [],
    each('STARTTLS now'),
    each('MAIL FROM:<>'),
    loginSteps(around),
  );
  const upgrade = fc.constantFrom<GeneratedStep>(
    lines('STARTTLS'),
    lines('STARTTLS'),
    { kind: 'injection', line: 'NOOP' },
    { kind: 'injection', line: 'XYZZY' },
  );
  const after = fc.constantFrom<Stretch>(
    each('MAIL FROM:<>', `RCPT TO:${around.recipient}`),
    each(helloOf(around), 'STARTTLS'),
    [lines(helloOf(around)), ...loginSteps(around)],
    each('NOOP', helloOf(around)),
  );
  return fc
    .tuple(fc.boolean(), before, upgrade, after)
    .map(([hello, first, second, third]) => [
      ...(hello ? each(helloOf(around)) : []),
      ...first,
      second,
      ...third,
    ]);
}

const loginSteps = ({ credentials, offers }: Surroundings): Stretch => {
  if (credentials === undefined || !/\bPLAIN\b/i.test(offers.get('AUTH') ?? '')) return [];
  return each(`AUTH PLAIN ${base64(`\0${credentials.user}\0${credentials.password}`)}`);
};

/** RFC 4954, RFC 4616. */
export function login(around: Surroundings): fc.Arbitrary<Stretch> {
  const { user, password } = around.credentials ?? { user: 'nobody', password: 'wrong' };
  const right = `AUTH PLAIN ${base64(`\0${user}\0${password}`)}`;
  const wrong = (text: string): GeneratedStep => ({
    kind: 'lines',
    lines: [`AUTH PLAIN ${base64(text)}`],
    failsLogin: true,
  });
  const exchange = (line: string, ...responses: readonly string[]): GeneratedStep => ({
    kind: 'lines',
    lines: [line],
    responses,
  });
  const steps: Stretch = [
    ...(around.credentials === undefined ? [] : [lines(right), lines(right)]),
    ...(around.credentials === undefined ? [] : [exchange('AUTH LOGIN', base64(user), base64(password))]),
    exchange('AUTH PLAIN', '*'),
    exchange('AUTH LOGIN', '*'),
    exchange('AUTH PLAIN', 'no base64!'),
    exchange('AUTH PLAIN ='),
    exchange('AUTH LOGIN =', base64(password)),
    lines('AUTH XYZZY'),
    lines('AUTH XYZZY ='),
    lines('MAIL FROM:<>'),
    lines('MAIL FROM:<> AUTH=<>'),
    wrong(`\0${user}\0${password}x`),
    wrong(`\0${user}\0${password.slice(0, 3)}`),
    wrong(`somebody\0${user}\0${password}`),
    wrong(`\0${user}\0`),
  ];
  return fc
    .tuple(fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 5 }), fc.boolean())
    .map(([all, reset]) => [...(reset ? each('RSET') : []), lines(helloOf(around)), ...all]);
}
