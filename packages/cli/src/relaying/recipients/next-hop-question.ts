/**
 * Asks a next hop for a recipient: by a mail transaction from the null reverse-path that breaks off once the message would have
 * to be sent. Nothing is delivered by it (RFC 5321 §4.1.1.4: there is no end of mail data).
 */
import { replyText } from '@sansmtp/core';
import { createMailer, type Mailer, type MailerOptions } from '@sansmtp/delivery';
import type { NextHop } from '../routes/routes.js';
import type { AskNextHop } from './recipient-check.js';

/** Milliseconds for one question: a client is waiting. */
const DEADLINE = 30_000;

/** What the body throws: the next hop wants the message, so it takes the recipient. */
class RecipientTaken extends Error {}

// biome-ignore lint/correctness/useYield: it never comes to that.
async function* breakingOff(): AsyncGenerator<Uint8Array> {
  throw new RecipientTaken('The next hop was only asked');
}

/** @param common what is said of each session: the name in EHLO, the resolver */
export function nextHopQuestions(common: Pick<MailerOptions, 'hostname' | 'dns'>): AskNextHop {
  /** There are as many as routes. */
  const mailers = new Map<string, Mailer>();
  const mailerFor = ({ protocol, host, port }: NextHop): Mailer => {
    const key = `${protocol}://${host}:${port}`;
    const known = mailers.get(key);
    if (known !== undefined) return known;
    const made = createMailer({ ...common, relay: { host, port }, protocol, pool: { idleTime: 0 } });
    mailers.set(key, made);
    return made;
  };
  return async (hop, recipient) => {
    try {
      const envelope = { from: null, to: [recipient] };
      const [verdict] = await mailerFor(hop).send(envelope, breakingOff(), { deadline: DEADLINE });
      const words = verdict?.reason ?? 'it was not asked';
      if (verdict?.phase !== 'rcpt' || verdict.verdict !== 'rejected') return { kind: 'undecided', words };
      return { kind: 'unknown', words: verdict.reply === undefined ? words : replyText(verdict.reply) };
    } catch (error) {
      if (error instanceof RecipientTaken) return { kind: 'exists' };
      return { kind: 'undecided', words: (error as Error).message };
    }
  };
}
