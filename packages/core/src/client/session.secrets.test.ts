/**
 * Whatever the server says, a password is in nothing that comes out of a session but the octets that go to it.
 */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Computation, MechanismName } from '../sasl/exchange/exchange.js';
import { base64, compute, passwordOf, ServerHalf, stored } from '../sasl/running.test-support.js';
import { serverMechanisms } from '../sasl/server-mechanisms.js';
import type { ClientInput, ClientOutput } from './contract/messages.js';
import {
  Dialogue,
  envelopeFor,
  failureIn,
  octetsOf,
  TLS,
  textOf,
  verdictsIn,
  withPassword,
} from './dialogue.test-support.js';
import { ClientSession } from './session.js';

type Timeless = ClientInput extends infer Input
  ? Input extends ClientInput
    ? Omit<Input, 'now'>
    : never
  : never;

/** What the server says next: what the mechanism has it say, or this line, which may quote what it was sent. */
type Whim = 'honest' | string;

/** What it says once the exchange is over. */
const afterwards = fc.array(
  fc.constantFrom(
    '250 OK',
    '354 Go on',
    '550 Not with $password',
    '550-What is\r\n550 5.7.1 $said for?',
    '250 2.0.0 $said',
    '500 $said?',
    '421 $password, $said',
    '250-$said\r\n550 What?',
    '$said',
    'It is $password',
    `${'x'.repeat(70)} $password`,
  ),
  { maxLength: 5 },
);

const whims = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Whim>('honest') },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Whim>(
        '334 ',
        '334 QQ==',
        '334 ?',
        '235 OK',
        '535 No',
        '421 Bye',
        '535 Not with $password',
        '454-What is\r\n454 $said for?',
        '421 $password, $said',
        '220-a',
        'x',
        '\0',
      ),
    },
  ),
  { maxLength: 6 },
);

/**
 * All that comes out of a session that authenticates and then speaks on, and what is thrown; the octets of writes set
 * apart.
 */
function courseOf(
  mechanism: MechanismName,
  password: string,
  said: readonly Whim[],
  saidAfterwards: readonly string[],
  rightPassword: boolean,
) {
  const shown: unknown[] = [];
  const wrote: string[] = [];
  const recorded: string[] = [];
  const session = new ClientSession({
    now: 0,
    observe: true,
    tls: TLS,
    authentication: { credentials: passwordOf('user', password), mechanisms: [mechanism] },
  });
  const server = serverMechanisms.get(mechanism);
  if (server === undefined) throw new Error(mechanism);
  const accounts = new Map([['user', stored(rightPassword ? password : `${password}?`)]]);
  const half = new ServerHalf(server, { accounts, verify: () => rightPassword });
  const computations: Computation[] = [];

  const take = (output: ClientOutput) => {
    if (output.type === 'compute') computations.push(output.computation);
    if (output.type !== 'write') {
      shown.push(output);
      return;
    }
    const { bytes, redacted, ...rest } = output;
    shown.push(rest, redacted && textOf(redacted));
    wrote.push(textOf(bytes));
    if (redacted === undefined) shown.push(textOf(bytes));
  };
  const handle = (input: Timeless) => {
    try {
      session.handle({ ...input, now: 0 } as ClientInput);
    } catch (error) {
      shown.push(error);
    }
    for (let output = session.poll(); output !== undefined; output = session.poll()) take(output);
    const computation = computations.shift();
    if (computation !== undefined) handle({ type: 'computed', result: compute(computation) });
  };
  /** In two chunks, for a transcript must not depend on where they are cut. */
  const hear = (line: string) => {
    const bytes = octetsOf(`${line}\r\n`);
    const middle = Math.ceil(bytes.length / 2);
    for (const chunk of [bytes.subarray(0, middle), bytes.subarray(middle)]) {
      recorded.push(textOf(session.recordable(chunk)));
      handle({ type: 'bytes', bytes: chunk });
    }
  };
  const honest = (): string => {
    const [, verb, response] = /^(AUTH \S+ ?)?(.*)\r\n$/.exec(wrote.at(-1) ?? '') ?? [];
    if (half.outcome === undefined && (verb === undefined || response)) half.respond(base64(response ?? ''));
    if (half.challenge !== undefined) return `334 ${Buffer.from(half.challenge).toString('base64')}`;
    return half.outcome?.type === 'success' ? '235 Welcome' : '535 No';
  };

  /** What was said last in the exchange. */
  let secret = '';
  const quoting = (line: string) => line.replace('$password', password).replace('$said', secret);
  const inExchange = () =>
    session.state.startsWith('session.authentication') || session.state === 'cancelled';

  hear('220 b');
  hear(`250-b\r\n250 AUTH ${mechanism}`);
  for (const whim of [...said, 'honest', 'honest', 'honest', 'honest']) {
    if (!inExchange()) break;
    secret = wrote.at(-1)?.trimEnd() ?? '';
    hear(whim === 'honest' ? honest() : quoting(whim));
  }
  const { state } = session;
  for (const line of saidAfterwards) {
    if (session.state === 'session.ready') handle({ type: 'send', envelope: envelopeFor(1) });
    hear(quoting(line));
  }
  handle({ type: 'mailData', bytes: octetsOf('x') });
  const cut = octetsOf(quoting('550 No $password'));
  recorded.push(textOf(session.recordable(cut)));
  handle({ type: 'bytes', bytes: cut });
  handle({ type: 'lost' });
  recorded.push(textOf(session.recordableRest()));
  return { shown: [...shown, recorded.join(''), session], wrote: wrote.join(''), state };
}

describe('a password', () => {
  const password = fc.stringMatching(/^[A-Za-z0-9]{9,24}$/);
  const mechanism = fc.constantFrom<MechanismName>(
    'PLAIN',
    'LOGIN',
    'CRAM-MD5',
    'SCRAM-SHA-256',
    'SCRAM-SHA-1',
  );

  it('stands in no output, record or error in plain, base64 or hex, but in the octets that are written', () => {
    const ended = new Set<string>();
    fc.assert(
      fc.property(
        mechanism,
        password,
        whims,
        afterwards,
        fc.boolean(),
        (name, secret, said, after, right) => {
          const { shown, wrote, state } = courseOf(name, secret, said, after, right);
          ended.add(state);
          const octets = Buffer.from(secret);
          const spellings = [
            secret,
            octets.toString('hex'),
            // Whatever stands before it, base64 of it holds one of these.
            ...[0, 1, 2].map((before) =>
              Buffer.concat([Buffer.alloc(before), octets])
                .toString('base64')
                .slice(before === 0 ? 0 : 4, 4 * Math.floor((before + octets.length) / 3)),
            ),
            octets.join(', '),
          ];
          const views = shown.flatMap((output) => [
            inspect(output, { depth: null, maxStringLength: null, maxArrayLength: null }),
            JSON.stringify(output) ?? '',
            String(output),
          ]);
          for (const view of views) {
            for (const spelling of spellings) expect(view).not.toContain(spelling);
          }
          if (name === 'PLAIN') expect(spellings.some((spelling) => wrote.includes(spelling))).toBe(true);
        },
      ),
      { numRuns: 120 },
    );
    expect([...ended]).toEqual(expect.arrayContaining(['refused', 'session.ready']));
  });

  it('that a server quotes once it has let us in is shown by nothing, and the code stands', () => {
    const client = new Dialogue(withPassword());
    client.offered('AUTH PLAIN');
    client.hear('235 OK');
    client.send();
    const said = Buffer.from('\0user\0pencil').toString('base64');
    expect(verdictsIn(client.hear(`550 5.7.1 You have said ${said}`))).toEqual([
      {
        verdict: 'rejected',
        phase: 'mail',
        reply: { code: 550, enhancedCode: '5.7.1', lines: ['(its text quotes the credentials)'] },
      },
    ]);
    const failure = failureIn(client.hear(`AUTH PLAIN ${said}`));
    expect(failure).toMatchObject({
      kind: 'protocol',
      error: { message: expect.stringContaining('quotes the credentials') },
    });
  });

  it('that is short withholds no line in which it stands by chance', () => {
    const client = new Dialogue(withPassword('OK'));
    client.offered('AUTH PLAIN');
    client.hear('235 Welcome');
    client.send();
    client.hear('250 OK');
    expect(client.hear('250 OK')).toContainEqual({
      type: 'recipient',
      index: 0,
      reply: { code: 250, lines: ['OK'] },
    });
    expect(textOf(client.session.recordable(octetsOf('250 OK\r\n')))).toBe('250 OK\r\n');
  });
});
