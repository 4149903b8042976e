/**
 * What a program in JavaScript hands over as values (extensions, mechanisms, secrets, addresses, results of handlers), and
 * gets wrong: the error names the mistake, is none of the engine's, and shows no secret.
 */
import { formatMailbox, formatPath, parseMailbox, replyText, Secret, saslPrepare } from '@sansmtp/core';
import { comparableDomain, sameMailbox } from '@sansmtp/delivery';
import { openSession, passwordUsers, Rejection, type ServerHandlers, serveSession } from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import { systemClock, tlsContextFromFiles } from '@sansmtp/transport-node';
import { expect, it } from 'vitest';

const clock = systemClock;
const onMessage = () => {};
const onAuth = () => true;

/** JavaScript: no type is looked at. */
// biome-ignore lint/suspicious/noExplicitAny: what is tested is what the compiler would refuse
type Unchecked = any;

const serveWith = (options: object) => () =>
  serveSession(createMemoryPair()[0], { onMessage }, { clock, ...options });
const extension = (value: Unchecked) => serveWith({ extensions: [value] });
const rule = (members: object) => ({ keyword: 'XFOO', mailParameters: [{ keyword: 'XFOO', ...members }] });

it.each<[string, () => unknown, string]>([
  ['an extension that is a text', extension('SIZE'), 'The service extensions are "SIZE"; give an object'],
  [
    'an extension that was not made',
    extension(() => ({})),
    'A service extension is a function; give what it makes',
  ],
  [
    'an extension without a keyword',
    extension({}),
    "has no keyword; give it the word that EHLO lists: { keyword: 'XFOO' }",
  ],
  [
    'a keyword in lower case',
    extension({ keyword: 'xfoo' }),
    '"xfoo" is no EHLO keyword: it takes upper-case letters',
  ],
  [
    'a misspelt member of an extension',
    extension({ keyword: 'XFOO', mailParameter: [] }),
    'The service extension mailParameter is not known: did you mean mailParameters?',
  ],
  [
    'an offer that is a text',
    extension({ keyword: 'XFOO', offer: 'red' }),
    "offer of the service extension XFOO is a string; it takes a function, such as () => 'words'",
  ],
  [
    'verbs that are a text',
    extension({ keyword: 'XFOO', verbs: 'XBAR' }),
    'verbs of the service extension XFOO takes a list of words',
  ],
  [
    'parameters that are no list',
    extension({ keyword: 'XFOO', rcptParameters: { keyword: 'XFOO' } }),
    'rcptParameters of the service extension XFOO takes a list of rules',
  ],
  [
    'a rule that does not parse',
    extension(rule({ format() {} })),
    'has no parse(); it takes a keyword, parse() and format()',
  ],
  ['a rule that does not format', extension(rule({ parse() {} })), 'has no format(); it takes a keyword'],
  [
    'a rule with a misspelt member',
    extension(rule({ parse() {}, format() {}, isEsential() {} })),
    'did you mean isEssential?',
  ],
  [
    'a delay with its unit',
    serveWith({ greetingDelay: '6s' }),
    'The option greetingDelay is "6s"; it takes an integer of 0 to 60000',
  ],
  ['a delay by half its name', serveWith({ greetDelay: 5 }), 'did you mean greetingDelay?'],
  [
    'a delay that no client waits for',
    serveWith({ refusalDelay: 1e6 }),
    'refusalDelay is 1000000; it takes an integer of 0 to 60000',
  ],
  [
    'a secret from an unset variable',
    () => new Secret(undefined as Unchecked),
    'A Secret takes a text or a Uint8Array, and was given undefined',
  ],
  ['a secret that is a number', () => new Secret(1234 as Unchecked), 'and was given a number'],
  [
    'a mailbox in text',
    () => formatMailbox('a@b.example' as Unchecked),
    'The mailbox is "a@b.example"; it takes { localPart, domain }',
  ],
  [
    'no path',
    () => formatPath(undefined as Unchecked),
    'The mailbox is undefined; it takes { localPart, domain }',
  ],
  [
    'no text of a mailbox',
    () => parseMailbox(undefined as Unchecked),
    'The mailbox is undefined; parseMailbox() takes a text',
  ],
  [
    'a reply in text',
    () => replyText('250 OK' as Unchecked),
    'replyText() takes a reply: { code, enhancedCode, lines }',
  ],
  [
    'no name to prepare',
    () => saslPrepare(undefined as Unchecked, 'query'),
    'saslPrepare() takes a text, and was given undefined',
  ],
  [
    'no domain',
    () => comparableDomain(undefined as Unchecked),
    'comparableDomain() takes the text of a domain',
  ],
  [
    'mailboxes in text',
    () => sameMailbox('a@b' as Unchecked, 'a@b' as Unchecked),
    'sameMailbox() takes two of { localPart, domain }',
  ],
  ['a word for shutdown()', () => serveWith({})().shutdown('now' as Unchecked), 'abandoning'],
])('%s', (_, mistake, message) => {
  expect(mistake).toThrow(message);
});

it('no file of a certificate', async () => {
  await expect(tlsContextFromFiles(...([] as Unchecked as [string, string]))).rejects.toThrow(
    'certFile is missing',
  );
  await expect(tlsContextFromFiles('cert.pem', '')).rejects.toThrow('keyFile is empty');
});

const PLAIN = `AUTH PLAIN ${btoa('\0ann\0pencil')}`;

/** What `onError` is told, and that nothing of a secret is in it. */
async function toldBy(
  handlers: Unchecked,
  lines: readonly string[],
  mechanisms?: Unchecked,
): Promise<string> {
  const [near, far] = createMemoryPair();
  const errors: unknown[] = [];
  const all: ServerHandlers = { onMessage, onAuth, onError: (error) => void errors.push(error), ...handlers };
  const authentication = { allowInsecure: true, ...(mechanisms && { mechanisms }) };
  const { closed } = serveSession(far, all, { clock, authentication });
  near.open({ data() {}, end() {}, drain() {}, secure() {}, close() {} });
  near.write(new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join('')));
  await expect.poll(() => errors).toHaveLength(1);
  near.abort();
  await closed;
  expect(String(errors[0])).not.toMatch(/hush/);
  return String(errors[0]);
}

const own = (begin: Unchecked) => ({ name: 'X-OWN', clientFirst: false, begin });

it.each<[string, Unchecked, readonly string[], Unchecked, string]>([
  [
    'a look-up that gives a text',
    passwordUsers((() => 'hush') as Unchecked),
    [PLAIN],
    undefined,
    'The look-up of users gave a string; it takes nothing, {',
  ],
  [
    'a look-up whose password is no Secret',
    passwordUsers((() => ({ kind: 'password', password: 'hush' })) as Unchecked),
    [PLAIN],
    undefined,
    'The look-up of users gave an object of another form',
  ],
  [
    'a mechanism whose begin() is no generator',
    {},
    ['AUTH X-OWN'],
    [own(() => 'hush')],
    'begin() of the mechanism X-OWN gave no generator',
  ],
  [
    'a mechanism that yields a text',
    {},
    ['AUTH X-OWN'],
    [
      own(function* () {
        yield 'hush';
      }),
    ],
    'X-OWN yielded what is no step',
  ],
  [
    'a challenge in text',
    {},
    ['AUTH X-OWN'],
    [
      own(function* () {
        yield { type: 'challenge', data: 'hush' };
      }),
    ],
    'where data is a Uint8Array',
  ],
  [
    'a decision on nobody',
    {},
    ['AUTH X-OWN'],
    [
      own(function* () {
        yield { type: 'verify' };
      }),
    ],
    "{ type: 'verify', attempt }",
  ],
  [
    'a mechanism that returns true',
    {},
    ['AUTH X-OWN'],
    [own(() => ({ next: () => ({ done: true, value: true }) }))],
    "X-OWN returned no outcome; it takes { type: 'success' }",
  ],
  [
    'a list of what is withheld',
    { onHello: () => ({ withhold: ['SIZE'] }) },
    [],
    undefined,
    'The property withhold is a list; give an object: { extensions, mechanisms }',
  ],
  [
    'a rejection that is returned',
    { onHello: () => new Rejection(550, undefined, 'No') },
    [],
    undefined,
    'onHello returned an error; throw it to refuse, or return ',
  ],
  [
    'withhold in lower case',
    { onHello: () => ({ withhold: { extensions: ['size'] } }) },
    [],
    undefined,
    '"size" is no EHLO keyword of this server: did you mean SIZE?',
  ],
])('onError is told of %s', async (_, handlers, lines, mechanisms, message) => {
  expect(await toldBy(handlers, ['EHLO c.example', ...lines], mechanisms)).toContain(message);
});

it("onError of a client is told of a mechanism's begin() that is no generator", async () => {
  const [near, far] = createMemoryPair();
  const both = { name: 'X-OWN', fits: () => true, clientFirst: true, begin: () => 'hush' } as Unchecked;
  serveSession(
    far,
    { onMessage, onAuth },
    { clock, authentication: { allowInsecure: true, mechanisms: [both] } },
  );
  const errors: unknown[] = [];
  const credentials = { kind: 'token', username: 'ann', token: new Secret('hush') } as const;
  const opening = openSession(near, {
    clock,
    authentication: { credentials, mechanisms: [both], allowInsecure: true },
    onError: (error) => void errors.push(error),
  });
  await expect(opening).rejects.toThrow('begin() of the mechanism X-OWN gave no generator');
  expect(String(errors)).toMatch(
    /^TypeError: begin\(\) of the mechanism X-OWN gave no generator; write it as \*begin/,
  );
});
