/** The envelope of a message as it leaves this host. */
import type { ClientEnvelope, ClientRecipient, MailParameters } from '@sansmtp/core';
import type { QueuedMessage } from '../../contract/messages.js';
import { deliverByTime } from '../deciding/times.js';

/**
 * For these recipients. What was asked of this host and done is left out (HOLDFOR, HOLDUNTIL), and so is the size that the client
 * declared; the time that is left to deliver by is told as it is now (RFC 2852 §4.1.3). RET, ENVID, NOTIFY and ORCPT go
 * along (RFC 3461 §5.2.1).
 */
export function outgoingEnvelope(
  message: QueuedMessage,
  places: readonly number[],
  now: number,
): ClientEnvelope {
  const { reversePath, parameters = {} } = message.envelope;
  const { hold: _, size: __, deliverBy, ...rest } = parameters;
  const by = deliverByTime(message);
  const outgoing: MailParameters = {
    ...rest,
    ...(deliverBy &&
      by !== undefined && { deliverBy: { ...deliverBy, seconds: Math.floor((by - now) / 1000) } }),
  };
  return {
    reversePath,
    recipients: places.map((place) => message.recipients[place]?.recipient as ClientRecipient),
    ...(Object.keys(outgoing).length > 0 && { parameters: outgoing }),
  };
}
