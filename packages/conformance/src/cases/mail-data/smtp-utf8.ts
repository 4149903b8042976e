/** Internationalized mailboxes (RFC 6531). */
import type { CaseGroup } from '../../contract/case.js';
import { Deviation } from '../../dialogue/findings.js';
import { shown } from '../../dialogue/seen-reply.js';
import { refuses } from '../judging.js';

export const smtpUtf8: CaseGroup = {
  name: 'smtputf8',
  title: 'SMTPUTF8',
  introduction: 'Mailboxes beyond ASCII, with the parameter SMTPUTF8 and without it (RFC 6531).',
  remedy: 'Take UTF-8 in paths where MAIL has SMTPUTF8, and refuse it by 553 5.6.7 where it has not.',
  cases: [
    ...(
      [
        ['local-part', 'MAIL FROM:<dörte@example.com> SMTPUTF8'],
        ['domain', 'MAIL FROM:<ann@bücher.example> SMTPUTF8'],
        ['ascii-mailbox', 'MAIL FROM:<ann@example.com> SMTPUTF8'],
        ['null-path', 'MAIL FROM:<> SMTPUTF8'],
      ] as const
    ).map(([name, line]) => ({
      id: `smtputf8/${name}`,
      section: 'RFC 6531 §3.3',
      level: 'MUST' as const,
      rationale: 'Where SMTPUTF8 is offered, a path with it may hold UTF-8.',
      needs: ['SMTPUTF8', 'mail'] as const,
      async run(target: Parameters<CaseGroup['cases'][number]['run']>[0]) {
        const dialogue = await target.ready();
        dialogue.say(line);
        const reply = await dialogue.reply('any');
        const denies =
          reply.code === 553 || reply.enhancedCode === '5.6.7' || /^50[0-4]|555$/.test(`${reply.code}`);
        if (denies) throw new Deviation(`SMTPUTF8 is offered; the server said ${shown(reply)}`);
      },
    })),
    {
      id: 'smtputf8/refused-without-the-parameter',
      section: 'RFC 6531 §3.3',
      level: 'INTEROP',
      rationale: 'A mailbox beyond ASCII without SMTPUTF8 is refused: nobody could pass it on.',
      needs: ['SMTPUTF8', 'mail'],
      run: async (target) =>
        refuses(await target.ready(), new TextEncoder().encode('MAIL FROM:<dörte@example.com>\r\n')),
    },
    {
      id: 'smtputf8/value-refused',
      section: 'RFC 6531 §3.1',
      level: 'INTEROP',
      rationale: 'SMTPUTF8 takes no value.',
      needs: ['SMTPUTF8', 'mail'],
      run: async (target) => refuses(await target.ready(), `${target.mail('SMTPUTF8=yes')}\r\n`),
    },
    {
      id: 'smtputf8/no-utf8-refused',
      section: 'RFC 6531 §3.3',
      level: 'INTEROP',
      rationale: 'Octets that are no UTF-8 are refused in a path, with SMTPUTF8 as well.',
      needs: ['SMTPUTF8', 'mail'],
      async run(target) {
        const domain = target.to.slice(target.to.lastIndexOf('@') + 1);
        await refuses(
          await target.mailed('SMTPUTF8'),
          Buffer.from(`RCPT TO:<j\xff\xfen@${domain}>\r\n`, 'latin1'),
        );
      },
    },
    {
      id: 'smtputf8/8bitmime-is-offered-too',
      section: 'RFC 6531 §3.1',
      level: 'MUST',
      rationale: 'A server that offers SMTPUTF8 supports and offers 8BITMIME.',
      needs: ['SMTPUTF8'],
      async run(target) {
        const { offers } = await target.hello();
        if (offers.has('SMTPUTF8') && !offers.has('8BITMIME')) throw new Deviation('8BITMIME is not offered');
      },
    },
  ],
};
