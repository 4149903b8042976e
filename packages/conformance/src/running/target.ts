/** What a case speaks with: the ways into a session, from a bare connection to a message that is awaited. */
import type { Survey } from '../contract/survey.js';
import type { Target } from '../contract/target.js';
import type { Dialogue } from '../dialogue/dialogue.js';
import { CannotJudge } from '../dialogue/findings.js';
import type { Connections } from './connections.js';
import { logIn } from './login.js';
import type { KnownServer } from './server-to-test.js';

export function createTarget(
  server: KnownServer,
  survey: Survey,
  connections: Connections,
  turnToFailLogin: () => Promise<void>,
): Target {
  const { protocol, from, credentials } = server;
  const to = survey.recipient;
  const helloLine = `${protocol === 'lmtp' ? 'LHLO' : 'EHLO'} ${server.hostname}`;
  const withParameters = (line: string, parameters = '') =>
    parameters === '' ? line : `${line} ${parameters}`;

  const target: Target = {
    protocol,
    helloLine,
    from,
    to,
    credentials,
    survey,
    turnToFailLogin,
    canSeeMessages: server.received !== undefined,
    async received() {
      if (server.received === undefined) throw new CannotJudge('what the server stores cannot be seen');
      return server.received();
    },
    connect: () => connections.open('clear'),
    connectTls: () => connections.open('implicit TLS'),
    async greeted() {
      const dialogue = await target.connect();
      await dialogue.needReply('220');
      return dialogue;
    },
    async hello() {
      const dialogue = await target.greeted();
      await dialogue.hello(helloLine);
      return dialogue;
    },
    async ready() {
      const dialogue = await target.hello();
      await enter(dialogue);
      return dialogue;
    },
    async mailed(parameters) {
      const dialogue = await target.ready();
      await dialogue.need(target.mail(parameters), '250');
      return dialogue;
    },
    async addressed() {
      const dialogue = await target.mailed();
      await dialogue.need(target.rcpt(), '250 or 251');
      return dialogue;
    },
    async receiving() {
      const dialogue = await target.addressed();
      await dialogue.need('DATA', '354');
      return dialogue;
    },
    mail: (parameters) => withParameters(`MAIL FROM:<${from}>`, parameters),
    rcpt: (parameters) => withParameters(`RCPT TO:<${to}>`, parameters),
  };

  async function enter(dialogue: Dialogue): Promise<void> {
    const { startTls, authenticate } = survey.entry;
    if (startTls) {
      await dialogue.need('STARTTLS', '220');
      await dialogue.startTls();
      await dialogue.hello(helloLine);
    }
    if (!authenticate) return;
    if (credentials === undefined)
      throw new CannotJudge('the server wants AUTH, and no credentials were given');
    await logIn(dialogue, credentials);
  }

  return target;
}
