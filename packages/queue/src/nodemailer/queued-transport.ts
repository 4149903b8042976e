/**
 * A transport for nodemailer over an outbox: `nodemailer.createTransport(queuedTransport(outbox))`. What nodemailer composes is
 * stored, and `sendMail()` resolves then; delivery goes on by itself.
 */
import { clientEnvelopeOf, type NodemailerMail } from '@sansmtp/delivery';
import type { Outbox } from '../outbox/outbox.js';

/** What `sendMail()` resolves to. */
export interface QueuedResult {
  readonly envelope: { readonly from: string; readonly to: string[] };
  readonly messageId: string;
  /** All recipients: each gets the message, or the outbox tells of the bounce. */
  readonly accepted: string[];
  readonly rejected: string[];
  /** For people. */
  readonly response: string;
  /** The message's ID in the queue, which the outbox's events name. */
  readonly queueId: string;
}

/** What nodemailer takes for a transport. */
export interface QueuedTransport {
  readonly name: string;
  readonly version: string;
  send(mail: NodemailerMail, callback: (error: Error | null, result?: QueuedResult) => void): void;
}

/** A transport that stores each message in the outbox. The outbox is yours to close. */
export function queuedTransport(outbox: Pick<Outbox, 'send'>): QueuedTransport {
  async function store({ data, message }: NodemailerMail): Promise<QueuedResult> {
    const envelope = message.getEnvelope();
    const stream = message.createReadStream();
    try {
      const { id } = await outbox.send(clientEnvelopeOf(envelope, data), stream);
      const { from, to } = envelope;
      return {
        envelope: { from: from || '', to },
        messageId: message.messageId(),
        accepted: [...to],
        rejected: [],
        response: `queued as ${id}`,
        queueId: id,
      };
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  return {
    name: 'sansmtp-queue',
    version: '0.1.0',
    send(mail, callback) {
      store(mail).then(
        (result) => callback(null, result),
        (error: Error) => callback(error),
      );
    },
  };
}
