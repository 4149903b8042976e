import { createTracer, type TraceRecord } from '@sansmtp/charts/trace';
import { describe, expect, it } from 'vitest';
import { scenarios } from '../scenarios/index.js';
import { run } from '../simulation/run.js';
import type { Step } from '../simulation/step.js';
import type { Recording, WireLine } from './recording.js';
import { simulatedRecording } from './simulated.js';
import { TracedRecording } from './traced.js';

const recordingOf = (
  id: string,
  ...given: Parameters<typeof run> extends [unknown, ...infer Rest] ? Rest : never
) => {
  const scenario = scenarios.find((each) => each.id === id);
  if (scenario === undefined) throw new Error(`There is no scenario ${id}`);
  return simulatedRecording(scenario, run(scenario, ...given));
};

const linesOf = ({ wire }: Recording): WireLine[] =>
  wire.filter((item): item is WireLine => item.kind === 'line');

describe('a simulated session', () => {
  it.each(scenarios)('has a line for each that was said, and all of $id arrive', ({ id }) => {
    const lines = linesOf(recordingOf(id));
    expect(lines.length).toBeGreaterThan(4);
    for (const { sent, arrived = -1 } of lines) expect(arrived).toBeGreaterThan(sent);
  });

  it.each(scenarios)('has a title for each step of $id', ({ id }) => {
    for (const { title } of recordingOf(id).moments) expect(title).toMatch(/^[A-Z].*\.$/);
  });

  it('says where each end stood once it had read a line', () => {
    const rcpt = linesOf(recordingOf('pipelining')).filter(({ code }) => code === 250);
    expect(rcpt.slice(1, 4).map(({ states }) => states.client)).toEqual([
      'session.transaction.addressing',
      'session.transaction.addressing',
      'session.transaction.initiating',
    ]);
  });

  it('marks what somebody on the way has added or changed', () => {
    const forged = (id: string) => linesOf(recordingOf(id)).filter(({ isForged }) => isForged);
    expect(forged('injection').map(({ lines }) => lines)).toEqual([['MAIL FROM:<mallory@example.net>']]);
    expect(forged('smuggling').map(({ isMailData }) => isMailData)).toEqual([true]);
    expect(forged('happy')).toEqual([]);
  });

  it('marks what never arrives', () => {
    const lost = linesOf(recordingOf('happy', [{ turn: 7, kind: 'drop' }])).filter(
      ({ arrived }) => arrived === undefined,
    );
    expect(lost.map(({ verb }) => verb)).toEqual(['MAIL']);
  });

  it('shows no octet of an AUTH exchange', () => {
    const lines = linesOf(recordingOf('auth'));
    const exchange = lines.filter(({ octets }) => octets === undefined);
    expect(exchange.map(({ lines: [text] }) => text)).toEqual([
      'AUTH LOGIN',
      '334 [12 octets]',
      '[4 octets]',
      '334 [12 octets]',
      '[20 octets]',
    ]);
    expect(JSON.stringify(lines)).not.toContain('Y29ycmVjdCBob3JzZQ');
  });
});

describe('a trace', () => {
  /** The server's side of a scenario, as a server of its own would have traced it. */
  function traced(id: string): {
    readonly trace: Recording;
    readonly simulated: Recording;
    readonly steps: readonly Step[];
  } {
    const scenario = scenarios.find((each) => each.id === id);
    if (scenario === undefined) throw new Error(`There is no scenario ${id}`);
    const steps = run(scenario);
    const recording = new TracedRecording('c1', 'server');
    const write = (record: TraceRecord): void => recording.take(record);
    const tell = createTracer({ end: 'server', write, wallClock: () => 0 });
    const session = { id: 'c1' };
    tell({ type: 'opened', time: 0 }, session);
    for (const { told, happening, now } of steps) {
      if (happening.kind === 'arrival' && happening.from === 'client') {
        tell({ type: 'received', time: now, length: happening.octets.length }, session);
      }
      for (const each of told) if (each.end === 'server' && 'event' in each) tell(each.event, session);
    }
    return { trace: recording.recording, simulated: simulatedRecording(scenario, steps), steps };
  }

  it.each(['happy', 'pipelining', 'smuggling', 'timeout'])(
    'of %s stands where the simulation stood',
    (id) => {
      const { trace, simulated } = traced(id);
      const states = (recording: Recording): string[] =>
        recording.moments.flatMap(({ rungs }) =>
          rungs.server.flatMap((rung) => (rung.kind === 'state' ? rung.to : [])),
        );
      expect(states(trace)).toEqual(states(simulated));
      expect(trace.moments.at(-1)?.states.server).toBe('closed');
    },
  );

  it('has a step for each line that was read and each decision', () => {
    const { trace } = traced('happy');
    expect(trace.moments.map(({ title }) => title).slice(0, 4)).toEqual([
      'The client connects.',
      'The server’s application accepts the connection.',
      'The server reads EHLO.',
      'The server’s application accepts the client’s name.',
    ]);
    expect(trace.ends).toEqual(['server']);
  });
});
