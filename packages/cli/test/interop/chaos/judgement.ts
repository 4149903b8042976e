/**
 * What must hold of all messages in the end:
 * - for each recipient of a message that was answered 250, the message arrived, or its sender was told that it cannot;
 * - whoever was refused for good is told of, and nobody else is;
 * - what arrived more often than once was logged as `unknown` each time but the first. That holds of notifications as well.
 */

/** Each recipient address belongs to one message alone. */
export interface Records {
  /** Recipients of the messages that were answered 250. */
  readonly accepted: ReadonlySet<string>;
  /** How often the sinks took what for whom. */
  readonly arrivals: ReadonlyMap<string, number>;
  /** How often they took which notification, and for whom. */
  readonly notifications: ReadonlyMap<string, { readonly to: string; readonly times: number }>;
  /** Whom notifications say that mail could not be delivered to. */
  readonly bounced: ReadonlySet<string>;
  /** How often the relays have logged `unknown` for whom. */
  readonly unknown: ReadonlyMap<string, number>;
  /** Whom the sinks refuse for good. */
  readonly isRefused: (recipient: string) => boolean;
}

/** @returns what does not hold, each in words */
export function judge({ accepted, arrivals, notifications, bounced, unknown, isRefused }: Records): string[] {
  const problems: string[] = [];
  for (const recipient of accepted) {
    const isDone = isRefused(recipient) ? bounced.has(recipient) : arrivals.has(recipient);
    if (!isDone) problems.push(`lost: ${recipient}`);
  }
  for (const recipient of bounced) {
    if (!isRefused(recipient)) problems.push(`bounced without a reason: ${recipient}`);
  }
  const repeated = new Map<string, number>();
  const count = (recipient: string, times: number) => {
    if (times > 1) repeated.set(recipient, (repeated.get(recipient) ?? 0) + times - 1);
  };
  for (const [recipient, times] of arrivals) count(recipient, times);
  for (const { to, times } of notifications.values()) count(to, times);
  for (const [recipient, times] of repeated) {
    const explained = unknown.get(recipient) ?? 0;
    if (times > explained) {
      problems.push(`${times} duplicates for ${recipient}, of which the log explains ${explained}`);
    }
  }
  return problems;
}
