/** More than a client has any use for: the server stays within its bounds, and serves the others. */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import type { Target } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { Deviation } from '../../dialogue/findings.js';
import { filled } from '../judging.js';

const ONE_MEBIOCTET = 1_048_576;

/** The next client is greeted. */
async function servesOthers(target: Target): Promise<void> {
  await (await target.connect()).reply('220');
}

/**
 * Sends the same lines many times, and judges that each is answered, up to the end that the server may make of it: after
 * 421, or after it has refused (RFC 5321 §7.8).
 */
async function repeats(dialogue: Dialogue, lines: readonly string[], times: number): Promise<void> {
  dialogue.send(`${lines.join('\r\n')}\r\n`.repeat(times));
  let last = 0;
  for (let each = 0; each < times * lines.length; each++) {
    try {
      last = (await dialogue.reply('any')).code;
    } catch (error) {
      if (error instanceof Deviation && dialogue.isEnded && last >= 400) return;
      throw error;
    }
    if (last === 421) return;
  }
}

const repeated: ConformanceCase[] = (
  [
    ['noop', 'NOOP', 500],
    ['rset', 'RSET', 500],
    ['vrfy', 'VRFY postmaster', 200],
    ['unknown', 'XPROBE', 200],
    ['empty-lines', '', 200],
    ['help', 'HELP', 200],
    ['ehlo', 'EHLO probe.invalid', 200],
  ] as const
).map(([name, line, times]) => ({
  id: `floods/${name}`,
  section: 'RFC 5321 §7.8',
  level: 'SECURITY',
  rationale: `${times} of the same are answered one by one, or ended by 421 or after a refusal; others are served meanwhile.`,
  async run(target) {
    const dialogue = await target.hello();
    await repeats(dialogue, [target.protocol === 'lmtp' ? line.replace('EHLO', 'LHLO') : line], times);
    await servesOthers(target);
  },
}));

/** One line that does not end. */
const endless: ConformanceCase[] = (
  [
    ['command', 'hello', 'NOOP ', 'A command line'],
    ['ehlo', 'greeted', 'EHLO ', 'The line of EHLO'],
    ['nothing-but-nul', 'hello', '\0', 'A line of NUL'],
    ['mail', 'ready', 'MAIL FROM:<', 'The line of MAIL'],
  ] as readonly [string, 'hello' | 'greeted' | 'ready', string, string][]
).map(([name, place, beginning, what]) => ({
  id: `floods/endless-${name}`,
  section: 'RFC 5321 §7.8',
  level: 'SECURITY',
  rationale: `${what} of a mebioctet is not kept: it is refused, or the connection is ended.`,
  async run(target) {
    const dialogue = await target[place]();
    dialogue.send(`${beginning}${filled(ONE_MEBIOCTET, beginning === '\0' ? '\0' : 'a')}\r\n`);
    if (!dialogue.isEnded) {
      const replies = await dialogue.rest();
      if (replies.some(({ code }) => code < 400)) throw new Deviation('a line of a mebioctet was accepted');
    }
    await servesOthers(target);
  },
}));

export const floods: CaseGroup = {
  name: 'floods',
  title: 'Floods',
  introduction: 'More than a client has any use for, within the bounds of politeness (RFC 5321 §7.8).',
  remedy: 'Bound each buffer and each count; answer beyond them by 421 or 500, and end the connection.',
  cases: [
    ...repeated,
    ...endless,
    {
      id: 'floods/many-transactions-given-up',
      section: 'RFC 5321 §7.8',
      level: 'SECURITY',
      rationale:
        'A hundred transactions that are begun and given up leave nothing, or are ended by 421 or after a refusal.',
      needs: ['mail', 'PIPELINING'],
      async run(target) {
        const dialogue = await target.ready();
        await repeats(dialogue, [target.mail(), target.rcpt(), 'RSET'], 100);
        await servesOthers(target);
      },
    },
    {
      id: 'floods/idle-connections',
      section: 'RFC 5321 §7.8',
      level: 'SECURITY',
      rationale: 'Four clients that say nothing keep nobody from being greeted.',
      async run(target) {
        for (let each = 0; each < 4; each++) await target.connect();
        await servesOthers(target);
      },
    },
    {
      id: 'floods/silent-reader',
      section: 'RFC 5321 §7.8',
      level: 'INTEROP',
      rationale:
        'A server that greets without delay reads EHLO that came before its greeting, or refuses it; it does not hang.',
      async run(target) {
        const dialogue = await target.connect();
        dialogue.send(`${target.helloLine}\r\n`);
        await dialogue.reply('220 or 421 or 5yz');
      },
    },
  ],
};
