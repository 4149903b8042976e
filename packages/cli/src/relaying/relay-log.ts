/**
 * What a relay says of the messages in its queue. Each line has the ID that the client was told when the message was accepted,
 * until the last recipient is done with.
 */
import { formatMailbox } from '@sansmtp/core';
import type { RelayEvent } from '@sansmtp/queue';
import type { Logger } from '../log.js';

const OUTCOMES = { waiting: 'deferred', delivered: 'delivered', bounced: 'bounced' } as const;

const iso = (time: number): string => new Date(time).toISOString();

export function relayLog(log: Logger): (event: RelayEvent) => void {
  return (event) => {
    switch (event.type) {
      case 'accepted':
        return; // the session has that line
      case 'recipient': {
        const { id, recipient, destination, verdict, enhancedCode, reply, host, reason, attempts, next } =
          event;
        const fields = {
          id,
          to: formatMailbox(recipient),
          destination,
          verdict,
          enhancedCode,
          host,
          reply: reply ?? reason,
          attempts,
          seconds: Math.round(event.age / 1000),
          ...(next !== undefined && { next: iso(next) }),
        };
        log[event.state === 'delivered' ? 'info' : 'warn'](fields, OUTCOMES[event.state]);
        return;
      }
      case 'unknown': {
        const { id, recipient, cause } = event;
        log.warn(
          { id, to: formatMailbox(recipient), cause },
          'unknown: the message may have arrived, and may arrive again',
        );
        return;
      }
      case 'notified': {
        const { id, notification, actions } = event;
        log.info({ id, notification, actions }, 'the sender is told');
        return;
      }
      case 'notificationDropped': {
        const { id, recipient, reason } = event;
        log.warn({ id, to: formatMailbox(recipient), reason }, 'nobody is told: it was a notification');
        return;
      }
      case 'destinationDown': {
        const { destination, until, reason } = event;
        log.warn({ destination, until: iso(until), reason }, 'destination down');
        return;
      }
      case 'destinationUp':
        log.info({ destination: event.destination }, 'destination up');
        return;
      case 'storeFailed': {
        const { error, retryAt } = event;
        const fields = { reason: error.message, ...(retryAt !== undefined && { retryAt: iso(retryAt) }) };
        log.error(fields, 'the queue does not answer');
        return;
      }
      case 'storeRecovered':
        log.info('the queue answers again');
        return;
      case 'clockSet':
        log.warn({ seconds: Math.round(event.by / 1000) }, 'the clock was set, or this machine slept');
    }
  };
}
