/** MAIL, RCPT and DATA, each in its turn (RFC 5321 §3.3). */
import type { ConformanceCase } from '../../contract/case.js';
import { takesNoMessage } from './places.js';

export const transactions: readonly ConformanceCase[] = [
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
];
