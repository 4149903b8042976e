/** Commands in groups (RFC 2920). */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import type { Target } from '../../contract/target.js';
import { CannotJudge, Deviation } from '../../dialogue/findings.js';
import { shown } from '../../dialogue/seen-reply.js';
import { inOrder, nothingMore } from '../judging.js';

/** EHLO, DATA, VRFY, EXPN, QUIT and NOOP come last in a group (RFC 2920 §3.1), unless a case says otherwise. */
interface Batch {
  readonly name: string;
  readonly section?: string;
  readonly rationale: string;
  readonly mail?: false;
  readonly level?: ConformanceCase['level'];
  readonly lines: (target: Target) => readonly string[];
  /** What each line gets, in order. */
  readonly replies: readonly string[];
}

const BATCHES: readonly Batch[] = [
  {
    name: 'mail-rcpt-data',
    rationale: 'MAIL, RCPT and DATA in one packet get three replies, in order.',
    lines: (target) => [target.mail(), target.rcpt(), 'DATA'],
    replies: ['250', '250 or 251', '354'],
  },
  {
    name: 'three-recipients',
    rationale: 'Each recipient of a batch gets a reply of its own.',
    lines: (target) => [target.mail(), target.rcpt(), target.rcpt(), target.rcpt(), 'DATA'],
    replies: ['250', '250 or 251', '250 or 251', '250 or 251', '354'],
  },
  {
    name: 'rset-first',
    rationale: 'RSET may begin a batch, as it does between two messages.',
    lines: (target) => ['RSET', target.mail(), target.rcpt(), 'DATA'],
    replies: ['250', '250', '250 or 251', '354'],
  },
  {
    name: 'quit-last',
    rationale: 'QUIT may end a batch.',
    mail: false,
    lines: () => ['RSET', 'RSET', 'QUIT'],
    replies: ['250', '250', '221'],
  },
  {
    name: 'transaction-given-up',
    rationale: 'A transaction may be begun and given up in one batch.',
    lines: (target) => [target.mail(), target.rcpt(), 'RSET', 'NOOP'],
    replies: ['250', '250 or 251', '250', '250'],
  },
  {
    name: 'two-transactions-begun',
    rationale: 'After RSET another transaction may begin in the same batch.',
    lines: (target) => [target.mail(), 'RSET', target.mail(), target.rcpt(), 'DATA'],
    replies: ['250', '250', '250', '250 or 251', '354'],
  },
  {
    name: 'good-and-bad',
    rationale: 'Replies come in the order of the commands, refusals among them.',
    mail: false,
    lines: () => ['RSET', 'XPROBE', 'RSET', 'RCPT', 'NOOP'],
    replies: ['250', '5yz', '250', '5yz', '250'],
  },
  {
    name: 'bad-recipient-in-the-middle',
    rationale: 'A recipient that is refused costs those before and after it nothing.',
    lines: (target) => [target.mail(), target.rcpt(), 'RCPT TO:<x', target.rcpt(), 'DATA'],
    replies: ['250', '250 or 251', '5yz', '250 or 251', '354'],
  },
  {
    name: 'refused-mail',
    rationale: 'If MAIL is refused, RCPT and DATA behind it are refused as well, each by a reply of its own.',
    lines: (target) => ['MAIL FROM:<x', target.rcpt(), 'DATA'],
    replies: ['5yz', '5yz', '5yz'],
  },
  {
    name: 'ehlo-then-mail',
    section: 'RFC 2920 §3.1',
    level: 'INTEROP',
    rationale:
      'EHLO ends a group; what comes right behind it all the same is answered, or ended by 421 or 5yz.',
    lines: (target) => [target.helloLine, target.mail()],
    replies: ['250', 'any'],
  },
];

const batches: ConformanceCase[] = BATCHES.map(
  ({ name, section, rationale, mail, level, lines, replies }) => ({
    id: `pipelining/${name}`,
    section: section ?? 'RFC 2920 §3.2',
    level: level ?? 'MUST',
    rationale,
    needs: mail === false ? ['PIPELINING'] : ['PIPELINING', 'mail'],
    async run(target) {
      const dialogue = await target.ready();
      dialogue.send(
        lines(target)
          .map((line) => `${line}\r\n`)
          .join(''),
      );
      await inOrder(dialogue, replies);
    },
  }),
);

/** What must not make the server lose its input (RFC 2920 §3.2 (1)). */
const keepsInput: ConformanceCase[] = (
  [
    ['an-unknown-command', 'ready', () => 'XPROBE', 'an unknown command'],
    ['a-malformed-mail', 'ready', () => 'MAIL FROM:<x', 'a malformed MAIL'],
    ['an-unknown-parameter', 'ready', (target) => target.mail('XPROBE=1'), 'an unknown parameter'],
    ['a-malformed-rcpt', 'mailed', () => 'RCPT TO:<x', 'a malformed RCPT'],
    ['rcpt-out-of-order', 'ready', (target) => target.rcpt(), 'RCPT out of order'],
    ['data-out-of-order', 'ready', () => 'DATA', 'DATA out of order'],
    ['nested-mail', 'mailed', (target) => target.mail(), 'a nested MAIL'],
    ['a-long-line', 'ready', () => `NOOP ${'x'.repeat(2000)}`, 'a line beyond the limit'],
    ['an-empty-line', 'ready', () => '', 'an empty line'],
    ['vrfy', 'ready', () => 'VRFY postmaster', 'VRFY'],
    ['help', 'ready', () => 'HELP', 'HELP'],
    ['rset', 'mailed', () => 'RSET', 'RSET'],
  ] as readonly [string, 'ready' | 'mailed', (target: Target) => string, string][]
).map(([name, place, line, what]) => ({
  id: `pipelining/input-survives-${name}`,
  section: 'RFC 2920 §3.2',
  level: 'MUST',
  rationale: `The server does not lose what it has received behind ${what}.`,
  needs: ['PIPELINING', 'mail'],
  async run(target) {
    const dialogue = await target[place]();
    dialogue.send(`${line(target)}\r\nRSET\r\nNOOP\r\n`);
    const first = await dialogue.reply('any');
    if (first.code === 354) throw new CannotJudge('DATA was accepted without a recipient');
    await inOrder(dialogue, ['250', '250']);
    await nothingMore(dialogue);
  },
}));

/** The same batch, cut elsewhere by the network. */
const cuts: ConformanceCase[] = (
  [
    ['octet-by-octet', 1],
    ['in-sevens', 7],
    ['in-thirteens', 13],
  ] as const
).map(([name, size]) => ({
  id: `pipelining/batch-${name}`,
  section: 'RFC 2920 §3.2',
  level: 'MUST',
  rationale: 'Replies do not depend on where packets end.',
  needs: ['PIPELINING', 'mail'],
  async run(target) {
    const dialogue = await target.ready();
    const batch = `RSET\r\n${target.mail()}\r\n${target.rcpt()}\r\nRSET\r\n`;
    for (let at = 0; at < batch.length; at += size) {
      dialogue.send(batch.slice(at, at + size));
      await dialogue.wait(1);
    }
    await inOrder(dialogue, ['250', '250', '250 or 251', '250']);
  },
}));

const many: ConformanceCase[] = [10, 60].map((count) => ({
  id: `pipelining/${count}-commands`,
  section: 'RFC 2920 §3.2',
  level: 'MUST',
  rationale: `${count} commands in one packet get ${count} replies.`,
  needs: ['PIPELINING'],
  async run(target) {
    const dialogue = await target.hello();
    dialogue.send(`${'RSET\r\n'.repeat(count - 1)}NOOP\r\n`);
    await inOrder(dialogue, Array(count).fill('250'));
    await nothingMore(dialogue);
  },
}));

/** Whether a final dot ends it by a refusal, where DATA was accepted without recipients. */
async function refusedInTheEnd(
  target: Target,
  lines: readonly string[],
  replies: readonly string[],
): Promise<void> {
  const dialogue = await target.ready();
  dialogue.send([...lines, 'DATA'].map((line) => `${line}\r\n`).join(''));
  await inOrder(dialogue, replies);
  const data = await dialogue.reply('354 or 4yz or 5yz');
  if (data.code !== 354) return;
  dialogue.say('.');
  const end = await dialogue.reply('any');
  if (end.code < 400) throw new Deviation(`a message without recipients was accepted: ${shown(end)}`);
}

export const pipelining: CaseGroup = {
  name: 'pipelining',
  title: 'Pipelining',
  introduction:
    'Commands in groups: as many replies as commands, in their order, and nothing lost (RFC 2920).',
  remedy: 'Read commands from one buffer that nothing empties, and answer each before the next is looked at.',
  cases: [
    {
      id: 'pipelining/keyword',
      section: 'RFC 2920 §2',
      level: 'MUST',
      rationale: 'The EHLO keyword PIPELINING has no parameters.',
      needs: ['PIPELINING'],
      async run(target) {
        const parameters = (await target.hello()).offers.get('PIPELINING') ?? '';
        if (parameters !== '') throw new Deviation(`it has ${parameters}`);
      },
    },
    ...batches,
    ...keepsInput,
    ...cuts,
    ...many,
    {
      id: 'pipelining/no-recipient-of-a-batch-is-left',
      section: 'RFC 2920 §3.2',
      level: 'MUST',
      rationale: 'If no recipient of the batch was accepted, DATA is refused, or the lone dot after it.',
      needs: ['PIPELINING', 'mail'],
      run: async (target) =>
        refusedInTheEnd(target, [target.mail(), 'RCPT TO:<x', 'RCPT TO:<y'], ['250', '5yz', '5yz']),
    },
    {
      id: 'pipelining/no-recipient-was-named',
      section: 'RFC 2920 §3.2',
      level: 'MUST',
      rationale: 'MAIL and DATA in one batch, without RCPT between them, lead to no message.',
      needs: ['PIPELINING', 'mail'],
      run: async (target) => refusedInTheEnd(target, [target.mail()], ['250']),
    },
    {
      id: 'pipelining/after-the-message',
      section: 'RFC 2920 §3.1',
      level: 'MUST',
      rationale: 'The end of a message may be followed by the next transaction in the same packet.',
      needs: ['PIPELINING', 'mail'],
      async run(target) {
        const dialogue = await target.receiving();
        dialogue.send(`${testMessage(target)}.\r\n${target.mail()}\r\n${target.rcpt()}\r\nRSET\r\n`);
        await dialogue.needReply('250');
        await inOrder(dialogue, ['250', '250 or 251', '250']);
      },
    },
    {
      id: 'pipelining/quit-after-the-message',
      section: 'RFC 2920 §3.1',
      level: 'MUST',
      rationale: 'The end of a message may be followed by QUIT in the same packet; both are answered.',
      needs: ['PIPELINING', 'mail'],
      async run(target) {
        const dialogue = await target.receiving();
        dialogue.send(`${testMessage(target)}.\r\nQUIT\r\n`);
        await dialogue.reply('250 or 4yz or 5yz');
        await dialogue.reply('221');
        await dialogue.closes();
      },
    },
    {
      id: 'pipelining/message-behind-data',
      section: 'RFC 2920 §3.1',
      level: 'INTEROP',
      rationale:
        'DATA ends a group. A message that comes with it all the same is read as a message, or the session ends: its lines are no commands.',
      needs: ['PIPELINING', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        dialogue.send(`DATA\r\n${testMessage(target, 'NOOP')}.\r\n`);
        const replies = await dialogue.rest();
        const codes = replies.map(({ code }) => code);
        if (dialogue.isEnded || codes.length <= 2) return;
        throw new Deviation(`DATA and one message got ${codes.length} replies: ${codes.join(', ')}`);
      },
    },
  ],
};
