/** What a lost or half-closed connection leaves behind. */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import type { Target } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { Deviation } from '../../dialogue/findings.js';
import { shown } from '../../dialogue/seen-reply.js';
import { inOrder } from '../judging.js';

/** Ends our side, and judges that nothing more was accepted. */
async function takesNothing(dialogue: Dialogue): Promise<void> {
  dialogue.endSending();
  const accepting = (await dialogue.untilEnd()).find(({ code }) => code < 300);
  if (accepting !== undefined) throw new Deviation(`what was not whole was accepted: ${shown(accepting)}`);
}

/** name, what was sent of the message, what is missing */
const UNFINISHED: readonly (readonly [string, (message: string) => string, string])[] = [
  ['nothing', () => '', 'all of the message'],
  ['header', (message) => message.slice(0, message.indexOf('\r\n\r\n')), 'the body'],
  ['line', (message) => `${message}half a li`, 'the end of a line'],
  ['all-but-the-dot', (message) => message, 'the dot'],
  ['dot', (message) => `${message}.`, 'the CRLF after the dot'],
  ['dot-cr', (message) => `${message}.\r`, 'the last LF'],
  ['dot-lf', (message) => `${message}.\n`, 'the CR after the dot'],
];

const unfinishedMessages: ConformanceCase[] = UNFINISHED.map(([name, cut, missing]) => ({
  id: `disconnects/message-cut-after-${name}`,
  section: 'RFC 5321 §4.1.1.4',
  level: 'MUST',
  rationale: `A message is accepted after its end only; the connection ends, and ${missing} is missing.`,
  needs: ['mail'],
  async run(target) {
    const dialogue = await target.receiving();
    const part = cut(testMessage(target));
    if (part !== '') dialogue.send(part);
    await takesNothing(dialogue);
  },
}));

const unfinishedCommands: ConformanceCase[] = (
  [
    ['noop', 'hello', () => 'NOOP', 'NOOP'],
    ['noop-cr', 'hello', () => 'NOOP\r', 'NOOP with a CR'],
    ['quit', 'hello', () => 'QUIT', 'QUIT'],
    ['rcpt', 'mailed', (target) => target.rcpt().slice(0, -1), 'the beginning of RCPT'],
    ['data', 'addressed', () => 'DATA', 'DATA'],
  ] as readonly [string, 'hello' | 'mailed' | 'addressed', (target: Target) => string, string][]
).map(([name, place, text, what]) => ({
  id: `disconnects/command-cut-${name}`,
  section: 'RFC 5321 §2.3.8',
  level: 'MUST',
  rationale: `A line ends in CRLF: ${what} and the end of the connection is no command.`,
  ...(place !== 'hello' && { needs: ['mail'] as const }),
  async run(target) {
    const dialogue = await target[place]();
    dialogue.send(text(target));
    dialogue.endSending();
    const taken = (await dialogue.untilEnd()).find(({ code }) => code < 400);
    if (taken !== undefined) throw new Deviation(`it was carried out: ${shown(taken)}`);
  },
}));

/** A client may end its sending side and still read (RFC 9293 §3.6). */
const halfClosed: ConformanceCase[] = [
  {
    id: 'disconnects/half-close-after-noop',
    section: 'RFC 9293 §3.6',
    level: 'INTEROP',
    rationale: 'Commands that had come before the end of the client are answered.',
    async run(target) {
      const dialogue = await target.hello();
      dialogue.send('NOOP\r\n');
      dialogue.endSending();
      await dialogue.reply('250');
    },
  },
  {
    id: 'disconnects/half-close-after-a-batch',
    section: 'RFC 9293 §3.6',
    level: 'INTEROP',
    rationale: 'A batch that had come before the end of the client is answered as a whole.',
    needs: ['PIPELINING', 'mail'],
    async run(target) {
      const dialogue = await target.ready();
      dialogue.send(`${target.mail()}\r\n${target.rcpt()}\r\nRSET\r\nQUIT\r\n`);
      dialogue.endSending();
      await inOrder(dialogue, ['250', '250 or 251', '250', '221']);
    },
  },
  {
    id: 'disconnects/half-close-after-the-message',
    section: 'RFC 5321 §4.1.1.4',
    level: 'SHOULD',
    rationale:
      'A message that came whole is answered although the client sends no more: else it would be sent again.',
    needs: ['mail'],
    async run(target) {
      const dialogue = await target.receiving();
      dialogue.send(`${testMessage(target)}.\r\n`);
      dialogue.endSending();
      await dialogue.reply('250 or 4yz or 5yz');
    },
  },
  {
    id: 'disconnects/half-close-after-quit',
    section: 'RFC 5321 §4.1.1.10',
    level: 'MUST',
    rationale: 'QUIT is answered by 221, also if the client ends its side with it.',
    async run(target) {
      const dialogue = await target.hello();
      dialogue.send('QUIT\r\n');
      dialogue.endSending();
      await dialogue.reply('221');
      await dialogue.closes();
    },
  },
  ...(['greeted', 'hello', 'mailed', 'receiving'] as const).map(
    (place): ConformanceCase => ({
      id: `disconnects/end-of-the-client-${{ greeted: 'before-ehlo', hello: 'after-ehlo', mailed: 'after-mail', receiving: 'in-a-message' }[place]}`,
      section: 'RFC 5321 §3.8',
      level: 'SHOULD',
      rationale: 'After the client has ended its side, the server ends the connection instead of keeping it.',
      ...(place !== 'greeted' && place !== 'hello' && { needs: ['mail'] as const }),
      async run(target) {
        const dialogue = await target[place]();
        dialogue.endSending();
        await dialogue.untilEnd();
        if (!dialogue.isEnded) throw new Deviation('the connection stands');
      },
    }),
  ),
];

/** Others are served as before. */
const aborted: ConformanceCase[] = (
  ['connect', 'greeted', 'hello', 'mailed', 'addressed', 'receiving'] as const
).map((place) => ({
  id: `disconnects/abort-${{ connect: 'at-once', greeted: 'after-the-greeting', hello: 'after-ehlo', mailed: 'after-mail', addressed: 'after-rcpt', receiving: 'in-a-message' }[place]}`,
  section: 'RFC 5321 §3.8',
  level: 'SECURITY',
  rationale: 'A client that breaks off costs the others nothing: the next one is greeted.',
  ...(['mailed', 'addressed', 'receiving'].includes(place) && { needs: ['mail'] as const }),
  async run(target) {
    const dialogue = await target[place]();
    if (place === 'receiving') dialogue.send('half a message');
    dialogue.abort();
    await (await target.connect()).reply('220');
  },
}));

export const disconnects: CaseGroup = {
  name: 'disconnects',
  title: 'Lost connections',
  introduction:
    'A connection may end anywhere. Nothing that was not whole is carried out, and nobody else notices.',
  remedy:
    'Carry out a line at its CRLF and a message at its end, never at the end of the connection; end your side after the client has.',
  cases: [...unfinishedMessages, ...unfinishedCommands, ...halfClosed, ...aborted],
};
