/** What a case for clients is: a server's script, and a single demand on what the client makes of it. */
import type { Script } from '@sansmtp/testing';
import type { CaseGroupText } from '../contract/case.js';
import type { Demand } from '../contract/outcome.js';
import type { Setup, Task } from './contract.js';
import type { Judge } from './judging.js';

export interface ClientCase extends Demand {
  /** What the server does: on each connection, or one for each. */
  readonly script: Script | readonly Script[];
  /** @default 'plain' */
  readonly setup?: Setup;
  /** What is to be sent. @default a message with lines that begin with a dot, to one recipient */
  readonly task?: Partial<Pick<Task, 'from' | 'to' | 'message'>>;
  /** The client is told to trust another certificate than the server's. */
  readonly stranger?: boolean;
  /** The server never says anything more: judged where the client gives up soon. */
  readonly stalls?: boolean;
  readonly judge: Judge;
}

/** The cases of one subject for clients. */
export interface ClientCaseGroup extends CaseGroupText {
  readonly cases: readonly ClientCase[];
}

type Details = Partial<Omit<ClientCase, 'script' | 'judge' | keyof Demand>>;

/** A case in one expression: who, where, how much it matters, why; then the server's script, and the demand. */
export function clientCase(
  [id, section, level]: readonly [id: string, section: string, level: Demand['level']],
  rationale: string,
  script: Script | readonly Script[],
  judge: Judge,
  details: Details = {},
): ClientCase {
  return { id, section, level, rationale, script, judge, ...details };
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A message that says of itself that it is a test. The body's lines are ended by CRLF. */
export function messageWith(body: string): Uint8Array {
  return encode(`${TEST_HEADER.join('\r\n')}\r\n\r\n${body}`);
}

const TEST_HEADER = [
  'From: <ann@example.org>',
  'To: <bob@example.com>',
  'Date: Thu, 01 Jan 2026 00:00:00 +0000',
  'Message-ID: <probe.1@example.org>',
  'Subject: Test message of sansmtp probe, please ignore',
  'Auto-Submitted: auto-generated',
];

export const TEST_MESSAGE = messageWith('Nothing to do.\r\n.dot\r\n..\r\n.\r\n\r\nThe end.\r\n');
