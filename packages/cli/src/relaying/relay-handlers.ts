/**
 * What a relay decides about mail: whose recipients it takes, what it offers to whom, and when a message is safe. Every message
 * goes into the queue, that for local domains too: from there into the Maildir.
 */
import { randomUUID } from 'node:crypto';
import {
  deliverBy,
  type Envelope,
  type ForwardPath,
  formatMailbox,
  formatPath,
  mtPriority,
  replyText,
  requireTls,
  type ServiceExtension,
  standardExtensions,
} from '@sansmtp/core';
import { receivedField } from '@sansmtp/delivery';
import type { Relay } from '@sansmtp/queue';
import {
  MailDataAbandonedError,
  Rejection,
  type ServerHandlers,
  type ServerSessionInformation,
} from '@sansmtp/transport';
import { systemCode } from '@sansmtp/transport-node';
import type { Surroundings } from '../receiving/receiving.js';
import { storageFailure } from '../serving/reception.js';
import { type AdmissionRules, admit, type RelayingClient } from './recipients/admission.js';
import { futureReleaseWithinAYear } from './submission/future-release.js';
import { completeHeader } from './submission/submitted-header.js';

/** Whether a recipient of a routed domain exists; throws a `Rejection` where not, or where that is not known now. */
export type CheckRecipient = (recipient: ForwardPath, domain: string, mayRelay: boolean) => Promise<void>;

/** A message of somebody who may relay, with a signature in front of it if there is a key for it. */
export type SignMessage = (message: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;

export interface RelayingRules extends AdmissionRules {
  readonly mayRelay: (client: RelayingClient) => boolean;
  readonly checkRecipient: CheckRecipient;
  readonly sign: SignMessage;
}

/** For those who may relay alone: an order, a time to hold, a time to deliver by. */
const FOR_TRUSTED = ['MT-PRIORITY', 'FUTURERELEASE', 'DELIVERBY'];

/** What a relay can keep, beside what the protocol alone keeps. */
export function relayExtensions(): readonly ServiceExtension[] {
  return [...standardExtensions, mtPriority(), futureReleaseWithinAYear(), deliverBy(), requireTls];
}

export function relayHandlers(
  rules: RelayingRules,
  relay: Pick<Relay, 'accept'>,
  { log, sessions, hostname }: Pick<Surroundings, 'log' | 'sessions' | 'hostname'>,
): ServerHandlers {
  return {
    onHello(_, session) {
      // At submission nobody sends mail before AUTH, and a client says no EHLO after it.
      if (session.listener === 'submission' || rules.mayRelay(session)) return;
      return { withhold: { extensions: FOR_TRUSTED } };
    },

    async onRcptTo({ forwardPath }, _, session) {
      const mayRelay = rules.mayRelay(session);
      const admission = admit(forwardPath, rules, mayRelay);
      if (admission.kind === 'refused') throw new Rejection(550, '5.7.1', admission.reason);
      if (admission.kind === 'routed') await rules.checkRecipient(forwardPath, admission.domain, mayRelay);
    },

    async onMessage({ envelope, body }, session) {
      const user = session.identity?.username;
      const about = {
        session: session.id,
        client: session.peer.address,
        ...(user !== undefined && { user }),
        from: formatPath(envelope.reversePath),
        to: envelope.recipients.map(({ forwardPath }) => formatMailbox(forwardPath)),
      };
      const trusted = rules.mayRelay(session);
      try {
        const queued = await relay.accept(asReceived(envelope), incoming(envelope, body, session, trusted), {
          trusted,
          ...(user !== undefined && { sender: user }),
        });
        const { id, size } = queued;
        const reply = { code: 250, enhancedCode: '2.0.0', lines: [`Message queued as ${id}`] };
        log.info(
          { id, size, ...about, state: session.chartState, reply: replyText(reply) },
          'message queued',
        );
        return reply;
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === undefined) throw error;
        const { responseCode, enhancedCode, message } = refusal;
        const reply = { code: responseCode, ...(enhancedCode && { enhancedCode }), lines: [message] };
        const outcome = { state: session.chartState, reply: replyText(reply) };
        sessions.messageTold(session);
        if (sessions.admits(session.peer)) {
          log.error({ reason: (error as Error).message, ...about, ...outcome }, 'message not queued');
        }
        throw refusal;
      }
    },

    onError(error) {
      log.error({ err: error }, 'a fault of this server');
    },
  };

  /** The message as it goes on: submitted, completed and signed where it is from who may relay, and with our trace. */
  async function* incoming(
    envelope: Envelope,
    body: AsyncIterable<Uint8Array>,
    session: ServerSessionInformation,
    trusted: boolean,
  ): AsyncGenerator<Uint8Array> {
    const date = new Date();
    yield Buffer.from(receivedField({ envelope, session, hostname, id: session.id, date }));
    if (!trusted) return yield* body;
    const completion = { date: dateTime(date), messageId: `<${randomUUID()}@${hostname}>` };
    yield* rules.sign(completeHeader(body, completion));
  }
}

/** RFC 5322 §3.3. */
function dateTime(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000');
}

function asReceived({ reversePath, parameters, recipients }: Envelope) {
  return {
    reversePath,
    parameters,
    recipients: recipients.map(({ forwardPath, parameters }) => ({ ...forwardPath, parameters })),
  };
}

/** Of stores that do not answer. By name, for the one in PostgreSQL is loaded where it is wanted alone. */
const STORE_ERRORS: readonly string[] = ['QueueClosedError', 'DatabaseUnavailableError'];

/** What the client is told; undefined: that is the driver's to say. */
function refusalOf(error: unknown): Rejection | undefined {
  if (error instanceof MailDataAbandonedError) return undefined;
  if (error instanceof Error && 'responseCode' in error) return undefined;
  if (error instanceof Error && STORE_ERRORS.includes(error.name)) return storageFailure(error.name);
  const code = systemCode(error);
  return code === undefined ? undefined : storageFailure(code);
}
