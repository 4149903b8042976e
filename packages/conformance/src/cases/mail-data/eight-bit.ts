/** 8-bit MIME transport (RFC 6152). */
import { concatenate } from '@sansmtp/core';
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import { CannotJudge, Deviation } from '../../dialogue/findings.js';
import { octets, refuses, understands } from '../judging.js';

const NEEDS = ['8BITMIME', 'mail'] as const;

/** name, text of the message, what it has */
const MESSAGES: readonly (readonly [string, string, string])[] = [
  ['utf-8', 'Gr\xc3\xbc\xc3\x9fe', 'UTF-8 in its body'],
  ['latin-1', 'Gr\xfc\xdfe', 'octets that are no UTF-8'],
  [
    'all-octets',
    String.fromCharCode(...Array.from({ length: 128 }, (_, index) => 128 + index)),
    'every octet from 128 to 255',
  ],
  ['long-line', '\xfc'.repeat(998), 'a line of 998 octets of 8 bits'],
  ['dots', '..\xfc\r\n\xfc.\r\n..', 'dots beside octets of 8 bits'],
];

const messages: ConformanceCase[] = MESSAGES.map(([name, text, what]) => ({
  id: `eight-bit/message-${name}`,
  section: 'RFC 6152 §3',
  level: 'MUST',
  rationale: `With BODY=8BITMIME a message with ${what} is accepted; that it is unchanged cannot be seen from outside.`,
  needs: NEEDS,
  async run(target) {
    const dialogue = await target.ready();
    await dialogue.need(target.mail('BODY=8BITMIME'));
    await dialogue.need(target.rcpt());
    await dialogue.need('DATA', '354');
    const mime =
      'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n';
    dialogue.send(concatenate([octets(mime + testMessage(target, text)), octets('.\r\n')]));
    await dialogue.reply('250');
  },
}));

export const eightBit: CaseGroup = {
  name: 'eight-bit',
  title: '8BITMIME',
  introduction: 'Messages with octets beyond US-ASCII (RFC 6152).',
  remedy:
    'Take BODY=7BIT and BODY=8BITMIME in any case, refuse other values, and pass octets of 8 bits on as they are.',
  cases: [
    {
      id: 'eight-bit/keyword',
      section: 'RFC 6152 §2',
      level: 'MUST',
      rationale: 'The EHLO keyword 8BITMIME has no parameter.',
      needs: ['8BITMIME'],
      async run(target) {
        const parameters = (await target.hello()).offers.get('8BITMIME');
        if (parameters === undefined) throw new CannotJudge('8BITMIME is offered under TLS only');
        if (parameters !== '') throw new Deviation(`it has ${parameters}`);
      },
    },
    ...(
      [
        ['7bit', 'BODY=7BIT', 'the value 7BIT'],
        ['8bitmime', 'BODY=8BITMIME', 'the value 8BITMIME'],
        ['lower-case-value', 'BODY=8bitmime', 'its value in lower case'],
        ['lower-case-keyword', 'body=8BITMIME', 'its keyword in lower case'],
      ] as const
    ).map(
      ([name, parameter, what]): ConformanceCase => ({
        id: `eight-bit/valid-${name}`,
        section: 'RFC 6152 §2',
        level: 'MUST',
        rationale: `MAIL takes BODY with ${what}.`,
        needs: NEEDS,
        run: async (target) => understands(await target.ready(), target.mail(parameter)),
      }),
    ),
    ...(
      [
        ['without-value', 'BODY', 'has no value'],
        ['empty', 'BODY=', 'has an empty value'],
        ['unknown-value', 'BODY=XPROBE', 'has a value that nobody defined'],
        ['twice', 'BODY=7BIT BODY=8BITMIME', 'stands twice'],
      ] as const
    ).map(
      ([name, parameter, why]): ConformanceCase => ({
        id: `eight-bit/invalid-${name}`,
        section: 'RFC 6152 §2',
        level: 'INTEROP',
        rationale: `MAIL is refused where BODY ${why}.`,
        needs: NEEDS,
        run: async (target) => refuses(await target.ready(), target.mail(parameter)),
      }),
    ),
    {
      id: 'eight-bit/on-rcpt',
      section: 'RFC 6152 §2',
      level: 'INTEROP',
      rationale: 'BODY is a parameter of MAIL; RCPT refuses it.',
      needs: NEEDS,
      run: async (target) => refuses(await target.mailed(), target.rcpt('BODY=8BITMIME')),
    },
    ...(
      [
        ['size-first', 'SIZE=1000 BODY=8BITMIME'],
        ['body-first', 'BODY=8BITMIME SIZE=1000'],
      ] as const
    ).map(
      ([name, parameters]): ConformanceCase => ({
        id: `eight-bit/with-size-${name}`,
        section: 'RFC 5321 §4.1.1.11',
        level: 'MUST',
        rationale: 'Parameters may stand in any order.',
        needs: ['SIZE', ...NEEDS],
        run: async (target) => understands(await target.ready(), target.mail(parameters)),
      }),
    ),
    ...messages,
  ],
};
