/** A simulated session as a recording: the events of both ends become trace records, and those the story of each. */
import { createTracer, Ladder, type Rung, type TraceableEvent } from '@sansmtp/charts/trace';
import { ENDS, type End, otherEnd } from '../simulation/ends.js';
import type { Scenario } from '../simulation/scenario.js';
import type { Step } from '../simulation/step.js';
import type { Moment, Recording } from './recording.js';
import { wireOf } from './wire.js';
import { titleOf } from './words.js';

export function simulatedRecording(scenario: Scenario, steps: readonly Step[]): Recording {
  const stories = { client: new Story('client', scenario), server: new Story('server', scenario) };
  const moments = steps.map((step): Moment => {
    const rungs = { client: stories.client.take(step), server: stories.server.take(step) };
    return {
      time: step.now,
      title: titleOf(step.happening, step.now, saidIn(step, rungs)),
      states: step.standing.states,
      rungs,
    };
  });
  return { ends: ENDS, moments, wire: wireOf(steps, moments) };
}

/** What one end tells. */
class Story {
  readonly #end: End;
  readonly #ladder: Ladder;
  readonly #session: { readonly id: string };
  readonly #tell: ReturnType<typeof createTracer>;
  readonly #octets = { received: 0, sent: 0 };
  #tls: Scenario['client']['tls'];
  #rungs: Rung[] = [];
  #isClosed = false;

  constructor(end: End, scenario: Scenario) {
    this.#end = end;
    this.#tls = scenario[end].tls;
    this.#session = { id: scenario.id };
    this.#ladder = new Ladder(scenario.id, end);
    const write = (record: Parameters<Ladder['take']>[0]): void => {
      this.#rungs.push(...this.#ladder.take(record));
    };
    this.#tell = createTracer({ end, write, wallClock: () => 0, mailData: true });
  }

  take({ happening, told, sent, now: time, standing }: Step): readonly Rung[] {
    this.#rungs = [];
    const tell = (event: TraceableEvent): void => this.#tell(event, this.#session);
    if (happening.kind === 'opened') tell({ type: 'opened', time, ...(this.#tls && { tls: this.#tls }) });
    if (happening.kind === 'arrival' && happening.from !== this.#end) {
      const { length } = happening.octets;
      this.#octets.received += length;
      tell({ type: 'received', time, length });
    }
    if (happening.kind === 'tls') {
      if (happening.established) tell({ type: 'tls', time, outcome: 'established', tls: TLS });
      else tell({ type: 'tls', time, outcome: 'failed', error: new Error('The handshake failed') });
    }
    for (const each of told) {
      if (each.end !== this.#end) continue;
      if ('event' in each) tell(each.event);
      else tell({ type: 'mailData', time, octets: each.mailData });
    }
    for (const { from, octets } of sent) if (from === this.#end) this.#octets.sent += octets.length;
    if (standing.states[this.#end] === 'closed' && !this.#isClosed) {
      this.#isClosed = true;
      const { received: octetsReceived, sent: octetsSent } = this.#octets;
      const ending = happening.kind === 'lost' ? 'lost' : 'quit';
      tell({ type: 'closed', time, ending, state: 'closed', duration: time, octetsReceived, octetsSent });
    }
    return this.#rungs;
  }
}

const TLS = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', channelBindings: {} } as const;

/** What the reading end has read in this step. */
function saidIn({ happening }: Step, rungs: Readonly<Record<End, readonly Rung[]>>): readonly string[] {
  if (happening.kind !== 'arrival') return [];
  return rungs[otherEnd(happening.from)].flatMap((rung) => {
    if (rung.kind === 'line' && rung.by === happening.from) {
      return [rung.code === undefined ? (rung.verb ?? 'a line') : String(rung.code)];
    }
    return rung.kind === 'mailData' ? ['mail data'] : [];
  });
}
