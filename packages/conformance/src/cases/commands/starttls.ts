/** STARTTLS (RFC 3207): what comes before it, what it forgets, and what must not be carried across. */
import type { CaseGroup, ConformanceCase } from '../../contract/case.js';
import type { Target } from '../../contract/target.js';
import type { Dialogue } from '../../dialogue/dialogue.js';
import { CannotJudge, Deviation } from '../../dialogue/findings.js';
import { shown } from '../../dialogue/seen-reply.js';
import { logIn } from '../../running/login.js';

/** Under TLS, before EHLO. */
async function secured(target: Target): Promise<Dialogue> {
  const dialogue = await target.hello();
  if (!dialogue.offers.has('STARTTLS')) throw new CannotJudge('STARTTLS is not offered in the clear');
  await dialogue.need('STARTTLS', '220');
  await dialogue.startTls();
  return dialogue;
}

/** What is sent in the clear behind STARTTLS, in the same packet. */
const injections: ConformanceCase[] = ['NOOP', 'EHLO probe.invalid', 'RSET', 'XYZZY'].map((line) => ({
  id: `starttls/${line.split(' ')[0]?.toLowerCase()}-sent-in-the-clear-is-dropped`,
  section: 'RFC 3207 §4.2',
  level: 'SECURITY',
  rationale: `${line.split(' ')[0]} that was sent in the clear behind STARTTLS is not carried out under TLS (CVE-2011-0411).`,
  needs: ['STARTTLS'],
  async run(target) {
    const dialogue = await target.hello();
    dialogue.send(`STARTTLS\r\n${line}\r\n`);
    // Whoever refuses it for that carries nothing over.
    if ((await dialogue.reply('220 or 4yz or 5yz')).code !== 220) return;
    try {
      await dialogue.startTls();
    } catch (error) {
      if (!(error instanceof Deviation)) throw error;
      if (target.survey.offersUnderTls === undefined)
        throw new CannotJudge('no handshake succeeds here, with something injected or without');
      return; // it would not have it
    }
    const [reply] = await dialogue.rest();
    if (reply !== undefined) throw new Deviation(`it was carried out under TLS: ${shown(reply)}`);
  },
}));

export const starttls: CaseGroup = {
  name: 'starttls',
  title: 'STARTTLS',
  introduction: 'The upgrade to TLS amid the session (RFC 3207), and what an attacker in between may try.',
  remedy:
    'Empty every buffer before the handshake, and begin anew after it: no EHLO, no login, no mail transaction.',
  cases: [
    {
      id: 'starttls/accepted-by-220',
      section: 'RFC 3207 §4',
      level: 'MUST',
      rationale: 'STARTTLS is answered by 220, or by 454 where TLS cannot be had now.',
      needs: ['STARTTLS'],
      run: async (target) => void (await (await target.hello()).ask('STARTTLS', '220 or 454')),
    },
    {
      id: 'starttls/argument-refused',
      section: 'RFC 3207 §4',
      level: 'MUST',
      rationale: 'STARTTLS has no parameters, and 501 is for a client that gives one.',
      needs: ['STARTTLS'],
      run: async (target) => void (await (await target.hello()).ask('STARTTLS now', '501 or 5yz')),
    },
    {
      id: 'starttls/handshake',
      section: 'RFC 3207 §4',
      level: 'MUST',
      rationale: 'After 220 comes the handshake, and after it the session serves EHLO.',
      needs: ['STARTTLS'],
      async run(target) {
        const dialogue = await secured(target);
        await dialogue.ask(target.helloLine, '250');
      },
    },
    {
      id: 'starttls/no-greeting-after-it',
      section: 'RFC 3207 §4.2',
      level: 'INTEROP',
      rationale: 'After the handshake the client speaks first: there is no second greeting.',
      needs: ['STARTTLS'],
      run: async (target) => (await secured(target)).silence(),
    },
    {
      id: 'starttls/forgets-ehlo',
      section: 'RFC 3207 §4.2',
      level: 'SECURITY',
      rationale: 'EHLO of before the handshake counts for nothing after it: an attacker may have said it.',
      needs: ['STARTTLS', 'mail', 'smtp'],
      async run(target) {
        const dialogue = await secured(target);
        await dialogue.ask(target.mail(), '503 or 5yz');
      },
    },
    {
      id: 'starttls/not-offered-under-tls',
      section: 'RFC 3207 §4.2',
      level: 'MUST',
      rationale: 'STARTTLS is not offered once TLS is there.',
      needs: ['STARTTLS'],
      async run(target) {
        const dialogue = await secured(target);
        await dialogue.hello(target.helloLine);
        if (dialogue.offers.has('STARTTLS')) throw new Deviation('STARTTLS is offered under TLS');
      },
    },
    {
      id: 'starttls/refused-under-tls',
      section: 'RFC 3207 §4.2',
      level: 'MUST',
      rationale: 'A second STARTTLS is refused: there is TLS already.',
      needs: ['STARTTLS'],
      async run(target) {
        const dialogue = await secured(target);
        await dialogue.hello(target.helloLine);
        await dialogue.ask('STARTTLS', '5yz');
      },
    },
    {
      id: 'starttls/forgets-the-login',
      section: 'RFC 3207 §4.2',
      level: 'SECURITY',
      rationale: 'A login of before the handshake counts for nothing after it.',
      needs: ['STARTTLS', 'credentials'],
      async run(target) {
        const dialogue = await target.hello();
        if (target.credentials === undefined || !dialogue.offers.has('AUTH'))
          throw new CannotJudge('AUTH is not offered in the clear');
        await logIn(dialogue, target.credentials);
        await dialogue.need('STARTTLS', '220');
        await dialogue.startTls();
        await dialogue.hello(target.helloLine);
        if (!dialogue.offers.has('AUTH')) throw new CannotJudge('AUTH is not offered under TLS');
        await dialogue.ask('AUTH PLAIN', '334 or 504');
      },
    },
    {
      id: 'starttls/forgets-the-mail-transaction',
      section: 'RFC 3207 §4.2',
      level: 'SECURITY',
      rationale: 'A mail transaction that was opened in the clear does not go on under TLS.',
      needs: ['STARTTLS', 'mail'],
      async run(target) {
        const dialogue = await target.hello();
        await dialogue.need(target.mail());
        await dialogue.need('STARTTLS', '220');
        await dialogue.startTls();
        await dialogue.hello(target.helloLine);
        await dialogue.ask(target.rcpt(), '503 or 5yz');
      },
    },
    {
      id: 'starttls/no-command-in-place-of-the-handshake',
      section: 'RFC 3207 §4',
      level: 'SECURITY',
      rationale: 'After 220 nothing but a handshake is read: a command in the clear is not carried out.',
      needs: ['STARTTLS'],
      async run(target) {
        const dialogue = await target.hello();
        await dialogue.need('STARTTLS', '220');
        dialogue.say('NOOP');
        // A TLS alert may come, and whatever the server makes of the wrong record.
        const heard = Buffer.from(await dialogue.octets()).toString('latin1');
        if (/^250[ -]/m.test(heard)) throw new Deviation('a command in the clear was carried out');
      },
    },
    {
      id: 'starttls/implicit-tls-greets-after-the-handshake',
      section: 'RFC 8314 §3',
      level: 'MUST',
      rationale: 'Under implicit TLS the greeting comes right after the handshake.',
      needs: ['implicit TLS'],
      run: async (target) => void (await (await target.connectTls()).reply('220')),
    },
    {
      id: 'starttls/not-offered-under-implicit-tls',
      section: 'RFC 3207 §4.2',
      level: 'MUST',
      rationale: 'Under implicit TLS there is TLS already, and STARTTLS is not offered.',
      needs: ['implicit TLS'],
      async run(target) {
        const dialogue = await target.connectTls();
        await dialogue.needReply('220');
        await dialogue.hello(target.helloLine);
        if (dialogue.offers.has('STARTTLS')) throw new Deviation('STARTTLS is offered under TLS');
      },
    },
    ...injections,
  ],
};
