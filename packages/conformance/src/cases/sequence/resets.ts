/** What leaves a mail transaction as it is, and what clears it; the end of the session (RFC 5321 §4.1.1.5, §4.1.1.9, §4.1.1.10). */
import type { ConformanceCase } from '../../contract/case.js';
import type { Target } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { Deviation } from '../../dialogue/findings.js';
import { goesOn } from '../judging.js';
import { at, takesNoMessage } from './places.js';

/** Commands that leave the transaction as it is (RFC 5321 §4.1.1.6 to §4.1.1.9). */
const harmless: ConformanceCase[] = (
  [
    ['NOOP', 'noop', 'RFC 5321 §4.1.1.9', 'NOOP affects nothing that was said before.'],
    ['VRFY postmaster', 'vrfy', 'RFC 5321 §4.1.1.6', 'VRFY has no effect on the buffers of the transaction.'],
    ['EXPN staff', 'expn', 'RFC 5321 §4.1.1.7', 'EXPN has no effect on the buffers of the transaction.'],
    ['HELP', 'help', 'RFC 5321 §4.1.1.8', 'HELP has no effect on the buffers of the transaction.'],
    [
      'XPROBE',
      'unknown-command',
      'RFC 5321 §4.1.4',
      'A command that is not known leaves the state as it is.',
    ],
    [
      'MAIL FROM:<x',
      'malformed-mail',
      'RFC 5321 §4.1.4',
      'A MAIL that is refused leaves the state as it is.',
    ],
    [
      'RCPT TO:<x',
      'malformed-rcpt',
      'RFC 5321 §4.1.4',
      'A RCPT that is refused leaves the other recipients.',
    ],
  ] as const
).map(([line, name, section, rationale]) => ({
  id: `sequence/${name}-keeps-the-transaction`,
  section,
  level: 'MUST',
  rationale,
  needs: ['mail'],
  async run(target) {
    const dialogue = await target.addressed();
    await dialogue.ask(line, 'any');
    await dialogue.ask('DATA', '354');
  },
}));

/** What ends a transaction, and must leave nothing of it. */
const cleared: ConformanceCase[] = (
  [
    ['rset', 'RSET', 'RFC 5321 §4.1.1.5', 'RSET drops sender and recipients.', 'MUST'],
    ['ehlo', 'HELLO', 'RFC 5321 §4.1.4', 'EHLO in a transaction resets as RSET does.', 'MUST'],
    [
      'helo',
      'HELO',
      'RFC 5321 §4.1.1.1',
      'HELO leaves the session in its initial state, without a transaction.',
      'MUST',
    ],
  ] as const
).flatMap(([name, word, section, why, level]): ConformanceCase[] => {
  const reset = async (target: Target): Promise<Dialogue> => {
    const dialogue = await target.addressed();
    const line =
      word === 'RSET' ? word : word === 'HELLO' ? target.helloLine : `HELO ${target.helloLine.slice(5)}`;
    await dialogue.need(line, '250');
    return dialogue;
  };
  const needs = word === 'HELO' ? (['mail', 'smtp'] as const) : (['mail'] as const);
  return [
    {
      id: `sequence/${name}-drops-the-recipients`,
      section,
      level,
      rationale: `${why} DATA without new ones takes no message.`,
      needs,
      run: async (target) => takesNoMessage(await reset(target)),
    },
    {
      id: `sequence/${name}-drops-the-sender`,
      section,
      level,
      rationale: `${why} RCPT then needs a new MAIL.`,
      needs,
      run: async (target) => void (await (await reset(target)).ask(target.rcpt(), '503')),
    },
    {
      id: `sequence/${name}-lets-a-new-transaction-begin`,
      section,
      level,
      rationale: `${why} A new MAIL is no nested one.`,
      needs,
      async run(target) {
        const dialogue = await reset(target);
        dialogue.say(target.mail());
        const { code } = await dialogue.reply('2yz or 503 or 530');
        if (code === 503) throw new Deviation('the transaction that was dropped is still there');
      },
    },
  ];
});

export const resets: readonly ConformanceCase[] = [
  ...harmless,
  ...cleared,
  ...at(
    ['greeted', 'hello', 'mailed', 'addressed'],
    'rset',
    {
      section: 'RFC 5321 §4.1.1.5',
      level: 'MUST',
      rationale: (where) => `RSET gets 250, also ${where}.`,
    },
    async (dialogue) => void (await dialogue.ask('RSET', '250')),
  ),
  {
    id: 'sequence/rset-keeps-ehlo',
    section: 'RFC 5321 §4.1.1.5',
    level: 'MUST',
    rationale: 'RSET aborts the transaction and not the session: no new EHLO is needed.',
    needs: ['mail'],
    async run(target) {
      const dialogue = await target.ready();
      await dialogue.need('RSET', '250');
      await dialogue.ask(target.mail(), '250');
    },
  },
  {
    id: 'sequence/rset-keeps-the-connection',
    section: 'RFC 5321 §4.1.1.5',
    level: 'SHOULD',
    rationale: 'A server does not close the connection because of RSET, also not of several.',
    async run(target) {
      const dialogue = await target.hello();
      for (let time = 0; time < 3; time++) await dialogue.need('RSET', '250');
      await goesOn(dialogue);
    },
  },
  ...at(
    ['greeted', 'hello', 'mailed', 'addressed'],
    'quit',
    {
      section: 'RFC 5321 §4.1.1.10',
      level: 'MUST',
      rationale: (where) => `QUIT gets 221 and the end of the connection, also ${where}.`,
    },
    async (dialogue) => {
      await dialogue.ask('QUIT', '221');
      await dialogue.closes();
    },
  ),
  {
    id: 'sequence/nothing-after-quit',
    section: 'RFC 5321 §4.1.1.10',
    level: 'MUST',
    rationale: 'QUIT is the end: what follows it in the same packet is not carried out.',
    needs: ['PIPELINING'],
    async run(target) {
      const dialogue = await target.hello();
      dialogue.send('QUIT\r\nNOOP\r\n');
      await dialogue.reply('221');
      await dialogue.closes();
    },
  },
];
