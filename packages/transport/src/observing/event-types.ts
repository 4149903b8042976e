/** The kinds of events at either end: what an observer may name, and each has a channel. */
import { namesOf } from '@sansmtp/core';
import type { ClientSessionEvent, ServerEvent } from './observer.js';

export type End = 'server' | 'client';

/** Those that the driver tells. The others are the session's own. */
const CONNECTION = {
  opened: true,
  received: true,
  sent: true,
  mailData: true,
  tls: true,
  fault: true,
  closed: true,
} as const;

const COMMON = {
  ...CONNECTION,
  transition: true,
  timerSet: true,
  timerCleared: true,
  command: true,
  response: true,
  reply: true,
  authentication: true,
  message: true,
} as const;

export const EVENT_TYPES = {
  server: namesOf<Record<ServerEvent['type'], unknown>>({
    ...COMMON,
    decision: true,
    refusal: true,
    excess: true,
  }),
  client: namesOf<Record<ClientSessionEvent['type'], unknown>>({ ...COMMON, failed: true }),
} as const satisfies Readonly<Record<End, readonly string[]>>;

/** Whether the session tells such events, and not its driver. */
export function isProtocolEvent(type: string): boolean {
  return !(type in CONNECTION) && type !== 'excess';
}
