/** In which order commands may come (RFC 5321 §3, §4.1.1, §4.1.4). */
import type { CaseGroup, ConformanceCase, Level } from '../contract/case.js';
import { testMessage } from '../contract/message.js';
import type { Target } from '../contract/target.js';
import type { Dialogue } from '../dialogue/dialogue.js';
import { Deviation } from '../dialogue/findings.js';
import { shown } from '../dialogue/seen-reply.js';
import { goesOn, refuses } from './judging.js';

type Place = 'greeted' | 'hello' | 'ready' | 'mailed' | 'addressed';

const WHERE: Readonly<Record<Place, string>> = {
  greeted: 'before EHLO',
  hello: 'after EHLO',
  ready: 'between two transactions',
  mailed: 'after MAIL',
  addressed: 'after RCPT',
};

const isInTransaction = (place: Place) => place === 'mailed' || place === 'addressed';

/** A demand that is made at several places of a session. */
function at(
  places: readonly Place[],
  name: string,
  demand: Pick<ConformanceCase, 'section' | 'level'> & { readonly rationale: (where: string) => string },
  judge: (dialogue: Dialogue, target: Target) => Promise<void>,
): ConformanceCase[] {
  return places.map((place) => ({
    id: `sequence/${name}-${WHERE[place].toLowerCase().replaceAll(' ', '-')}`,
    section: demand.section,
    level: demand.level,
    rationale: demand.rationale(WHERE[place]),
    ...(isInTransaction(place) && { needs: ['mail'] as const }),
    run: async (target) => judge(await target[place](), target),
  }));
}

/** DATA, and if it is accepted, the end of the message: what must not be accepted is judged to the end. */
async function takesNoMessage(dialogue: Dialogue): Promise<void> {
  dialogue.say('DATA');
  const reply = await dialogue.reply('3yz or 4yz or 5yz');
  if (reply.code >= 400) return;
  dialogue.say('.');
  const end = await dialogue.reply('any');
  if (end.code < 400) throw new Deviation(`a message without recipients was accepted: ${shown(end)}`);
}

const commandsBeforeHello: ConformanceCase[] = (
  [
    ['NOOP', '250', 'does not depend on EHLO: it does nothing'],
    ['RSET', '250', 'works without EHLO: there is nothing to abort, and nothing wrong'],
    [
      'VRFY postmaster',
      '2yz or 4yz or 500 or 502 or 530 or 550 or 551 or 553',
      'is no mail transaction, and needs no EHLO',
    ],
    [
      'EXPN staff',
      '2yz or 4yz or 500 or 502 or 530 or 550 or 551 or 553',
      'is no mail transaction, and needs no EHLO',
    ],
    ['HELP', '2yz or 4yz or 500 or 502 or 530', 'can be asked for at any time'],
  ] as const
).map(([line, codes, why]) => ({
  id: `sequence/${line.split(' ')[0]?.toLowerCase()}-needs-no-ehlo`,
  section: 'RFC 5321 §4.1.4',
  level: 'SHOULD',
  rationale: `${line.split(' ')[0]} ${why}.`,
  needs: ['smtp'],
  run: async (target) => void (await (await target.greeted()).ask(line, codes)),
}));

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

async function deliver(target: Target): Promise<Dialogue> {
  const dialogue = await target.receiving();
  dialogue.send(`${testMessage(target)}.\r\n`);
  await dialogue.needReply('250');
  return dialogue;
}

const afterMessage = (
  name: string,
  rationale: string,
  level: Level,
  judge: (dialogue: Dialogue, target: Target) => Promise<unknown>,
): ConformanceCase => ({
  id: `sequence/${name}`,
  section: 'RFC 5321 §4.1.1.4',
  level,
  rationale,
  needs: ['mail'],
  run: async (target) => void (await judge(await deliver(target), target)),
});

export const sequence: CaseGroup = {
  name: 'sequence',
  title: 'The order of commands',
  introduction: 'Which command may come when, and what each leaves of the session (RFC 5321 §3, §4.1.4).',
  remedy:
    'Keep the state of the session explicitly, answer a command that is out of order by 503, and leave the state as it is.',
  cases: [
    {
      id: 'sequence/greeting',
      section: 'RFC 5321 §3.1',
      level: 'MUST',
      rationale: 'The server speaks first, and says 220, or 554 where it takes no mail.',
      run: async (target) => void (await (await target.connect()).reply('220 or 554')),
    },
    {
      id: 'sequence/greeting-names-the-server',
      section: 'RFC 5321 §4.2',
      level: 'MUST',
      rationale: 'The greeting begins with the domain or the address literal of the server.',
      async run(target) {
        const dialogue = await target.connect();
        const reply = await dialogue.needReply('220');
        const [name = ''] = reply.lines[0]?.split(' ') ?? [];
        if (
          !/^(?:[\dA-Za-z](?:[\w-]*[\dA-Za-z])?(?:\.[\dA-Za-z](?:[\w-]*[\dA-Za-z])?)*|\[[^\]]+\])$/.test(name)
        ) {
          throw new Deviation(`no domain is the first word: ${shown(reply)}`);
        }
      },
    },
    {
      id: 'sequence/greeting-comes-once',
      section: 'RFC 5321 §3.1',
      level: 'MUST',
      rationale: 'There is one greeting; whatever else came would be taken for the reply to EHLO.',
      run: async (target) => (await target.greeted()).silence(),
    },
    {
      id: 'sequence/ehlo-names-the-server',
      section: 'RFC 5321 §4.1.1.1',
      level: 'MUST',
      rationale:
        'The reply to EHLO begins with the domain of the server; only the lines after it are keywords.',
      async run(target) {
        const dialogue = await target.greeted();
        const reply = await dialogue.need(target.helloLine, '250');
        if (!/^(?:[\dA-Za-z][\w.-]*|\[[^\]]+\])(?: |$)/.test(reply.lines[0] ?? '')) {
          throw new Deviation(`no domain is the first word: ${shown(reply)}`);
        }
      },
    },
    {
      id: 'sequence/helo',
      section: 'RFC 5321 §3.2',
      level: 'MUST',
      rationale: 'Old clients say HELO; a server supports it.',
      needs: ['smtp'],
      run: async (target) => void (await (await target.greeted()).ask('HELO probe.invalid', '250')),
    },
    {
      id: 'sequence/helo-offers-no-extensions',
      section: 'RFC 5321 §4.1.4',
      level: 'MUST',
      rationale: 'The reply to HELO has no lines with extensions: who says HELO does not know them.',
      needs: ['smtp'],
      async run(target) {
        const reply = await (await target.greeted()).need('HELO probe.invalid', '250');
        if (reply.lines.length > 1)
          throw new Deviation(`the reply has ${reply.lines.length} lines: ${shown(reply)}`);
      },
    },
    {
      id: 'sequence/mail-after-helo',
      section: 'RFC 5321 §3.3',
      level: 'MUST',
      rationale: 'A client that said HELO can send mail as well.',
      needs: ['smtp', 'mail'],
      async run(target) {
        const dialogue = await target.greeted();
        await dialogue.need('HELO probe.invalid', '250');
        await dialogue.ask(target.mail(), '250 or 530');
      },
    },
    ...at(
      ['hello', 'mailed'],
      'ehlo-again',
      {
        section: 'RFC 5321 §4.1.4',
        level: 'MUST',
        rationale: (where) => `EHLO may be said again ${where}: it begins the session anew.`,
      },
      async (dialogue, target) => void (await dialogue.ask(target.helloLine, '250')),
    ),
    {
      id: 'sequence/mail-before-ehlo',
      section: 'RFC 5321 §4.1.4',
      level: 'INTEROP',
      rationale:
        'A session with mail begins with EHLO; a client that sends MAIL without it has lost its way.',
      run: async (target) => refuses(await target.greeted(), target.mail()),
    },
    {
      id: 'sequence/rejected-ehlo-changes-nothing',
      section: 'RFC 5321 §4.1.4',
      level: 'MUST',
      rationale: 'If EHLO is not acceptable, the server stays in the state that it was in.',
      async run(target) {
        const dialogue = await target.ready();
        await dialogue.need(target.helloLine.slice(0, 4), '5yz');
        await dialogue.ask(target.mail(), '2yz or 4yz or 550 or 551 or 552 or 553 or 554');
      },
    },
    ...commandsBeforeHello,
    {
      id: 'sequence/rcpt-before-mail',
      section: 'RFC 5321 §3.3',
      level: 'MUST',
      rationale: 'RCPT without a mail transaction gets 503: there is nothing the recipient could belong to.',
      needs: ['mail'],
      run: async (target) => void (await (await target.ready()).ask(target.rcpt(), '503')),
    },
    {
      id: 'sequence/rcpt-before-mail-changes-nothing',
      section: 'RFC 5321 §4.1.4',
      level: 'MUST',
      rationale: 'A RCPT that was out of order is forgotten: MAIL and DATA then have no recipient.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.ready();
        await dialogue.need(target.rcpt(), '5yz');
        await dialogue.need(target.mail());
        await takesNoMessage(dialogue);
      },
    },
    {
      id: 'sequence/data-before-mail',
      section: 'RFC 5321 §3.3',
      level: 'MUST',
      rationale: 'No message is accepted without a mail transaction, at DATA or at its end.',
      needs: ['mail'],
      run: async (target) => takesNoMessage(await target.ready()),
    },
    {
      id: 'sequence/data-before-rcpt',
      section: 'RFC 5321 §3.3',
      level: 'MUST',
      rationale: 'No message is accepted without a recipient, at DATA or at its end.',
      needs: ['mail'],
      run: async (target) => takesNoMessage(await target.mailed()),
    },
    {
      id: 'sequence/data-before-rcpt-at-once',
      section: 'RFC 2920 §3.2',
      level: 'SHOULD',
      rationale: 'DATA is accepted only after a recipient was: a client need not send the message in vain.',
      needs: ['mail'],
      run: async (target) => void (await (await target.mailed()).ask('DATA', '4yz or 5yz')),
    },
    {
      id: 'sequence/data-after-rejected-rcpt',
      section: 'RFC 5321 §3.3',
      level: 'MUST',
      rationale: 'No message is accepted after every recipient was refused.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.mailed();
        await dialogue.need('RCPT TO:<x', '5yz');
        await takesNoMessage(dialogue);
      },
    },
    {
      id: 'sequence/rejected-data-keeps-the-transaction',
      section: 'RFC 5321 §4.1.4',
      level: 'MUST',
      rationale: 'DATA out of order leaves the state as it is: a recipient may still be named.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.mailed();
        await dialogue.need('DATA', '5yz');
        await dialogue.ask(target.rcpt(), '250 or 251');
      },
    },
    {
      id: 'sequence/nested-mail',
      section: 'RFC 5321 §4.1.4',
      level: 'SHOULD',
      rationale: 'MAIL in an open transaction is out of order; a client that means it says RSET first.',
      needs: ['mail'],
      run: async (target) => void (await (await target.mailed()).ask(target.mail(), '503')),
    },
    {
      id: 'sequence/nested-mail-keeps-the-transaction',
      section: 'RFC 5321 §4.1.4',
      level: 'MUST',
      rationale: 'A MAIL that is refused as out of order leaves the transaction as it was.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.addressed();
        await dialogue.need(target.mail(), '503');
        await dialogue.ask('DATA', '354');
      },
    },
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
    {
      id: 'sequence/unknown-command',
      section: 'RFC 5321 §4.2.4',
      level: 'MUST',
      rationale: 'A command that is not known is refused for good.',
      run: async (target) => void (await (await target.hello()).ask('XPROBE', '5yz')),
    },
    {
      id: 'sequence/unknown-command-code',
      section: 'RFC 5321 §4.2.4',
      level: 'SHOULD',
      rationale:
        'The code for a command that is not known is 500; 502 is for one that is known, and not implemented.',
      run: async (target) => void (await (await target.hello()).ask('XPROBE', '500 or 502')),
    },
    {
      id: 'sequence/unknown-command-keeps-the-connection',
      section: 'RFC 5321 §4.1.1.10',
      level: 'MUST',
      rationale: 'A server does not close the connection on its own before QUIT, also not after a mistake.',
      async run(target) {
        const dialogue = await target.hello();
        await dialogue.need('XPROBE', '5yz');
        await goesOn(dialogue);
      },
    },
    {
      id: 'sequence/turn-is-not-supported',
      section: 'RFC 5321 §F.1',
      level: 'SECURITY',
      rationale: 'TURN would hand the mail of others to whoever asks.',
      run: async (target) => refuses(await target.hello(), 'TURN'),
    },
    {
      id: 'sequence/vrfy-codes',
      section: 'RFC 5321 §4.3.2',
      level: 'SHOULD',
      rationale: 'VRFY gets one of the codes that are defined for it.',
      run: async (target) =>
        void (await (
          await target.ready()
        ).ask(
          'VRFY postmaster',
          '250 or 251 or 252 or 450 or 500 or 502 or 504 or 530 or 550 or 551 or 553 or 554',
        )),
    },
    {
      id: 'sequence/vrfy-tells-nobody',
      section: 'RFC 5321 §7.3',
      level: 'INTEROP',
      rationale: 'A server that does not verify says 252, and not that the command does not exist.',
      run: async (target) =>
        void (await (await target.ready()).ask('VRFY postmaster', '2yz or 4yz or 550 or 551 or 553 or 554')),
    },
    {
      id: 'sequence/expn-codes',
      section: 'RFC 5321 §4.3.2',
      level: 'SHOULD',
      rationale: 'EXPN gets one of the codes that are defined for it.',
      run: async (target) =>
        void (await (
          await target.ready()
        ).ask('EXPN staff', '250 or 252 or 450 or 500 or 502 or 504 or 530 or 550 or 554')),
    },
    {
      id: 'sequence/help-codes',
      section: 'RFC 5321 §4.3.2',
      level: 'SHOULD',
      rationale: 'HELP gets one of the codes that are defined for it.',
      run: async (target) =>
        void (await (await target.ready()).ask('HELP', '211 or 214 or 500 or 502 or 504')),
    },
    {
      id: 'sequence/no-parameters-after-helo',
      section: 'RFC 5321 §4.1.1.1',
      level: 'INTEROP',
      rationale: 'HELO takes back what EHLO offered before: a parameter is refused after it.',
      needs: ['smtp', 'mail', '8BITMIME'],
      async run(target) {
        const dialogue = await target.hello();
        await dialogue.need('HELO probe.invalid', '250');
        await refuses(dialogue, target.mail('BODY=8BITMIME'));
      },
    },
    {
      id: 'sequence/message-is-accepted',
      section: 'RFC 5321 §4.1.1.4',
      level: 'MUST',
      rationale: 'A message in order is accepted by 250, or refused for what it is.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.receiving();
        dialogue.send(`${testMessage(target)}.\r\n`);
        await dialogue.reply('250 or 4yz or 550 or 552 or 554');
      },
    },
    afterMessage(
      'message-ends-the-transaction',
      'After the message RCPT needs a new MAIL.',
      'MUST',
      (dialogue, target) => dialogue.ask(target.rcpt(), '503'),
    ),
    afterMessage(
      'message-drops-the-recipients',
      'After the message DATA has no recipients.',
      'MUST',
      (dialogue) => takesNoMessage(dialogue),
    ),
    afterMessage(
      'second-message',
      'A session may have several transactions.',
      'MUST',
      async (dialogue, target) => {
        await dialogue.ask(target.mail(), '250');
        await dialogue.ask(target.rcpt(), '250 or 251');
        await dialogue.ask('DATA', '354');
        dialogue.send(`${testMessage(target)}.\r\n`);
        await dialogue.reply('250');
      },
    ),
    afterMessage(
      'recipients-of-the-second-message',
      'A second transaction does not have the recipients of the first.',
      'MUST',
      async (dialogue, target) => {
        await dialogue.need(target.mail());
        await takesNoMessage(dialogue);
      },
    ),
    afterMessage(
      'message-gets-one-reply',
      'The end of a message to one recipient gets one reply.',
      'MUST',
      (dialogue) => dialogue.silence(),
    ),
    afterMessage(
      'message-keeps-the-connection',
      'After a message the server waits for the next one, or for QUIT.',
      'MUST',
      (dialogue) => goesOn(dialogue),
    ),
  ],
};
