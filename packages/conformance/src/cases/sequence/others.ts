/** Commands beside the transaction, and what comes after a message (RFC 5321 §3.5, §4.2.4, §4.1.4). */
import type { ConformanceCase, Level } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import type { Target } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { goesOn, nothingMore, refuses } from '../judging.js';
import { takesNoMessage } from './places.js';

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

export const others: readonly ConformanceCase[] = [
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
    run: async (target) => void (await (await target.ready()).ask('HELP', '211 or 214 or 500 or 502 or 504')),
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
    (dialogue) => nothingMore(dialogue),
  ),
  afterMessage(
    'message-keeps-the-connection',
    'After a message the server waits for the next one, or for QUIT.',
    'MUST',
    (dialogue) => goesOn(dialogue),
  ),
];
