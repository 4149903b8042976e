/**
 * Notifications as messages for the queue: what a sender is told of the recipients of one claim.
 *
 * - One about a notification is never sent (RFC 5321 §6.1): it is dropped, or goes to the postmaster where there is one; what is about the
 *   postmaster's own goes nowhere.
 */
import { randomBytes } from 'node:crypto';
import type { Mailbox } from '@sansmtp/core';
import {
  type DeliveryAction,
  type RecipientStatus,
  sameMailbox,
  writeDeliveryStatusNotification,
} from '@sansmtp/delivery';
import type { MessageWithBody, QueuedMessage } from '../../contract/messages.js';
import type { QueueStore } from '../../contract/queue-store.js';
import type { Decision } from '../deciding/settling.js';

export interface NotificationSettings {
  /** False: nobody is told of anything by mail. */
  readonly isOn: boolean;
  /** The name of this host. */
  readonly hostname: string;
  /** Who gets what cannot be told to a sender; undefined: nobody. */
  readonly postmaster: Mailbox | undefined;
}

/** What is told, and to whom. */
export interface Telling {
  readonly put: MessageWithBody;
  readonly actions: readonly DeliveryAction[];
}

export interface Told {
  /** Undefined: nobody is told of anything. */
  readonly telling: Telling | undefined;
  /** Failures that nobody is told of. */
  readonly dropped: readonly Decision[];
}

export function notify(
  message: QueuedMessage,
  decisions: readonly Decision[],
  store: Pick<QueueStore, 'body'>,
  now: number,
  { isOn, hostname, postmaster }: NotificationSettings,
): Told {
  if (!isOn) return { telling: undefined, dropped: [] };
  const { reversePath, parameters = {} } = message.envelope;
  const told = decisions.filter(({ status }) => status !== undefined);
  const isNotification = reversePath === null;
  const addressee = isNotification ? postmaster : reversePath;
  const failures = told.filter(({ status }) => status?.action === 'failed');
  const deliverable = isNotification
    ? failures.filter(({ recipient }) => addressee !== undefined && !sameMailbox(recipient, addressee))
    : told;
  const dropped = isNotification ? failures.filter((each) => !deliverable.includes(each)) : [];
  if (addressee === undefined || deliverable.length === 0) return { telling: undefined, dropped };
  const statuses = deliverable.map(({ status }) => status as RecipientStatus);
  const written = writeDeliveryStatusNotification(
    {
      reversePath: addressee,
      parameters,
      arrivedAt: new Date(message.arrived),
      // Whoever wrote a notification wants none about it; the postmaster does.
      recipients: isNotification ? statuses.map((each) => ({ ...each, parameters: {} })) : statuses,
      original: { size: message.size, content: store.body(message.id) },
    },
    { hostname, id: randomBytes(16).toString('hex'), date: new Date(now) },
  );
  if (written === undefined) return { telling: undefined, dropped };
  const { envelope, body } = written;
  return {
    telling: { put: { message: { envelope, now }, body }, actions: statuses.map(({ action }) => action) },
    dropped,
  };
}
