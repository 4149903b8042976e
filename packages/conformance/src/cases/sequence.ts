/** In which order commands may come (RFC 5321 §4.1.4). */
import type { CaseGroup } from '../contract/case.js';

export const sequence: CaseGroup = {
  name: 'sequence',
  title: 'The order of commands',
  introduction: 'Which command may come when, and what each leaves of the session (RFC 5321 §4.1.4).',
  remedy: 'Keep the state of the session explicitly, and answer a command that is out of order by 503.',
  cases: [
    {
      id: 'sequence/rcpt-before-mail',
      section: 'RFC 5321 §3.3',
      level: 'MUST',
      rationale:
        'RCPT without a mail transaction is refused: there is nothing the recipient could belong to.',
      async run(target) {
        const dialogue = await target.ready();
        await dialogue.ask(target.rcpt(), '503 or 5yz');
      },
    },
  ],
};
