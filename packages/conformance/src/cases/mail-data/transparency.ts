/** Where the message ends: the dots before lines, and the final one (RFC 5321 §4.5.2, §4.1.1.4). */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import type { Target } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { goesOn, nothingMore, octets } from '../judging.js';

/** Milliseconds between two packets that are to arrive one by one. */
const BETWEEN_PACKETS = 30;

/** In a message, after its header section. */
async function inBody(target: Target): Promise<Dialogue> {
  const dialogue = await target.receiving();
  dialogue.send(testMessage(target));
  return dialogue;
}

/** name, line within the message, why it is no end */
const NO_END: readonly (readonly [string, string, string])[] = [
  ['two-dots', '..', 'it is the line of one dot, made transparent'],
  ['three-dots', '...', 'it is the line of two dots, made transparent'],
  ['dot-and-text', '.text', 'a dot with text after it is dropped, and the line is text'],
  ['two-dots-and-text', '..text', 'it is text that begins with a dot'],
  ['dot-space', '. ', 'a blank follows the dot'],
  ['dot-tab', '.\t', 'a tab follows the dot'],
  ['space-dot', ' .', 'the dot does not begin the line'],
  ['text-dot', 'The end.', 'the dot does not begin the line'],
  ['dot-dot-space', '.. ', 'a blank follows the dots'],
  ['empty-lines', '\r\n\r\n', 'empty lines are text'],
];

const lines: ConformanceCase[] = NO_END.map(([name, line, why]) => ({
  id: `transparency/${name}-is-no-end`,
  section: 'RFC 5321 §4.5.2',
  level: 'SECURITY',
  rationale: `The message does not end here: ${why}.`,
  needs: ['mail'],
  async run(target) {
    const dialogue = await inBody(target);
    dialogue.say(line);
    await dialogue.silence();
    dialogue.say('.');
    await dialogue.reply('250 or 4yz or 5yz');
    await nothingMore(dialogue);
  },
}));

/** Commands within a message are text (RFC 5321 §4.1.1.4). */
const commands: ConformanceCase[] = [
  'QUIT',
  'RSET',
  'NOOP',
  'EHLO probe.invalid',
  'STARTTLS',
  'MAIL FROM:<>',
  'DATA',
].map((line) => ({
  id: `transparency/${line.split(' ')[0]?.toLowerCase()}-in-a-message-is-text`,
  section: 'RFC 5321 §4.1.1.4',
  level: 'SECURITY',
  rationale: `${line.split(' ')[0]} within a message is text, and carries out nothing.`,
  needs: ['mail'],
  async run(target) {
    const dialogue = await inBody(target);
    dialogue.say(line);
    await dialogue.silence();
    dialogue.say('.');
    await dialogue.reply('250 or 4yz or 5yz');
    await nothingMore(dialogue);
  },
}));

/** The final sequence in two packets, cut at each place. */
const cuts: ConformanceCase[] = [1, 2, 3, 4].map((place) => {
  const end = '\r\n.\r\n';
  const named = ['after-the-cr', 'before-the-dot', 'after-the-dot', 'before-the-last-lf'][place - 1] ?? '';
  return {
    id: `transparency/end-cut-${named}`,
    section: 'RFC 5321 §4.1.1.4',
    level: 'MUST',
    rationale: 'The end is the same five octets, wherever a packet ends.',
    needs: ['mail'],
    async run(target) {
      const dialogue = await inBody(target);
      dialogue.send(`text${end.slice(0, place)}`);
      await dialogue.wait(BETWEEN_PACKETS);
      dialogue.send(end.slice(place));
      await dialogue.reply('250');
    },
  };
});

/** name, message without its end, what is odd about it */
const MESSAGES: readonly (readonly [string, (target: Target) => string | Uint8Array, string])[] = [
  [
    'header-only',
    (target) => testMessage(target).split('\r\n\r\n')[0]?.concat('\r\n') ?? '',
    'has a header section and no body',
  ],
  ['body-only', () => '\r\nThis is a test message of sansmtp probe.\r\n', 'has an empty header section'],
  ['no-header', () => 'This is a test message of sansmtp probe.\r\n', 'has no header section at all'],
  [
    'many-dots',
    (target) => testMessage(target, Array(50).fill('..').join('\r\n')),
    'has 50 lines of one dot',
  ],
  ['many-empty-lines', (target) => testMessage(target, '\r\n'.repeat(100)), 'ends in a hundred empty lines'],
  [
    'all-printable',
    (target) =>
      testMessage(target, String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index))),
    'has all characters of ASCII',
  ],
  ['tabs', (target) => testMessage(target, '\ttext\ttext\t'), 'has tabs'],
  [
    'trailing-blanks',
    (target) => testMessage(target, 'text   \r\nand more  '),
    'has blanks at the ends of lines',
  ],
  [
    'form-feeds',
    (target) => testMessage(target, 'one\fpage\vmore'),
    'has control characters that US-ASCII knows',
  ],
];

const messages: ConformanceCase[] = MESSAGES.map(([name, message, what]) => ({
  id: `transparency/message-${name}`,
  section: name === 'no-header' || name === 'body-only' ? 'RFC 5321 §3.3' : 'RFC 5321 §4.5.2',
  level: name === 'no-header' || name === 'body-only' ? 'INTEROP' : 'MUST',
  rationale: `A message that ${what} is accepted, which is all that can be seen from outside.`,
  needs: ['mail'],
  async run(target) {
    const dialogue = await target.receiving();
    const content = message(target);
    dialogue.send(typeof content === 'string' ? octets(content) : content);
    dialogue.say('.');
    await dialogue.reply('250');
    await goesOn(dialogue);
  },
}));

export const transparency: CaseGroup = {
  name: 'transparency',
  title: 'Transparency',
  introduction:
    'Only CRLF, a dot, CRLF ends a message; a dot before another line is dropped (RFC 5321 §4.5.2). What was stored cannot be seen from outside: these cases judge where the message ended, and whether it was accepted.',
  remedy:
    'Compare the five octets CRLF.CRLF and nothing else, over the borders of packets; drop the first of two dots, or any dot before text.',
  cases: [
    {
      id: 'transparency/empty-message',
      section: 'RFC 5321 §4.1.1.4',
      level: 'MUST',
      rationale: 'A dot right after DATA ends an empty message: the CRLF of DATA is the one before it.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.receiving();
        dialogue.say('.');
        await dialogue.reply('250 or 4yz or 5yz');
        await goesOn(dialogue);
      },
    },
    {
      id: 'transparency/two-dots-first',
      section: 'RFC 5321 §4.5.2',
      level: 'SECURITY',
      rationale: 'Two dots right after DATA are a line of one dot.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.receiving();
        dialogue.say('..');
        await dialogue.silence();
        dialogue.say('.');
        await dialogue.reply('250 or 4yz or 5yz');
        await nothingMore(dialogue);
      },
    },
    {
      id: 'transparency/message-octet-by-octet',
      section: 'RFC 5321 §4.1.1.4',
      level: 'MUST',
      rationale: 'A message is the same however few octets arrive at a time.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.receiving();
        for (const octet of `Subject: test\r\n\r\n..\r\n.\r\n`) {
          dialogue.send(octet);
          await dialogue.wait(1);
        }
        await dialogue.reply('250 or 4yz or 5yz');
        await goesOn(dialogue);
      },
    },
    {
      id: 'transparency/end-and-next-command',
      section: 'RFC 5321 §4.1.1.4',
      level: 'MUST',
      rationale: 'What follows the end in the same packet is the next command.',
      needs: ['mail', 'PIPELINING'],
      async run(target) {
        const dialogue = await target.receiving();
        dialogue.send(`${testMessage(target)}.\r\nNOOP\r\n`);
        await dialogue.reply('250 or 4yz or 5yz');
        await dialogue.reply('250');
      },
    },
    ...lines,
    ...commands,
    ...cuts,
    ...messages,
  ],
};
