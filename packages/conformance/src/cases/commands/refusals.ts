/** What a refusal leaves of the session: what was there before, and nothing of what was refused. */
import type { CaseGroup } from '../../contract/case.js';
import { testMessage } from '../../contract/message.js';
import { Deviation } from '../../dialogue/findings.js';
import { refuses } from '../judging.js';

/** Errors in a row that no client at work makes. */
const MANY_ERRORS = 60;

export const refusals: CaseGroup = {
  name: 'refusals',
  title: 'What a refusal leaves',
  introduction:
    'A refused command changes nothing; a refused message ends its transaction; a server that has enough says 421.',
  remedy:
    'Judge the whole command before you change the state of the session, and say 421 before you close it.',
  cases: [
    {
      id: 'refusals/ehlo-keeps-the-transaction',
      section: 'RFC 5321 §4.1.4',
      level: 'MUST',
      rationale: 'An EHLO that is refused leaves the session as it was, mail transaction and all.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.addressed();
        await dialogue.need(target.protocol === 'lmtp' ? 'LHLO' : 'EHLO', '5yz');
        await dialogue.ask('DATA', '354');
      },
    },
    {
      id: 'refusals/message-ends-the-transaction',
      section: 'RFC 5321 §4.1.1.4',
      level: 'MUST',
      rationale: 'A message that is refused ends its mail transaction as one that is taken.',
      needs: ['mail'],
      async run(target) {
        const dialogue = await target.receiving();
        dialogue.send(`${testMessage(target)}a\0b\r\n.\r\n`);
        await dialogue.needReply('5yz');
        await dialogue.ask(target.rcpt(), '503 or 5yz');
      },
    },
    {
      id: 'refusals/nul-makes-no-command-of-what-precedes-it',
      section: 'RFC 5321 §4.1.2',
      level: 'SECURITY',
      rationale: 'A NUL ends no command: what stands before it is not carried out.',
      async run(target) {
        const dialogue = await target.hello();
        await refuses(dialogue, 'RSET\0x\r\n');
      },
    },
    {
      id: 'refusals/recipient-without-a-domain',
      section: 'RFC 5321 §2.3.5',
      level: 'INTEROP',
      rationale:
        'Postmaster alone stands without a domain: whose mailbox another one would be, nobody can tell.',
      needs: ['mail'],
      async run(target) {
        const [name = ''] = target.to.split('@');
        const other = name.toLowerCase() === 'postmaster' ? 'somebody' : name;
        await refuses(await target.mailed(), `RCPT TO:<${other}>\r\n`);
      },
    },
    {
      id: 'refusals/too-many-errors-end-in-421',
      section: 'RFC 5321 §3.8',
      level: 'MUST',
      rationale: 'A server that has had enough errors says 421 and closes; one that has not goes on.',
      async run(target) {
        const dialogue = await target.hello();
        for (let count = 0; count < MANY_ERRORS; count++) {
          dialogue.say('XYZZY');
          const { code } = await dialogue.reply('any');
          if (code === 421) return dialogue.closes();
          if (code < 400) throw new Deviation(`XYZZY is no command; the server said ${code}`);
        }
      },
    },
  ],
};
