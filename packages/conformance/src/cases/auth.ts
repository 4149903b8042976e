/** Logging in: AUTH (RFC 4954), with PLAIN (RFC 4616) and LOGIN. Whoever logs in wrongly waits for their turn. */
import type { CaseGroup, ConformanceCase } from '../contract/case.js';
import type { Credentials, Target } from '../contract/target.js';
import type { Dialogue } from '../dialogue/dialogue.js';
import { CannotJudge } from '../dialogue/findings.js';
import { logIn } from '../running/login.js';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Where a mechanism is offered, in the clear or under TLS. */
async function offering(target: Target, mechanism: 'PLAIN' | 'LOGIN'): Promise<[Dialogue, Credentials]> {
  const isOffered = (dialogue: Dialogue) =>
    (dialogue.offers.get('AUTH') ?? '').toUpperCase().split(' ').includes(mechanism);
  const { credentials } = target;
  if (credentials === undefined) throw new CannotJudge('no credentials were given');
  const dialogue = await target.hello();
  if (isOffered(dialogue)) return [dialogue, credentials];
  if (dialogue.offers.has('STARTTLS')) {
    await dialogue.need('STARTTLS', '220');
    await dialogue.startTls();
    await dialogue.hello(target.helloLine);
    if (isOffered(dialogue)) return [dialogue, credentials];
  }
  throw new CannotJudge(`AUTH ${mechanism} is not offered`);
}

/** name, what PLAIN says, why it is refused */
const WRONG: readonly (readonly [string, (credentials: Credentials) => string, string])[] = [
  [
    'wrong-password',
    ({ user, password }) => `\0${user}\0${password}x`,
    'A password that is not theirs lets nobody in',
  ],
  [
    'half-a-password',
    ({ user, password }) => `\0${user}\0${password.slice(0, -1)}`,
    'The first letters of a password let nobody in',
  ],
  ['empty-password', ({ user }) => `\0${user}\0`, 'An empty password lets nobody in'],
  [
    'for-somebody-else',
    ({ user, password }) => `somebody-else\0${user}\0${password}`,
    'Nobody acts for somebody else without leave',
  ],
  ['unknown-user', ({ password }) => `\0nobody-known\0${password}`, 'A name that nobody has lets nobody in'],
];

const wrong: ConformanceCase[] = WRONG.map(([name, response, why]) => ({
  id: `auth/${name}`,
  section: 'RFC 4954 §4',
  level: 'SECURITY',
  rationale: `${why}.`,
  needs: ['credentials'],
  async run(target) {
    const [dialogue, credentials] = await offering(target, 'PLAIN');
    await target.turnToFailLogin();
    dialogue.saySecretly(`AUTH PLAIN ${base64(response(credentials))}`);
    await dialogue.reply('4yz or 5yz');
  },
}));

/** name, section, what is said after AUTH and a 334, what has to come */
const BROKEN: readonly (readonly [string, string, string, string])[] = [
  ['cancelled', '*', '501', 'A client that gives up says *, and the server 501'],
  ['no-base64', 'this is no base64!', '501', 'What is no base64 is no response, and gets 501'],
];

const broken: ConformanceCase[] = BROKEN.map(([name, response, codes, why]) => ({
  id: `auth/${name}`,
  section: 'RFC 4954 §4',
  level: 'MUST',
  rationale: `${why}.`,
  needs: ['credentials'],
  async run(target) {
    const [dialogue] = await offering(target, 'PLAIN');
    await dialogue.need('AUTH PLAIN', '334');
    await target.turnToFailLogin();
    await dialogue.ask(response, codes);
    await dialogue.ask('NOOP', '250');
  },
}));

export const auth: CaseGroup = {
  name: 'auth',
  title: 'AUTH',
  introduction: 'Logging in, rightly, wrongly, twice, and amid a mail transaction (RFC 4954).',
  remedy:
    'Keep AUTH to a session without a login and without a mail transaction, and compare passwords whole.',
  cases: [
    {
      id: 'auth/success-is-235',
      section: 'RFC 4954 §6',
      level: 'MUST',
      rationale: 'Who has the password is let in, by 235.',
      needs: ['credentials'],
      async run(target) {
        const [dialogue, { user, password }] = await offering(target, 'PLAIN');
        dialogue.saySecretly(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`);
        await dialogue.reply('235');
      },
    },
    {
      id: 'auth/login',
      section: 'RFC 4954 §4',
      level: 'INTEROP',
      rationale: 'LOGIN asks for the name, then for the password.',
      needs: ['credentials'],
      async run(target) {
        const [dialogue, { user, password }] = await offering(target, 'LOGIN');
        await dialogue.ask('AUTH LOGIN', '334');
        dialogue.saySecretly(base64(user));
        await dialogue.reply('334');
        dialogue.saySecretly(base64(password));
        await dialogue.reply('235');
      },
    },
    {
      id: 'auth/twice',
      section: 'RFC 4954 §4',
      level: 'MUST',
      rationale: 'After a login any further AUTH gets 503.',
      needs: ['credentials'],
      async run(target) {
        const [dialogue, credentials] = await offering(target, 'PLAIN');
        await logIn(dialogue, credentials);
        await dialogue.ask('AUTH PLAIN', '503 or 5yz');
      },
    },
    {
      id: 'auth/in-a-transaction',
      section: 'RFC 4954 §4',
      level: 'MUST',
      rationale: 'AUTH is not permitted in a mail transaction.',
      needs: ['credentials'],
      async run(target) {
        const [dialogue] = await offering(target, 'PLAIN');
        await dialogue.need(target.mail(), '250');
        await dialogue.ask('AUTH PLAIN', '503 or 5yz');
      },
    },
    {
      id: 'auth/unknown-mechanism',
      section: 'RFC 4954 §4',
      level: 'MUST',
      rationale: 'A mechanism that is not offered gets 504.',
      needs: ['credentials'],
      async run(target) {
        const [dialogue] = await offering(target, 'PLAIN');
        await dialogue.ask('AUTH XYZZY', '504 or 5yz');
      },
    },
    {
      id: 'auth/parameter-of-mail',
      section: 'RFC 4954 §5',
      level: 'MUST',
      rationale: 'A server that offers AUTH takes the parameter AUTH=<> of MAIL from anybody.',
      needs: ['credentials', 'mail'],
      async run(target) {
        const dialogue = await target.ready();
        if (!dialogue.offers.has('AUTH')) throw new CannotJudge('AUTH is not offered where MAIL may come');
        await dialogue.ask(target.mail('AUTH=<>'), '250 or 4yz');
      },
    },
    ...wrong,
    ...broken,
  ],
};
