import { describeChart } from '@sansmtp/core';
import { leafOf } from '@sansmtp/core/chart';
import { describe, expect, it } from 'vitest';
import { scenarios } from '../scenarios/index.js';
import { ENDS } from '../simulation/ends.js';
import { run } from '../simulation/run.js';
import type { Step } from '../simulation/step.js';
import { forkFor, legalIn } from './legal.js';

const eventsIn = (end: 'client' | 'server', path: string, isRefused = false): string[] =>
  legalIn(describeChart(end), path)
    .filter((each) => each.isRefused === isRefused)
    .map(({ event }) => event);

describe('what is legal', () => {
  it('after MAIL is RCPT, and what may come at any time', () => {
    const legal = eventsIn('server', 'session.transaction.opened');
    expect(legal).toEqual(
      expect.arrayContaining(['command.RCPT', 'command.RSET', 'command.QUIT', 'after idle']),
    );
    expect(legal).not.toContain('command.DATA');
    expect(eventsIn('server', 'session.transaction.opened', true)).toContain('command.DATA');
  });

  it('for a client that awaits a reply is a reply, and none that makes no sense', () => {
    expect(eventsIn('client', 'session.transaction.mailing')).toEqual(
      expect.arrayContaining(['reply.success', 'reply.permanent', 'reply.421', 'after mail']),
    );
  });

  it('leads to a state that has a box on the map', () => {
    const chart = describeChart('server');
    expect(leafOf(chart, 'session')).toBe('session.greeted');
    expect(leafOf(chart, 'session.transaction')).toBe('session.transaction.opening');
    expect(leafOf(chart, 'session.ready')).toBe('session.ready');
  });

  it('is nothing once the session is over', () => {
    expect(eventsIn('server', 'closed')).toEqual(['connectionLost']);
  });
});

describe('a fork to what is legal now', () => {
  const happy = scenarios[0];
  if (happy === undefined) throw new Error('There is no scenario');
  const steps = run(happy);

  it.each(ENDS)('takes the transition that was chosen, wherever the %s stands', (end) => {
    for (const [index, step] of steps.entries()) {
      if (steps[index + 1] === undefined) continue;
      const state = step.standing.states[end];
      for (const { event } of legalIn(describeChart(end), state)) {
        const fork = forkFor(end, event, step.standing);
        if (fork === undefined) continue;
        const turn = step.turn + 1;
        const forked = run(happy, [{ ...fork, turn }]).filter((each) => each.turn === turn);
        const took = forked.flatMap((each) => transitionsOf(each, end));
        if (isHad(end, event, state)) expect(took, `${event} in ${state}`).toContain(event);
      }
    }
  });
});

function transitionsOf({ told }: Step, end: 'client' | 'server'): string[] {
  return told.flatMap((each) => {
    if (each.end !== end || !('event' in each) || each.event.type !== 'transition') return [];
    const { event } = each.event;
    return [event.replace(/^xstate\.after\.(\w+)\..*$/, 'after $1')];
  });
}

/** Octets are read only where the session reads commands, or replies; elsewhere they wait, or are something else. */
function isHad(end: 'client' | 'server', event: string, state: string): boolean {
  if (event.endsWith('.*') || event === 'connectionLost') return false;
  if (end === 'server')
    return (
      /greeted|ready|opened|addressed/.test(state) &&
      /^command\.(?:EHLO|NOOP|RSET|MAIL|RCPT|QUIT)$/.test(event)
    );
  return /greeting|identifying|transaction\.(mailing|addressing)/.test(state) && event.startsWith('reply.');
}
