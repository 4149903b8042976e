/**
 * What may happen in a state: the events for which the chart has a transition there, as the description says, and the
 * choice by which each of them can be had.
 */
import type { ChartDescription, TransitionDescription } from '@sansmtp/core';
import { lineageOf } from '@sansmtp/core/chart';
import type { Choice } from '../simulation/choices.js';
import { type End, otherEnd } from '../simulation/ends.js';
import type { Standing } from '../simulation/step.js';

/** A choice whose turn is yet to be said. */
export type OpenChoice = Choice extends infer Each
  ? Each extends Choice
    ? Omit<Each, 'turn'>
    : never
  : never;

export interface LegalEvent {
  /** Such as `command.MAIL`, or `after idle`. */
  readonly event: string;
  /** In the order in which they are tried. */
  readonly transitions: readonly TransitionDescription[];
  /** It is refused out of hand: whichever transition is taken, the reply is 4yz or 5yz and nothing else happens. */
  readonly isRefused: boolean;
}

/** @param path a leaf state */
export function legalIn(chart: ChartDescription, path: string): readonly LegalEvent[] {
  const found = new Map<string, TransitionDescription[]>();
  for (const { transitions } of lineageOf(chart, path)) {
    const own = new Map<string, TransitionDescription[]>();
    for (const transition of transitions) {
      const event = eventOf(transition);
      own.set(event, [...(own.get(event) ?? []), transition]);
    }
    for (const [event, candidates] of own) {
      const inner = found.get(event);
      // What a state itself says of an event hides what the states around it say, if it has a last word on it.
      if (inner === undefined) found.set(event, [...candidates]);
      else if (inner.every(({ guard }) => guard !== undefined)) inner.push(...candidates);
    }
  }
  return [...found].map(([event, transitions]) => ({
    event,
    transitions,
    isRefused: isSaid(event) && transitions.every((each) => refuses(each)),
  }));
}

export function eventOf({ trigger }: TransitionDescription): string {
  return trigger.kind === 'event' ? trigger.type : `after ${trigger.delay}`;
}

/** Of what the client says: only that can be refused. */
function isSaid(event: string): boolean {
  return event.startsWith('command.') || event === 'badCommand';
}

function refuses({ replies = [], target, actions }: TransitionDescription): boolean {
  if (target !== undefined && target !== 'closing') return false;
  const isTold = actions.some(({ name }) => name === 'reply' || name === 'refuse');
  return isTold && replies.length > 0 && replies.every(({ code }) => /^[45]/.test(code));
}

const COMMANDS: Readonly<Record<string, string>> = {
  EHLO: 'EHLO client.example.org',
  HELO: 'HELO client.example.org',
  LHLO: 'LHLO client.example.org',
  MAIL: 'MAIL FROM:<ann@example.org>',
  RCPT: 'RCPT TO:<carol@example.com>',
  BDAT: 'BDAT 0 LAST',
  AUTH: 'AUTH LOGIN',
  VRFY: 'VRFY bob',
  EXPN: 'EXPN friends',
  ETRN: 'ETRN example.org',
  XCLIENT: 'XCLIENT ADDR=192.0.2.1',
  XFORWARD: 'XFORWARD ADDR=192.0.2.1',
};

const REPLIES: Readonly<Record<string, string>> = {
  'reply.success': '250 2.0.0 Yes',
  'reply.intermediate': '354 Go on',
  'reply.transient': '450 4.2.0 Not now',
  'reply.permanent': '550 5.7.1 No',
  'reply.221': '221 2.0.0 Good-bye',
  'reply.421': '421 4.3.2 Not now, and not in this session',
  'reply.*': '299 An unheard-of reply',
};

/** How the event can be had; undefined: it cannot, here and now. */
export function forkFor(end: End, event: string, { question, isSecuring }: Standing): OpenChoice | undefined {
  const other = otherEnd(end);
  const say = (text: string): OpenChoice => ({ kind: 'say', from: other, text: `${text}\r\n` });
  if (event.startsWith('after ')) return { kind: 'wait', end };
  if (event.startsWith('reply.')) return say(REPLIES[event] ?? '250 Yes');
  if (event === 'command.*') return say('TURN');
  if (event === 'command.extension') return undefined;
  if (event.startsWith('command.')) {
    const verb = event.slice('command.'.length);
    return say(COMMANDS[verb] ?? verb);
  }
  switch (event) {
    case 'accepted':
      return question === undefined ? undefined : { kind: 'answer', decision: 'accept' };
    case 'rejected':
      return question === undefined ? undefined : { kind: 'answer', decision: 'reject' };
    case 'badCommand':
      return say('HOW DO YOU DO');
    case 'protocolError':
      return say('hello?');
    case 'cancel':
      return end === 'server' ? say('*') : undefined;
    case 'endOfMailData':
      return end === 'server' ? say('\r\n.') : undefined;
    case 'plaintext':
      return say('NOOP');
    case 'peerClosed':
      return { kind: 'close', from: other };
    case 'connectionLost':
      return { kind: 'drop' };
    case 'shutdown':
      return { kind: 'shutdown' };
    case 'tlsFailed':
      return isSecuring ? { kind: 'failTls' } : undefined;
    case 'send':
    case 'quit':
      return { kind: 'act', act: event };
    case 'inquire':
      return { kind: 'act', act: 'noop' };
    default:
      return undefined;
  }
}
