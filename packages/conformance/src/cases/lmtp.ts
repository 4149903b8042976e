/** LMTP (RFC 2033): LHLO, and a reply for each recipient. */
import type { CaseGroup } from '../contract/case.js';
import { testMessage } from '../contract/message.js';
import type { Target } from '../contract/target.js';
import { nothingMore } from './judging.js';

const nobody = (target: Target): string => `RCPT TO:<nobody@${target.to.split('@').at(-1)}>`;

export const lmtp: CaseGroup = {
  name: 'lmtp',
  title: 'LMTP',
  introduction: 'What LMTP has otherwise than SMTP (RFC 2033): LHLO, and a verdict on each recipient.',
  remedy: 'Answer the end of a message once for each recipient that was accepted, in their order.',
  cases: [
    ...(['EHLO', 'HELO'] as const).map((verb) => ({
      id: `lmtp/${verb.toLowerCase()}-refused`,
      section: 'RFC 2033 §4.1',
      level: 'MUST' as const,
      rationale: `${verb} is no command of LMTP.`,
      needs: ['lmtp'] as const,
      run: async (target: Target) =>
        void (await (await target.greeted()).ask(`${verb} probe.invalid`, '5yz')),
    })),
    {
      id: 'lmtp/reply-for-each-recipient',
      section: 'RFC 2033 §4.2',
      level: 'MUST',
      rationale: 'A message to three recipients gets three replies.',
      needs: ['lmtp', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        for (let count = 0; count < 2; count++) await dialogue.need(target.rcpt(), '250 or 251');
        await dialogue.need('DATA', '354');
        dialogue.send(`${testMessage(target)}.\r\n`);
        for (let count = 0; count < 3; count++) await dialogue.reply('250 or 4yz or 5yz');
        await nothingMore(dialogue);
      },
    },
    {
      id: 'lmtp/no-reply-for-the-refused',
      section: 'RFC 2033 §4.2',
      level: 'MUST',
      rationale: 'A recipient who was refused has no reply to the message.',
      needs: ['lmtp', 'mail'],
      async run(target) {
        const dialogue = await target.addressed();
        await dialogue.need(nobody(target), '5yz');
        await dialogue.need('DATA', '354');
        dialogue.send(`${testMessage(target)}.\r\n`);
        await dialogue.reply('250 or 4yz or 5yz');
        await nothingMore(dialogue);
      },
    },
    {
      id: 'lmtp/data-without-a-recipient',
      section: 'RFC 2033 §4.2',
      level: 'MUST',
      rationale: 'Where every recipient was refused, DATA gets 503 and never 354.',
      needs: ['lmtp', 'mail'],
      async run(target) {
        const dialogue = await target.mailed();
        await dialogue.need(nobody(target), '5yz');
        await dialogue.ask('DATA', '503');
      },
    },
    {
      id: 'lmtp/reply-for-each-recipient-by-bdat',
      section: 'RFC 2033 §4.2',
      level: 'MUST',
      rationale: 'The last chunk of a message gets a reply for each recipient.',
      needs: ['lmtp', 'mail', 'CHUNKING'],
      async run(target) {
        const dialogue = await target.addressed();
        await dialogue.need(target.rcpt(), '250 or 251');
        const message = testMessage(target);
        dialogue.send(`BDAT ${message.length} LAST\r\n${message}`);
        for (let count = 0; count < 2; count++) await dialogue.reply('250 or 4yz or 5yz');
        await nothingMore(dialogue);
      },
    },
  ],
};
