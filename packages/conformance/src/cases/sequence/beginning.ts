/** The greeting, EHLO and HELO, and what comes before them (RFC 5321 §3.1, §3.2, §4.1.4). */
import type { ConformanceCase } from '../../contract/case.js';
import { Deviation } from '../../dialogue/findings.js';
import { shown } from '../../dialogue/seen-reply.js';
import { refuses } from '../judging.js';
import { at } from './places.js';

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

export const beginning: readonly ConformanceCase[] = [
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
    rationale: 'A session with mail begins with EHLO; a client that sends MAIL without it has lost its way.',
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
];
