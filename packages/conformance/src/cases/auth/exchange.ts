/** The exchange itself, whatever the mechanism (RFC 4954 §4): when it may begin, the form of its lines, how it ends. */
import type { ConformanceCase } from '../../contract/case.js';
import { CannotJudge, Deviation } from '../../dialogue/findings.js';
import { logIn } from '../../running/login.js';
import { authCase, base64, mechanismsOf, offering, readyForMail, respond } from './offering.js';

/** name, response to an empty challenge, why */
const NO_RESPONSES: readonly (readonly [string, string, string])[] = [
  ['no-base64', 'this is no base64!', 'What is no base64 is no response, and gets 501'],
  ['padding-amid-base64', 'AGFu=bgBw', 'Base64 with its padding amid the string gets 501'],
  ['base64-cut-short', 'AGFubgBwZW5jaW', 'Base64 that lacks its padding gets 501'],
];

const malformed: ConformanceCase[] = NO_RESPONSES.map(([name, response, why]) =>
  authCase([name, 'RFC 4954 §4', 'MUST'], `${why}.`, 'PLAIN', async (dialogue, _, target) => {
    await dialogue.need('AUTH PLAIN', '334');
    await target.turnToFailLogin();
    await dialogue.ask(response, '501');
    await dialogue.ask('NOOP', '250');
  }),
);

export const exchange: readonly ConformanceCase[] = [
  authCase(
    ['cancelled', 'RFC 4954 §4', 'MUST'],
    'A client that gives up says *, and the server 501.',
    'PLAIN',
    async (dialogue, _, target) => {
      await dialogue.need('AUTH PLAIN', '334');
      await target.turnToFailLogin();
      await dialogue.ask('*', '501');
      await dialogue.ask('NOOP', '250');
    },
  ),
  ...malformed,
  authCase(
    ['initial-response-without-base64', 'RFC 4954 §4', 'MUST'],
    'An initial response that is no base64 gets 501, too.',
    'PLAIN',
    async (dialogue, _, target) => {
      await target.turnToFailLogin();
      await dialogue.ask('AUTH PLAIN {}', '501');
    },
  ),
  authCase(
    ['challenge-without-data', 'RFC 4954 §4', 'MUST'],
    'Where the client begins and has said nothing yet, the challenge has no data: 334 and a blank.',
    'PLAIN',
    async (dialogue) => {
      const { lines } = await dialogue.ask('AUTH PLAIN', '334');
      if (lines.join('') !== '')
        throw new Deviation(`the challenge was to be empty; it is ${lines.join(' ')}`);
    },
  ),
  authCase(
    ['verb-in-lower-case', 'RFC 5321 §2.4', 'MUST'],
    'The verb AUTH is known in any case.',
    'PLAIN',
    (dialogue) => dialogue.ask('auth PLAIN', '334'),
  ),
  authCase(
    ['mechanism-in-lower-case', 'RFC 4954 §8', 'INTEROP'],
    'Names of mechanisms are known in any case, though SASL writes them in upper case.',
    'PLAIN',
    (dialogue) => dialogue.ask('AUTH plain', '334'),
  ),
  authCase(
    ['unknown-mechanism', 'RFC 4954 §4', 'MUST'],
    'A mechanism that is not offered is refused.',
    'PLAIN',
    (dialogue) => dialogue.ask('AUTH XYZZY', '5yz'),
  ),
  authCase(
    ['unknown-mechanism-is-504', 'RFC 4954 §4', 'SHOULD'],
    'The refusal of a mechanism that is not offered is 504.',
    'PLAIN',
    (dialogue) => dialogue.ask('AUTH XYZZY', '504'),
  ),
  authCase(
    ['without-a-mechanism', 'RFC 4954 §4', 'INTEROP'],
    'AUTH without a mechanism is malformed.',
    'PLAIN',
    (dialogue) => dialogue.ask('AUTH', '5yz'),
  ),
  authCase(
    ['commands-are-responses', 'RFC 4954 §4', 'SECURITY'],
    'Within an exchange a command is a response, and is not carried out.',
    'PLAIN',
    async (dialogue, _, target) => {
      await dialogue.need('AUTH PLAIN', '334');
      await target.turnToFailLogin();
      await dialogue.ask(target.mail(), '5yz');
      await dialogue.ask(target.rcpt(), '5yz');
    },
  ),
  authCase(
    ['long-response', 'RFC 4616 §2', 'MUST'],
    'A response of PLAIN whose two names and password have 255 octets each is read, and is not too long.',
    'PLAIN',
    async (dialogue, _, target) => {
      await dialogue.need('AUTH PLAIN', '334');
      await target.turnToFailLogin();
      const name = 'a'.repeat(255);
      const { code } = await respond(dialogue, `${name}\0${name}\0${name}`, '4yz or 5yz');
      if (code === 500) throw new Deviation('500 says that a response of 1024 octets is too long');
      await dialogue.ask('NOOP', '250');
    },
  ),
  authCase(
    ['endless-response', 'RFC 4954 §4', 'MUST'],
    'A response that is longer than anything has room for fails the exchange.',
    'PLAIN',
    async (dialogue, _, target) => {
      await dialogue.need('AUTH PLAIN', '334');
      await target.turnToFailLogin();
      await dialogue.ask('QUJD'.repeat(25_000), '4yz or 5yz');
    },
  ),
  authCase(
    ['twice', 'RFC 4954 §4', 'MUST'],
    'After a login any further AUTH gets 503.',
    'PLAIN',
    async (dialogue, credentials) => {
      await logIn(dialogue, credentials);
      await dialogue.ask('AUTH PLAIN', '503');
    },
  ),
  {
    id: 'auth/in-a-transaction',
    section: 'RFC 4954 §4',
    level: 'MUST',
    rationale: 'AUTH in a mail transaction gets 503.',
    needs: ['credentials', 'mail'],
    async run(target) {
      if (target.survey.entry.authenticate)
        throw new CannotJudge('mail is taken after AUTH only, and then AUTH is refused in any case');
      const [dialogue] = await offering(target, 'PLAIN');
      await dialogue.need(target.mail(), '250');
      await dialogue.ask('AUTH PLAIN', '503');
    },
  },
  authCase(
    ['pipelined-login', 'RFC 2920 §3.2', 'MUST'],
    'What follows AUTH PLAIN and its response in the same packet is not lost: such an exchange has one step.',
    'PLAIN',
    async (dialogue, { user, password }) => {
      const login = `AUTH PLAIN ${base64(`\0${user}\0${password}`)}`;
      dialogue.send(`${login}\r\nNOOP\r\n`, 'AUTH PLAIN (its response is not shown)\r\nNOOP\r\n');
      await dialogue.reply('235');
      await dialogue.reply('250');
    },
    ['PIPELINING'],
  ),
  {
    id: 'auth/keyword-names-mechanisms',
    section: 'RFC 4954 §3',
    level: 'MUST',
    rationale: 'The parameter of the keyword AUTH is a list of mechanisms, each with a blank before it.',
    needs: ['AUTH'],
    async run({ survey }) {
      const text = survey.offersUnderTls?.get('AUTH') ?? survey.offers.get('AUTH') ?? '';
      if (!/^[\w-]{1,20}(?: [\w-]{1,20})*$/.test(text))
        throw new Deviation(`AUTH has the parameter "${text}"`);
    },
  },
  {
    id: 'auth/passwords-need-tls',
    section: 'RFC 4954 §4',
    level: 'SHOULD',
    rationale: 'Where TLS is offered, PLAIN and LOGIN are not offered without it.',
    needs: ['AUTH', 'STARTTLS'],
    async run(target) {
      const bare = mechanismsOf(await target.hello()).filter((name) => ['PLAIN', 'LOGIN'].includes(name));
      if (bare.length > 0) throw new Deviation(`${bare.join(' and ')} may be used in the clear`);
    },
  },
  {
    id: 'auth/refused-in-the-clear',
    section: 'RFC 4954 §4',
    level: 'SECURITY',
    rationale: 'What is offered under TLS only is refused without it.',
    needs: ['AUTH', 'STARTTLS'],
    async run(target) {
      const dialogue = await target.hello();
      if (dialogue.offers.has('AUTH')) throw new CannotJudge('AUTH is offered in the clear');
      await dialogue.ask('AUTH PLAIN', '5yz');
    },
  },
  {
    id: 'auth/before-ehlo',
    section: 'RFC 4954 §3',
    level: 'INTEROP',
    rationale: 'AUTH belongs to an extension, and is refused before EHLO has offered it.',
    needs: ['AUTH'],
    run: async (target) => void (await (await target.greeted()).ask('AUTH PLAIN', '5yz')),
  },
  {
    id: 'auth/submission-needs-it',
    section: 'RFC 4954 §6',
    level: 'SHOULD',
    rationale: 'Where mail is taken after AUTH only, MAIL before it gets 530.',
    needs: ['credentials', 'mail'],
    async run(target) {
      const { authenticate, startTls } = target.survey.entry;
      if (!authenticate) throw new CannotJudge('the server takes mail without AUTH');
      const dialogue = await target.hello();
      if (startTls) {
        await dialogue.need('STARTTLS', '220');
        await dialogue.startTls();
        await dialogue.hello(target.helloLine);
      }
      for (const line of ['NOOP', 'RSET']) await dialogue.ask(line, '250');
      await dialogue.ask(target.mail(), '530');
    },
  },
  {
    id: 'auth/parameter-of-mail',
    section: 'RFC 4954 §5',
    level: 'MUST',
    rationale: 'A server that offers AUTH takes the parameter AUTH=<> of MAIL from anybody.',
    needs: ['credentials', 'mail'],
    async run(target) {
      await (await readyForMail(target)).ask(target.mail('AUTH=<>'), '250 or 4yz');
    },
  },
  {
    id: 'auth/parameter-in-xtext',
    section: 'RFC 4954 §5',
    level: 'MUST',
    rationale: 'The parameter AUTH of MAIL may name a mailbox in xtext.',
    needs: ['credentials', 'mail'],
    async run(target) {
      await (await readyForMail(target)).ask(target.mail('AUTH=e+3Dmc2@example.com'), '250 or 4yz');
    },
  },
];
