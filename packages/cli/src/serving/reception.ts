/**
 * What `serve` decides about mail: which recipients it takes, and where their messages go.
 *
 * It never relays. What it took it has stored, or thrown away because it was told to discard.
 */
import { formatMailbox, formatPath, type Recipient, replyText } from '@sansmtp/core';
import { comparableDomain, type Maildir } from '@sansmtp/delivery';
import { MailDataAbandonedError, Rejection, type ServerHandlers } from '@sansmtp/transport';
import { systemCode } from '@sansmtp/transport-node';
import type { Logger } from '../log.js';
import type { SessionLog } from '../receiving/session-log.js';

export interface Reception {
  /** As `comparableDomain` gives them; mail for others is refused. Empty: mail for any domain is taken. */
  readonly domains: ReadonlySet<string>;
  /** Where messages are stored; undefined: they are discarded. */
  readonly maildir: Maildir | undefined;
  readonly log: Logger;
  /** Folds what repeats, and leaves out what has its line here. */
  readonly sessions: Pick<SessionLog, 'admits' | 'messageTold'>;
}

/** What a client is told where the system did not store its message. */
export function storageFailure(code: string): Rejection {
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new Rejection(452, '4.3.1', 'Not enough storage here now; try again later')
    : new Rejection(451, '4.3.0', 'The message could not be stored; try again later');
}

/** Who wanted to hear of the delivery (RFC 3461 §4.1): `serve` sends no mail, so whoever reads the log has to. */
function unsentNotifications(recipients: readonly Recipient[]): { readonly notify?: readonly string[] } {
  const notify = recipients
    .filter(({ parameters }) => parameters.notify?.includes('SUCCESS'))
    .map(({ forwardPath }) => formatMailbox(forwardPath));
  return notify.length === 0 ? {} : { notify };
}

/** Stores messages. */
function storeIn({ log, sessions }: Reception, maildir: Maildir): ServerHandlers['onMessage'] {
  return async (message, session) => {
    const { reversePath, recipients } = message.envelope;
    const about = {
      client: session.peer.address,
      from: formatPath(reversePath),
      to: recipients.map(({ forwardPath }) => formatMailbox(forwardPath)),
    };
    try {
      const { id, size } = await maildir.deliver(message, session);
      const reply = { code: 250, enhancedCode: '2.0.0', lines: [`Message stored as ${id}`] };
      const outcome = { state: session.chartState, reply: replyText(reply) };
      log.info({ id, size, ...about, ...outcome, ...unsentNotifications(recipients) }, 'message stored');
      return reply;
    } catch (error) {
      const code = error instanceof MailDataAbandonedError ? undefined : systemCode(error);
      if (code === undefined) throw error;
      const refusal = storageFailure(code);
      const { responseCode, enhancedCode, message: text } = refusal;
      const reply = { code: responseCode, ...(enhancedCode && { enhancedCode }), lines: [text] };
      const outcome = { state: session.chartState, reply: replyText(reply) };
      sessions.messageTold(session);
      if (sessions.admits(session.peer)) {
        log.error({ reason: (error as Error).message, ...about, ...outcome }, 'message not stored');
      }
      throw refusal;
    }
  };
}

/** Drops messages as they come, and without a line in the log: who asks for that may send any number of them. */
function discard(): void {}

export function reception(what: Reception): ServerHandlers {
  const { domains, maildir, log } = what;
  return {
    onRcptTo({ forwardPath: { domain } }) {
      // The postmaster without a domain is ours to take (RFC 5321 §4.5.1).
      if (domain === '' || domains.size === 0 || domains.has(comparableDomain(domain) ?? domain)) return;
      throw new Rejection(550, '5.7.1', `No mail for ${domain} is taken here`);
    },
    onMessage: maildir === undefined ? discard : storeIn(what, maildir),
    onError(error) {
      log.error({ err: error }, 'a fault of this server');
    },
  };
}
