/** What becomes of a message: judged where it can be seen what the server has stored. */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import type { StoredTestMessage, Target } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { CannotJudge, Deviation } from '../../dialogue/findings.js';
import { printable } from '../../dialogue/transcript.js';
import { octets } from '../judging.js';

/** Once the server has had the time to store what it was going to. */
async function storedBy(target: Target, dialogue: Dialogue): Promise<readonly StoredTestMessage[]> {
  dialogue.endSending();
  await dialogue.untilEnd();
  return target.received();
}

const EMPTY_LINE = '\r\n\r\n';

/** The lines of its header section, and its body with the empty line before it, each octet a character. */
function partsOf(message: Uint8Array): { readonly header: readonly string[]; readonly body: string } {
  const text = Buffer.from(message).toString('latin1');
  const end = text.indexOf(EMPTY_LINE);
  return end < 0
    ? { header: [], body: text }
    : { header: text.slice(0, end).split('\r\n'), body: text.slice(end) };
}

/** Servers put lines of their own before a message (RFC 5321 §4.4), and some add fields that it lacks (RFC 6409 §8). */
function compare(stored: readonly StoredTestMessage[], contents: readonly Uint8Array[]): void {
  if (stored.length !== contents.length) {
    throw new Deviation(`${contents.length} messages were to be stored; ${stored.length} were`);
  }
  for (const [index, content] of contents.entries()) {
    const sent = partsOf(content);
    const found = partsOf(stored[index]?.content ?? new Uint8Array());
    const lost = sent.header.find((line) => !found.header.includes(line));
    if (lost !== undefined) {
      throw new Deviation(`a line of the header section is not stored: ${printable(octets(lost))}`);
    }
    if (found.body !== sent.body) {
      throw new Deviation(
        `the body ends in ${printable(octets(found.body.slice(-120)))} and not ${printable(octets(sent.body.slice(-120)))}`,
      );
    }
  }
}

/** name, what is sent, what it stands for, why */
const CONTENTS: readonly (readonly [string, string, string, string])[] = [
  ['line-of-one-dot', '..\r\n', '.\r\n', 'A dot before a line is taken away, once'],
  ['line-of-two-dots', '...\r\n', '..\r\n', 'A dot before a line is taken away, once'],
  ['dot-and-text', '..text\r\n', '.text\r\n', 'A line that begins with a dot keeps it'],
  [
    'dot-that-nobody-doubled',
    '.text\r\n',
    'text\r\n',
    'The dot before a line is taken away, whatever follows',
  ],
  ['blanks-at-the-end-of-a-line', 'text  \r\n \r\n', 'text  \r\n \r\n', 'Blanks are part of a message'],
  ['tabs', 'a\tb\r\n\tc\r\n', 'a\tb\r\n\tc\r\n', 'TABs are part of a message'],
  ['empty-lines-at-the-end', 'text\r\n\r\n\r\n', 'text\r\n\r\n\r\n', 'Empty lines are part of a message'],
  [
    'line-of-1000-octets',
    `${'a'.repeat(998)}\r\n`,
    `${'a'.repeat(998)}\r\n`,
    'Lines of up to 1000 octets stay as they are',
  ],
  ['what-looks-like-commands', 'QUIT\r\nRSET\r\n', 'QUIT\r\nRSET\r\n', 'Commands within a message are text'],
];

const contents: ConformanceCase[] = CONTENTS.map(([name, sent, content, why]) => ({
  id: `stored/${name}`,
  section: 'RFC 5321 §4.5.2',
  level: 'MUST',
  rationale: `${why}, and is stored so.`,
  needs: ['mail', 'stored messages'],
  async run(target) {
    await target.received();
    const dialogue = await target.receiving();
    dialogue.send(`${testMessage(target)}${sent}.\r\n`);
    await dialogue.needReply('250');
    compare(await storedBy(target, dialogue), [octets(testMessage(target) + content)]);
  },
}));

/** BDAT with its octets; a prerequisite. */
async function chunk(dialogue: Dialogue, text: string, last = ''): Promise<void> {
  dialogue.send(`BDAT ${text.length}${last}\r\n${text}`);
  await dialogue.needReply('250');
}

const others: ConformanceCase[] = [
  {
    id: 'stored/first-line-with-a-dot',
    section: 'RFC 5321 §4.5.2',
    level: 'MUST',
    rationale: 'The first line of a message is made transparent like any other.',
    needs: ['mail', 'stored messages'],
    async run(target) {
      await target.received();
      const dialogue = await target.receiving();
      // The name of a field may begin with a dot (RFC 5322 §3.6.8).
      dialogue.send(`..Probe: dot\r\n${testMessage(target)}.\r\n`);
      await dialogue.needReply('250');
      compare(await storedBy(target, dialogue), [octets(`.Probe: dot\r\n${testMessage(target)}`)]);
    },
  },
  {
    id: 'stored/eighth-bit',
    section: 'RFC 6152 §3',
    level: 'MUST',
    rationale: 'Octets beyond ASCII are stored as they are where BODY=8BITMIME was accepted.',
    needs: ['mail', '8BITMIME', 'stored messages'],
    async run(target) {
      await target.received();
      const dialogue = await target.mailed('BODY=8BITMIME');
      await dialogue.need(target.rcpt(), '250 or 251');
      await dialogue.need('DATA', '354');
      const message = octets(`${testMessage(target)}caf\xe9 \xc3\xa9\r\n`);
      dialogue.send(Buffer.concat([message, octets('.\r\n')]));
      await dialogue.needReply('250');
      compare(await storedBy(target, dialogue), [message]);
    },
  },
  {
    id: 'stored/each-message-once',
    section: 'RFC 5321 §4.2.5',
    level: 'MUST',
    rationale:
      'What was answered by 250 is stored, and stored once, the second message of a session as well.',
    needs: ['mail', 'stored messages'],
    async run(target) {
      await target.received();
      const dialogue = await target.receiving();
      dialogue.send(`${testMessage(target, 'The first.')}.\r\n`);
      await dialogue.needReply('250');
      await dialogue.need(target.mail(), '250');
      await dialogue.need(target.rcpt(), '250 or 251');
      await dialogue.need('DATA', '354');
      dialogue.send(`${testMessage(target, 'The second.')}.\r\n`);
      await dialogue.needReply('250');
      const both = ['The first.', 'The second.'].map((text) => octets(testMessage(target, text)));
      compare(await storedBy(target, dialogue), both);
    },
  },
  {
    id: 'stored/for-whom-it-was',
    section: 'RFC 5321 §2.4',
    level: 'MUST',
    rationale: 'A message is stored for the mailbox that was given, its local-part to the letter.',
    needs: ['mail', 'stored messages'],
    async run(target) {
      await target.received();
      const dialogue = await target.receiving();
      dialogue.send(`${testMessage(target)}.\r\n`);
      await dialogue.needReply('250');
      await judgeRecipients(target, dialogue, [target.to]);
    },
  },
  {
    id: 'stored/not-for-whom-rset-has-dropped',
    section: 'RFC 5321 §4.1.1.5',
    level: 'SECURITY',
    rationale: 'A recipient of before RSET gets nothing of what comes after it.',
    needs: ['mail', 'stored messages'],
    async run(target) {
      await target.received();
      const dialogue = await target.addressed();
      await dialogue.need('RSET', '250');
      for (const line of [target.mail(), target.rcpt()]) await dialogue.need(line, '250 or 251');
      await dialogue.need('DATA', '354');
      dialogue.send(`${testMessage(target)}.\r\n`);
      await dialogue.needReply('250');
      await judgeRecipients(target, dialogue, [target.to]);
    },
  },
  {
    id: 'stored/not-for-whom-was-refused',
    section: 'RFC 5321 §3.3',
    level: 'MUST',
    rationale: 'A recipient who was refused gets nothing.',
    needs: ['mail', 'stored messages'],
    async run(target) {
      await target.received();
      const dialogue = await target.mailed();
      await dialogue.need(`RCPT TO:<nobody@${target.to.split('@').at(-1)}>`, '5yz');
      await dialogue.need(target.rcpt(), '250 or 251');
      await dialogue.need('DATA', '354');
      dialogue.send(`${testMessage(target)}.\r\n`);
      await dialogue.needReply('250');
      await judgeRecipients(target, dialogue, [target.to]);
    },
  },
  ...[['bare-lf', 'a\nb', 'bare LF'] as const, ['nul', 'a\0b', 'NUL'] as const].map(
    ([name, text, word]): ConformanceCase => ({
      id: `stored/${name}-as-it-is-or-not-at-all`,
      section: 'RFC 5321 §2.3.8',
      level: 'INTEROP',
      rationale: `A message with a ${word} is refused, or stored as it is: mended, it is no longer what was signed.`,
      needs: ['mail', 'stored messages'],
      async run(target) {
        await target.received();
        const dialogue = await target.receiving();
        const message = testMessage(target, text);
        dialogue.send(`${message}.\r\n`);
        const { code } = await dialogue.reply('250 or 4yz or 5yz');
        compare(await storedBy(target, dialogue), code === 250 ? [octets(message)] : []);
      },
    }),
  ),
  {
    id: 'stored/nothing-without-the-final-dot',
    section: 'RFC 5321 §4.1.1.4',
    level: 'MUST',
    rationale: 'A message whose final dot never came is no message.',
    needs: ['mail', 'stored messages'],
    async run(target) {
      await target.received();
      const dialogue = await target.receiving();
      dialogue.send(testMessage(target));
      compare(await storedBy(target, dialogue), []);
    },
  },
  {
    id: 'stored/nothing-without-the-last-chunk',
    section: 'RFC 3030 §2',
    level: 'MUST',
    rationale: 'A message whose last chunk never came is no message, at QUIT either.',
    needs: ['mail', 'CHUNKING', 'stored messages'],
    async run(target) {
      await target.received();
      const dialogue = await target.addressed();
      await chunk(dialogue, testMessage(target));
      await dialogue.need('QUIT', '221');
      compare(await storedBy(target, dialogue), []);
    },
  },
  {
    id: 'stored/chunks-as-they-are',
    section: 'RFC 3030 §2',
    level: 'MUST',
    rationale: 'Chunks are put together in their order, and their dots and line ends mean nothing.',
    needs: ['mail', 'CHUNKING', 'stored messages'],
    async run(target) {
      await target.received();
      const dialogue = await target.addressed();
      const parts = [testMessage(target), '..\r\n.text\r\n.\r\n', 'The end.\r\n'] as const;
      await chunk(dialogue, parts[0]);
      await chunk(dialogue, parts[1]);
      await chunk(dialogue, parts[2], ' LAST');
      compare(await storedBy(target, dialogue), [octets(parts.join(''))]);
    },
  },
  {
    id: 'stored/chunks-of-before-rset-dropped',
    section: 'RFC 3030 §2, RFC 5321 §4.1.1.5',
    level: 'SECURITY',
    rationale: 'Chunks of before RSET are no part of the next message.',
    needs: ['mail', 'CHUNKING', 'stored messages'],
    async run(target) {
      await target.received();
      const dialogue = await target.addressed();
      await chunk(dialogue, testMessage(target, 'Not this.'));
      await dialogue.need('RSET', '250');
      await dialogue.need(target.mail(), '250');
      await dialogue.ask(target.rcpt(), '250 or 251');
      await chunk(dialogue, testMessage(target), ' LAST');
      const stored = await storedBy(target, dialogue);
      compare(stored, [octets(testMessage(target))]);
      if (stored.some(({ content }) => Buffer.from(content).includes('Not this.'))) {
        throw new Deviation('the message holds a chunk of before RSET');
      }
    },
  },
];

/** Each recipient that was accepted gets the message: by sub-addresses, so that they differ (RFC 5233). */
const eachRecipient = (count: number): ConformanceCase => ({
  id: `stored/for-each-of-${count}-recipients`,
  section: 'RFC 5321 §4.5.3.1.10',
  level: 'MUST',
  rationale: `A message is stored for each of ${count} recipients, as far as they were accepted.`,
  needs: ['mail', 'stored messages'],
  async run(target) {
    await target.received();
    const dialogue = await target.mailed();
    const [name, domain] = [target.to.split('@')[0], target.to.split('@').at(-1)];
    const accepted: string[] = [];
    for (let number = 1; number <= count; number++) {
      const recipient = `${name}+${number}@${domain}`;
      const { code } = await dialogue.ask(`RCPT TO:<${recipient}>`, 'any');
      if (code === 250 || code === 251) accepted.push(recipient);
    }
    if (accepted.length < 2) throw new CannotJudge('the server knows no sub-addresses of the recipient');
    await dialogue.need('DATA', '354');
    dialogue.send(`${testMessage(target)}.\r\n`);
    for (let replies = target.protocol === 'lmtp' ? accepted.length : 1; replies > 0; replies--) {
      await dialogue.needReply('250');
    }
    await judgeRecipients(target, dialogue, accepted);
  },
});

async function judgeRecipients(
  target: Target,
  dialogue: Dialogue,
  expected: readonly string[],
): Promise<void> {
  for (const { recipients = expected } of await storedBy(target, dialogue)) {
    if (recipients.join(', ') === expected.join(', ')) continue;
    throw new Deviation(
      `the message was stored for ${recipients.join(', ') || 'nobody'} and not ${expected.join(', ')}`,
    );
  }
}

export const stored: CaseGroup = {
  name: 'stored',
  title: 'What is stored',
  introduction:
    'What becomes of a message, to the octet. These cases need a test that can see what the server stores: `received`.',
  remedy: 'Undo transparency and nothing else: a dot before a line goes, and every other octet stays.',
  cases: [...contents, ...others, ...[2, 105].map(eachRecipient)],
};
