/** Looks at the server before the first case: what it offers, and what it wants before it takes mail. */
import type { Survey } from '../contract/survey.js';
import type { Target } from '../contract/target.js';
import { matches } from '../dialogue/expectation.js';
import { CannotJudge, Deviation } from '../dialogue/findings.js';

import { shown } from '../dialogue/seen-reply.js';
import type { Connections } from './connections.js';
import type { KnownServer } from './server-to-test.js';
import { createTarget } from './target.js';

const UNKNOWN: Survey = {
  recipient: '',
  offers: new Map(),
  offersUnderTls: undefined,
  entry: { startTls: false, authenticate: false },
  noMail: undefined,
};

const noTurn = async (): Promise<void> => {};

const reasonOf = (error: unknown): string => {
  if (error instanceof CannotJudge || error instanceof Deviation) return error.message;
  throw error;
};

/** The server cannot be reached, or what answers does not speak the protocol. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/**
 * @param connections one set of them for each look
 * @throws {UnreachableError} (rejects) nothing can be surveyed
 */
export async function surveyServer(server: KnownServer, connections: () => Connections): Promise<Survey> {
  async function look<Result>(survey: Survey, at: (target: Target) => Promise<Result>): Promise<Result> {
    const own = connections();
    try {
      return await at(createTarget(server, survey, own, noTurn));
    } finally {
      await own.finish();
    }
  }

  const { offers, domain } = await look(UNKNOWN, async (target) => {
    const dialogue = await target.greeted();
    const reply = await dialogue.hello(target.helloLine);
    return { offers: dialogue.offers, domain: reply.lines[0]?.split(' ')[0] ?? '' };
  }).catch((error: unknown) => {
    throw new UnreachableError(reasonOf(error));
  });
  const recipient = server.to ?? `postmaster@${/^[\w.-]+$/.test(domain) ? domain : 'localhost'}`;
  const offersUnderTls = !offers.has('STARTTLS')
    ? undefined
    : await look({ ...UNKNOWN, entry: { startTls: true, authenticate: false } }, async (target) => {
        return (await target.ready()).offers;
      }).catch((error: unknown) => void reasonOf(error));

  /** Why no transaction can be made this way; undefined: one can. */
  const tryMail = async (survey: Survey): Promise<string | undefined> =>
    look(survey, async (target) => {
      const dialogue = await target.ready();
      for (const line of [target.mail(), target.rcpt()]) {
        dialogue.say(line);
        const reply = await dialogue.reply('any');
        if (!matches('250 or 251', reply.code))
          return `the server takes no test mail: ${shown(reply)} after ${line}`;
      }
      return undefined;
    }).catch(reasonOf);

  const known = { recipient, offers, offersUnderTls };
  const hasTls = offersUnderTls !== undefined;
  const hasCredentials = server.credentials !== undefined;
  const entries = [
    { startTls: false, authenticate: false },
    ...(hasTls ? [{ startTls: true, authenticate: false }] : []),
    ...(hasCredentials && hasTls && offersUnderTls.has('AUTH')
      ? [{ startTls: true, authenticate: true }]
      : []),
    // Never in the clear where the server offers TLS that we do not trust.
    ...(hasCredentials && offers.has('AUTH') && !offers.has('STARTTLS')
      ? [{ startTls: false, authenticate: true }]
      : []),
  ];
  let firstReason: string | undefined;
  for (const entry of entries) {
    const noMail = await tryMail({ ...known, entry, noMail: undefined });
    if (noMail === undefined) return { ...known, entry, noMail };
    firstReason ??= noMail;
  }
  return { ...known, entry: UNKNOWN.entry, noMail: firstReason };
}
