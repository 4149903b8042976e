import { createInspector, type StatelyInspectionEvent } from '@statelyai/inspect';
import { describe, expect, it, vi } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { type InspectionEvent, toInspector } from './inspection.js';
import type { TraceRecord } from './records.js';
import { deliveredBetween, TracedServer } from './traced-sessions.test-support.js';

/** What Stately's inspector gets of these records. */
function inspected(records: readonly TraceRecord[], end: 'server' | 'client' = 'server') {
  const events: InspectionEvent[] = [];
  const inspector = createInspector({
    send: (event: StatelyInspectionEvent) => events.push(event as InspectionEvent),
  });
  // That this compiles says that its types are met.
  const take = toInspector(end, (event) => inspector.adapter.send(event));
  for (const record of records) take(record);
  return events;
}

const session = () =>
  new TracedServer()
    .say('EHLO c.example')
    .say('MAIL FROM:<a@c.example>', 'RCPT TO:<b@s.example>')
    .say('QUIT')
    .end();

describe('a session for Stately’s inspector', () => {
  it('has events of the form that its own have', async () => {
    const theirs: StatelyInspectionEvent[] = [];
    const inspector = createInspector({ send: (event: StatelyInspectionEvent) => theirs.push(event) });
    const machine = createMachine({
      id: 'light',
      initial: 'red',
      states: { red: { on: { go: 'green' } }, green: {} },
    });
    const actor = createActor(machine, { inspect: inspector.inspect }).start();
    actor.send({ type: 'go' });
    await vi.waitFor(() => expect(theirs.map(({ type }) => type)).toContain('@xstate.snapshot'));

    const ours = inspected(session().records);
    for (const type of ['@xstate.actor', '@xstate.event', '@xstate.snapshot']) {
      const [our, their] = [ours, theirs].map((events) => events.find((event) => event.type === type) ?? {});
      expect(Object.keys(our ?? {}).sort(), type).toEqual(Object.keys(their ?? {}).sort());
    }
  });

  it('is an actor, whose definition is the chart: XState reads it', () => {
    const [actor] = inspected(session().records);
    expect(actor).toMatchObject({
      type: '@xstate.actor',
      sessionId: 's1',
      rootId: 's1',
      snapshot: { value: 'connecting' },
    });
    const config = JSON.parse(actor?.type === '@xstate.actor' ? actor.definition : '');
    const machine = createMachine(config);
    expect(machine.id).toBe('server');
    expect(machine.getStateNodeById('server.session.transaction.opened').description).toBe(
      'A mail transaction without a recipient.',
    );
    expect(machine.events).toContain('command.MAIL');
  });

  it('is told of each event with its line, and where it led', () => {
    const events = inspected(session().records);
    const mail = events.findIndex(
      ({ type, ...event }) =>
        type === '@xstate.event' && 'event' in event && event.event.type === 'command.MAIL',
    );
    expect(events.slice(mail, mail + 2)).toMatchObject([
      { type: '@xstate.event', event: { type: 'command.MAIL', line: 'MAIL FROM:<a@c.example>' } },
      {
        type: '@xstate.snapshot',
        event: { type: 'command.MAIL' },
        snapshot: { status: 'active', value: { session: { transaction: 'opening' } } },
      },
    ]);
    const snapshots = events.filter((event) => event.type === '@xstate.snapshot');
    expect(snapshots.map(({ snapshot }) => snapshot.context)).toContainEqual(
      expect.objectContaining({ introduced: true, open: true, recipients: 1 }),
    );
    expect(snapshots.at(-1)).toMatchObject({ snapshot: { status: 'done', value: 'closed' } });
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events[0]?.createdAt).toBe(`${Date.UTC(2026, 0, 2, 3, 4, 5)}`);
  });

  it('may be a client’s', () => {
    const events = inspected(deliveredBetween().client, 'client');
    expect(events).toContainEqual(
      expect.objectContaining({
        type: '@xstate.event',
        event: { type: 'reply.success', line: 'mx.example ESMTP' },
      }),
    );
  });
});
