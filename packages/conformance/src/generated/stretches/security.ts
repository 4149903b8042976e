/** STARTTLS (RFC 3207) and AUTH (RFC 4954). */
import * as fc from 'fast-check';
import type { GeneratedStep, Proof } from '../steps.js';
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
  const exchange = (line: string, ...responses: readonly string[]) =>
    ({ kind: 'lines', lines: [line], responses }) as const;
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
    wrong(user),
    wrong(`\0${user}\0${password}\0x`),
    wrong(`\0nobody-known\0${password}`),
    { ...exchange('AUTH LOGIN', '', ''), failsLogin: true },
    exchange('AUTH PLAIN', base64(`${'a'.repeat(255)}\0${'a'.repeat(255)}\0${'a'.repeat(255)}`)),
    exchange('AUTH PLAIN', 'MAIL FROM:<>'),
    lines('MAIL FROM:<> AUTH=e+3Dmc2@example.com'),
  ];
  return fc
    .tuple(fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 5 }), fc.boolean())
    .map(([all, reset]) => [...(reset ? each('RSET') : []), lines(helloOf(around)), ...all]);
}

const PROOFS: readonly Proof[] = [
  { mechanism: 'CRAM-MD5', how: 'right' },
  { mechanism: 'CRAM-MD5', how: 'begun' },
  { mechanism: 'CRAM-MD5', how: 'ofAnotherPassword' },
  { mechanism: 'CRAM-MD5', how: 'malformed' },
  { mechanism: 'CRAM-MD5', how: 'atOnce' },
  { mechanism: 'SCRAM-SHA-256', how: 'right' },
  { mechanism: 'SCRAM-SHA-256', how: 'begun' },
  { mechanism: 'SCRAM-SHA-256', how: 'ofAnotherPassword' },
  { mechanism: 'SCRAM-SHA-256', how: 'malformed' },
  { mechanism: 'SCRAM-SHA-256', how: 'withAnotherNonce' },
  { mechanism: 'SCRAM-SHA-256', how: 'withAnotherHeader' },
  { mechanism: 'SCRAM-SHA-256', how: 'withoutBinding' },
  { mechanism: 'EXTERNAL', how: 'malformed' },
  { mechanism: 'EXTERNAL', how: 'forSomebody' },
];

/** CRAM-MD5, SCRAM-SHA-256 and EXTERNAL (RFC 2195, RFC 5802, RFC 4422 §A): what is offered is tried, rightly and wrongly. */
export function proofs(around: Surroundings): fc.Arbitrary<Stretch> {
  const steps = fc.constantFrom(...PROOFS.map((proof): GeneratedStep => ({ kind: 'proof', ...proof })));
  return fc
    .array(steps, { minLength: 1, maxLength: 4 })
    .map((all) => [...each('RSET'), lines(helloOf(around)), ...all]);
}
