/** Message size declaration (RFC 1870). */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import type { Target } from '../../contract/target.js';
import { CannotJudge, Deviation } from '../../dialogue/findings.js';
import { filled, goesOn, octets, refuses, understands } from '../judging.js';

/** The largest message that politeness lets us send. */
const LARGEST_TEST = 4_194_304;

const maximumOf = ({ survey }: Target): bigint => {
  const text = survey.offersUnderTls?.get('SIZE') ?? survey.offers.get('SIZE') ?? '';
  const maximum = /^\d+$/.test(text) ? BigInt(text) : 0n;
  if (maximum === 0n) throw new CannotJudge('the server announces no maximum');
  return maximum;
};

const valid: ConformanceCase[] = (
  [
    ['of-the-message', (target) => `SIZE=${octets(testMessage(target)).length}`, 'the size of the message'],
    ['zero', () => 'SIZE=0', 'no octets at all'],
    ['lower-case', () => 'size=1000', 'its keyword in lower case'],
    ['leading-zeros', () => 'SIZE=0001000', 'leading zeros, which the grammar has'],
    ['maximum', (target) => `SIZE=${maximumOf(target)}`, 'exactly what the server announces'],
  ] as readonly [string, (target: Target) => string, string][]
).map(([name, parameter, what]) => ({
  id: `size/valid-${name}`,
  section: name === 'maximum' ? 'RFC 1870 §6.1' : 'RFC 1870 §5',
  level: 'MUST',
  rationale: `MAIL takes SIZE with ${what}.`,
  needs: ['SIZE', 'mail'],
  run: async (target) => understands(await target.ready(), target.mail(parameter(target))),
}));

const invalid: ConformanceCase[] = (
  [
    ['without-value', 'SIZE', 'has no value'],
    ['empty', 'SIZE=', 'has an empty value'],
    ['letters', 'SIZE=abc', 'is no number'],
    ['negative', 'SIZE=-1', 'is negative'],
    ['fraction', 'SIZE=1.5', 'is no whole number'],
    ['unit', 'SIZE=10k', 'has a unit'],
    ['21-digits', `SIZE=${filled(21, '1')}`, 'has more than 20 digits'],
    ['twice', 'SIZE=1000 SIZE=2000', 'stands twice'],
  ] as const
).map(([name, parameter, why]) => ({
  id: `size/invalid-${name}`,
  section: 'RFC 1870 §5',
  level: 'INTEROP',
  rationale: `MAIL is refused where SIZE ${why}.`,
  needs: ['SIZE', 'mail'],
  run: async (target) => refuses(await target.ready(), target.mail(parameter)),
}));

export const size: CaseGroup = {
  name: 'size',
  title: 'SIZE',
  introduction: 'The size of a message, declared before it is sent (RFC 1870).',
  remedy:
    'Read SIZE as 1 to 20 digits, refuse by 552 what is more than announced, and count the octets that come.',
  cases: [
    {
      id: 'size/keyword',
      section: 'RFC 1870 §4',
      level: 'MUST',
      rationale: 'The EHLO keyword SIZE has no parameter, or one of 1 to 20 digits.',
      needs: ['SIZE'],
      async run(target) {
        const parameter = (await target.hello()).offers.get('SIZE');
        if (parameter === undefined) throw new CannotJudge('SIZE is offered under TLS only');
        if (!/^\d{0,20}$/.test(parameter)) throw new Deviation(`it has ${parameter}`);
      },
    },
    ...valid,
    ...invalid,
    {
      id: 'size/not-needed',
      section: 'RFC 1870 §5',
      level: 'MUST',
      rationale: 'MAIL without SIZE is taken: the parameter is optional.',
      needs: ['SIZE', 'mail'],
      run: async (target) => void (await (await target.ready()).ask(target.mail(), '250')),
    },
    {
      id: 'size/with-the-null-reverse-path',
      section: 'RFC 1870 §5',
      level: 'MUST',
      rationale: 'SIZE goes with any reverse-path, <> included.',
      needs: ['SIZE', 'mail'],
      run: async (target) => void (await (await target.ready()).ask('MAIL FROM:<> SIZE=1000', '250')),
    },
    {
      id: 'size/20-digits',
      section: 'RFC 1870 §5',
      level: 'MUST',
      rationale: 'A size of 20 digits is well-formed: it is too large, and not malformed.',
      needs: ['SIZE', 'mail'],
      run: async (target) =>
        void (await (
          await target.ready()
        ).ask(target.mail('SIZE=99999999999999999999'), '250 or 452 or 552')),
    },
    {
      id: 'size/just-what-is-announced',
      section: 'RFC 1870 §6.1',
      level: 'MUST',
      rationale: 'A message declared as large as the announced maximum may come.',
      needs: ['SIZE', 'mail'],
      async run(target) {
        if (maximumOf(target) === 0n) throw new CannotJudge('the server announces no maximum');
        await (await target.ready()).ask(target.mail(`SIZE=${maximumOf(target)}`), '250 or 452');
      },
    },
    {
      id: 'size/more-than-announced',
      section: 'RFC 1870 §6.1',
      level: 'SHOULD',
      rationale: 'A message declared larger than the announced maximum gets 552 at once.',
      needs: ['SIZE', 'mail'],
      async run(target) {
        const dialogue = await target.ready();
        await dialogue.ask(target.mail(`SIZE=${maximumOf(target) + 1n}`), '552');
      },
    },
    {
      id: 'size/refusal-begins-no-transaction',
      section: 'RFC 1870 §6.1',
      level: 'MUST',
      rationale: 'A MAIL that was refused for its size has begun no transaction.',
      needs: ['SIZE', 'mail'],
      async run(target) {
        const dialogue = await target.ready();
        await dialogue.need(target.mail(`SIZE=${maximumOf(target) + 1n}`), '4yz or 5yz');
        await dialogue.ask(target.rcpt(), '503');
      },
    },
    {
      id: 'size/on-rcpt',
      section: 'RFC 1870 §5',
      level: 'INTEROP',
      rationale: 'SIZE is a parameter of MAIL; RCPT refuses it.',
      needs: ['SIZE', 'mail'],
      run: async (target) => refuses(await target.mailed(), target.rcpt('SIZE=1000')),
    },
    {
      id: 'size/larger-than-declared',
      section: 'RFC 1870 §6.3',
      level: 'INTEROP',
      rationale:
        'A message somewhat larger than declared is taken or refused as a whole, and the session goes on.',
      needs: ['SIZE', 'mail'],
      async run(target) {
        const dialogue = await target.ready();
        await dialogue.need(target.mail('SIZE=100'));
        await dialogue.need(target.rcpt());
        await dialogue.need('DATA', '354');
        dialogue.send(`${testMessage(target, filled(2000, `${filled(70)}\r\n`))}.\r\n`);
        await dialogue.reply('250 or 452 or 552 or 554');
        await goesOn(dialogue);
      },
    },
    ...(
      [
        ['', 'a'],
        ['-of-dots', '.'],
      ] as const
    ).map(([name, text]) => ({
      id: `size/message-of-just-the-maximum${name}`,
      section: 'RFC 1870 §3, §6',
      level: 'MUST' as const,
      rationale:
        'A message of just the maximum is taken: the dots of transparency and the final one do not count.',
      needs: ['SIZE', 'mail'] as const,
      async run(target: Target) {
        const maximum = maximumOf(target);
        if (maximum > BigInt(LARGEST_TEST) || maximum < 2000n)
          throw new CannotJudge(`a message of ${maximum} octets is none for a test`);
        const dialogue = await target.receiving();
        const header = testMessage(target);
        const lines = filled(Number(maximum) - header.length - 80, `${text.padEnd(70, 'x')}\r\n`);
        const whole = `${header}${lines.slice(0, lines.lastIndexOf('\n') + 1)}`;
        const last = `${text.padEnd(Number(maximum) - whole.length - 2, 'x')}\r\n`;
        dialogue.send(`${(whole + last).replace(/^\./gm, '..')}.\r\n`);
        await dialogue.reply('250');
      },
    })),
    {
      id: 'size/message-beyond-the-maximum',
      section: 'RFC 1870 §6.3',
      level: 'MUST',
      rationale: 'A message larger than the maximum is refused after its end, and not in part accepted.',
      needs: ['SIZE', 'mail'],
      async run(target) {
        const maximum = maximumOf(target);
        if (maximum > BigInt(LARGEST_TEST))
          throw new CannotJudge(`${maximum} octets are too many for a test`);
        const dialogue = await target.receiving();
        dialogue.send(`${testMessage(target, filled(Number(maximum) + 1, `${filled(70)}\r\n`))}\r\n.\r\n`);
        await dialogue.reply('552 or 554 or 5yz');
        await goesOn(dialogue);
      },
    },
  ],
};
