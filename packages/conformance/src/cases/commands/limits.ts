/** Sizes that a server has to take, and what it says beyond its own (RFC 5321 §4.5.3.1). */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import type { Target } from '../../contract/target.js';
import { CannotJudge, Deviation } from '../../dialogue/findings.js';
import { announcesLimit, type SeenReply, shown } from '../../dialogue/seen-reply.js';
import { filled, goesOn, nothingMore, understands } from '../judging.js';

const CRLF_OCTETS = 2;

/** A NOOP of so many octets, CRLF included. */
const noop = (octets: number): string => `NOOP ${filled(octets - 'NOOP '.length - CRLF_OCTETS)}`;

/** A mailbox of so many octets, within labels of 63. */
function mailboxOf(octets: number, localPart: string): string {
  const domain = filled(octets - localPart.length - '@'.length, `${filled(60, 'd')}.`);
  return `${localPart}@${domain.endsWith('.') ? `${domain.slice(0, -1)}d` : domain}`;
}

/** Sends a message with this text; judged by whether it is accepted: its content cannot be seen from outside. */
async function takesMessage(target: Target, text: string): Promise<void> {
  const dialogue = await target.receiving();
  dialogue.send(`${testMessage(target, text)}.\r\n`);
  await dialogue.reply('250');
  await goesOn(dialogue);
}

const commandLines: ConformanceCase[] = [
  ...[511, 512].map(
    (octets): ConformanceCase => ({
      id: `limits/command-line-of-${octets}-octets`,
      section: 'RFC 5321 §4.5.3.1.4',
      level: 'MUST',
      rationale: `A command line may have 512 octets with its CRLF; this one has ${octets}.`,
      run: async (target) => void (await (await target.hello()).ask(noop(octets), '250')),
    }),
  ),
  ...[513, 1024, 4096, 16_384].map(
    (octets): ConformanceCase => ({
      id: `limits/command-line-of-${octets}-octets`,
      section: 'RFC 5321 §4.5.3.1.9',
      level: 'MUST',
      rationale: `A command line of ${octets} octets gets one reply, 250 or 500, and not one for each part of it.`,
      async run(target) {
        const dialogue = await target.hello();
        const { code } = await dialogue.ask(noop(octets), '250 or 421 or 5yz');
        if (code === 421) return;
        await nothingMore(dialogue);
      },
    }),
  ),
  {
    id: 'limits/command-after-a-long-line',
    section: 'RFC 5321 §4.5.3.1.9',
    level: 'SECURITY',
    rationale: 'The tail of a line that is too long is no command of its own.',
    needs: ['PIPELINING'],
    async run(target) {
      const dialogue = await target.hello();
      dialogue.send(`NOOP ${filled(8192)}\r\nRSET\r\n`);
      const { code } = await dialogue.reply('250 or 421 or 5yz');
      if (code === 421) return;
      const next = await dialogue.reply('250 or 421').catch((error: unknown) => {
        // Whoever ends the connection takes nothing of the tail.
        if (dialogue.isEnded && code >= 500) return undefined;
        throw error;
      });
      if (next?.code === 250) await nothingMore(dialogue);
    },
  },
  {
    id: 'limits/quit-hidden-in-a-long-line',
    section: 'RFC 5321 §4.5.3.1.9',
    level: 'SECURITY',
    rationale:
      'A command at the place where a buffer of 512, 1024 or 2048 octets ends is part of the long line.',
    async run(target) {
      const dialogue = await target.hello();
      const hidden = [512, 1024, 2048].reduce(
        (line, size) => `${line}${filled(size - line.length, 'x')}QUIT`,
        'NOOP ',
      );
      dialogue.say(hidden);
      await dialogue.reply('250 or 421 or 500 or 5yz');
      const rest = await dialogue.rest();
      if (rest.some(({ code }) => code === 221))
        throw new Deviation('a part of the line was carried out as QUIT');
    },
  },
];

const paths: ConformanceCase[] = [
  {
    id: 'limits/local-part-of-64-octets',
    section: 'RFC 5321 §4.5.3.1.1',
    level: 'MUST',
    rationale: 'A local-part may have 64 octets.',
    needs: ['mail'],
    run: async (target) => understands(await target.ready(), `MAIL FROM:<${filled(64)}@probe.invalid>`),
  },
  {
    id: 'limits/quoted-local-part-of-64-octets',
    section: 'RFC 5321 §4.5.3.1.1',
    level: 'MUST',
    rationale: 'A local-part in quotes may have 64 octets.',
    needs: ['mail'],
    run: async (target) => understands(await target.ready(), `MAIL FROM:<"${filled(62)}"@probe.invalid>`),
  },
  {
    id: 'limits/path-of-255-octets',
    section: 'RFC 5321 §4.5.3.1.3',
    level: 'MUST',
    rationale: 'A path may have 256 octets with its brackets; this one has 255.',
    needs: ['mail'],
    run: async (target) => understands(await target.ready(), `MAIL FROM:<${mailboxOf(253, 'ann')}>`),
  },
  {
    id: 'limits/path-of-256-octets',
    section: 'RFC 5321 §4.5.3.1.3',
    level: 'MUST',
    rationale: 'A path may have 256 octets with its brackets.',
    needs: ['mail'],
    run: async (target) => understands(await target.ready(), `MAIL FROM:<${mailboxOf(254, filled(64))}>`),
  },
  {
    id: 'limits/domain-of-250-octets',
    section: 'RFC 5321 §4.5.3.1.2',
    level: 'MUST',
    rationale: 'A domain may have as many octets as the path leaves it.',
    needs: ['mail'],
    run: async (target) => understands(await target.ready(), `MAIL FROM:<${mailboxOf(254, 'a')}>`),
  },
  {
    id: 'limits/ehlo-domain-of-250-octets',
    section: 'RFC 5321 §4.5.3.1.2',
    level: 'MUST',
    rationale: 'The domain in EHLO may have 255 octets; this one has 250.',
    run: async (target) =>
      understands(await target.greeted(), `${target.helloLine.slice(0, 5)}${mailboxOf(252, 'a').slice(2)}`),
  },
  ...[300, 480].map(
    (octets): ConformanceCase => ({
      id: `limits/path-of-${octets}-octets-ends-in-a-reply`,
      section: 'RFC 5321 §4.5.3.1.3',
      level: 'INTEROP',
      rationale: `A path of ${octets} octets is taken or refused, and the session goes on.`,
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.ready();
        await dialogue.ask(`MAIL FROM:<${filled(octets - 14 - 2)}@probe.invalid>`, '250 or 5yz');
        await goesOn(dialogue);
      },
    }),
  ),
];

/** RCPT so many times, in groups where the server takes them. */
async function addressMany(target: Target, count: number) {
  const dialogue = await target.mailed();
  const atOnce = dialogue.offers.has('PIPELINING') ? 100 : 1;
  const replies: SeenReply[] = [];
  while (replies.length < count) {
    const group = Math.min(atOnce, count - replies.length);
    dialogue.send(`${target.rcpt()}\r\n`.repeat(group));
    for (let each = 0; each < group; each++) replies.push(await dialogue.reply('any'));
  }
  return { dialogue, replies };
}

const recipients: ConformanceCase[] = [
  {
    id: 'limits/100-recipients',
    section: 'RFC 5321 §4.5.3.1.8',
    level: 'MUST',
    rationale: 'A transaction may have 100 recipients: refusing fewer for their number is a violation.',
    needs: ['mail'],
    async run(target) {
      const { dialogue, replies } = await addressMany(target, 100);
      const refused = replies.findIndex(({ code }) => code >= 300);
      const reply = replies[refused];
      if (reply === undefined) return void (await dialogue.ask('DATA', '354'));
      if (announcesLimit(reply)) throw new CannotJudge(`the server announced a limit: ${shown(reply)}`);
      throw new Deviation(`recipient ${refused + 1} was refused: ${shown(reply)}`);
    },
  },
  {
    id: 'limits/message-to-100-recipients',
    section: 'RFC 5321 §4.5.3.1.8',
    level: 'MUST',
    rationale: 'A message to 100 recipients is accepted.',
    needs: ['mail', 'smtp'],
    async run(target) {
      const { dialogue, replies } = await addressMany(target, 100);
      if (replies.some(({ code }) => code >= 300)) throw new CannotJudge('100 recipients were not taken');
      await dialogue.need('DATA', '354');
      dialogue.send(`${testMessage(target)}.\r\n`);
      await dialogue.reply('250');
    },
  },
  {
    id: 'limits/too-many-recipients',
    section: 'RFC 5321 §4.5.3.1.10',
    level: 'SHOULD',
    rationale:
      'Beyond its limit a server says 452: the client then sends to the others in another transaction.',
    needs: ['mail'],
    async run(target) {
      const { replies } = await addressMany(target, 1100);
      const refusal = replies.find(({ code }) => code >= 300);
      if (refusal === undefined) throw new CannotJudge('the server took 1100 recipients');
      if (refusal.code === 452) return;
      if (announcesLimit(refusal)) throw new CannotJudge(`the server announced a limit: ${shown(refusal)}`);
      throw new Deviation(`452 was due; it said ${shown(refusal)}`);
    },
  },
  {
    id: 'limits/too-many-recipients-keep-the-others',
    section: 'RFC 5321 §4.5.3.1.10',
    level: 'MUST',
    rationale: 'A recipient beyond the limit does not cost those before it: DATA is still accepted.',
    needs: ['mail'],
    async run(target) {
      const { dialogue, replies } = await addressMany(target, 1100);
      if (replies.every(({ code }) => code < 300)) throw new CannotJudge('the server took 1100 recipients');
      if (replies.some((reply) => announcesLimit(reply)))
        throw new CannotJudge('the server announced a limit');
      await dialogue.ask('DATA', '354');
    },
  },
];

const textLines: ConformanceCase[] = [
  ...[999, 1000].map(
    (octets): ConformanceCase => ({
      id: `limits/text-line-of-${octets}-octets`,
      section: 'RFC 5321 §4.5.3.1.6',
      level: 'MUST',
      rationale: `A text line may have 1000 octets with its CRLF; this one has ${octets}.`,
      needs: ['mail'],
      run: async (target) => takesMessage(target, filled(octets - CRLF_OCTETS)),
    }),
  ),
  {
    id: 'limits/text-line-of-1000-octets-and-a-dot',
    section: 'RFC 5321 §4.5.3.1.6',
    level: 'MUST',
    rationale: 'The dot that is put before a line for transparency does not count: 1001 octets may come.',
    needs: ['mail'],
    run: async (target) => takesMessage(target, `..${filled(1000 - CRLF_OCTETS - 1)}`),
  },
  ...[1001, 2049, 10_000, 100_000].map(
    (octets): ConformanceCase => ({
      id: `limits/text-line-of-${octets}-octets`,
      section: 'RFC 5321 §4.5.3.1.6',
      level: 'INTEROP',
      rationale: `A text line of ${octets} octets gets one reply at the end of the message; mail in HTML has such lines.`,
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.receiving();
        dialogue.send(`${testMessage(target, filled(octets - CRLF_OCTETS))}.\r\n`);
        await dialogue.reply('250 or 5yz');
        await goesOn(dialogue);
      },
    }),
  ),
  {
    id: 'limits/message-of-64-kibioctets',
    section: 'RFC 5321 §4.5.3.1.7',
    level: 'MUST',
    rationale: 'A message may have 64 KiB at least.',
    needs: ['mail'],
    run: async (target) => takesMessage(target, filled(64_800, `${filled(70)}\r\n`).replace(/\r?\n?$/, '')),
  },
  {
    id: 'limits/line-of-header-fields-of-998-octets',
    section: 'RFC 5322 §2.1.1',
    level: 'MUST',
    rationale: 'A line of the header section may have 998 octets before its CRLF, like any other.',
    needs: ['mail'],
    async run(target) {
      const dialogue = await target.receiving();
      dialogue.send(`X-Probe: ${filled(998 - 'X-Probe: '.length)}\r\n${testMessage(target)}.\r\n`);
      await dialogue.reply('250');
    },
  },
  ...[50, 100].map(
    (count): ConformanceCase => ({
      id: `limits/message-with-${count}-received-fields`,
      section: 'RFC 5321 §6.3',
      level: 'SHOULD',
      rationale: `A threshold against loops is 100 Received fields or more; this message has ${count === 100 ? 99 : count}.`,
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.receiving();
        const field = 'Received: from a.invalid by b.invalid; Thu, 01 Jan 2026 00:00:00 +0000\r\n';
        dialogue.send(`${field.repeat(count === 100 ? 99 : count)}${testMessage(target)}.\r\n`);
        await dialogue.reply('250');
      },
    }),
  ),
];

export const limits: CaseGroup = {
  name: 'limits',
  title: 'Limits',
  introduction: 'What every server has to take, and what it says beyond its own limits (RFC 5321 §4.5.3.1).',
  remedy:
    'Let the limits of RFC 5321 §4.5.3.1 be the least that is taken; refuse beyond your own by the code for it, once for each line.',
  cases: [...commandLines, ...paths, ...recipients, ...textLines],
};
