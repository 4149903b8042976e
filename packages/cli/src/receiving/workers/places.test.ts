import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FromWorker, ToWorker } from './messages.js';
import { type Places, places } from './places.js';
import { sharedLimits } from './shared-limits.js';

const A = '192.0.2.1';

/** A worker's places, and what it has said. */
function worker(): { readonly own: Places; readonly said: FromWorker[] } {
  const said: FromWorker[] = [];
  return { own: places((message) => said.push(message)), said };
}

describe('the place of a session', () => {
  it('is asked for, and once it has ended serves the next of that client without a question', async () => {
    const { own, said } = worker();
    const first = own.enter(A, 3);
    expect(said).toEqual([{ type: 'enter', question: 1, client: A, maximum: 3 }]);
    own.hear({ type: 'answer', question: 1, limit: undefined });
    expect(await first).toBeUndefined();
    own.leave(A);
    expect(own.enter(A, 3)).toBeUndefined();
    expect(said).toHaveLength(1);
    const second = own.enter(A, 3);
    own.hear({ type: 'answer', question: 2, limit: 'maximumConnectionsPerClient' });
    expect(await second).toBe('maximumConnectionsPerClient');
  });

  it('of another client is no place for this one', () => {
    const { own, said } = worker();
    own.leave(undefined);
    own.enter(A, 3);
    expect(said).toEqual([expect.objectContaining({ type: 'enter', client: A })]);
  });

  it('is given back where a hundred are kept that ended later', () => {
    const { own, said } = worker();
    for (let client = 0; client < 101; client += 1) own.leave(`${client}`);
    expect(said).toEqual([{ type: 'leave', client: '0' }]);
    own.leave('1');
    expect(said[1]).toEqual({ type: 'leave', client: '2' });
  });

  it('is given back where places are scarce, as are all that were kept', () => {
    const { own, said } = worker();
    own.leave(A);
    own.hear({ type: 'placesAreScarce' });
    own.leave(undefined);
    own.hear({ type: 'placesAreMany' });
    own.leave(A);
    expect(said).toEqual([
      { type: 'leave', client: A },
      { type: 'placesGivenBack' },
      { type: 'leave', client: undefined },
    ]);
  });
});

/** Workers and the process that supervises them, each message of which takes a moment. */
function crewOf(count: number, maximum: number) {
  const recalls = new Map<number, () => void>();
  const pass = (deliver: () => void) => void Promise.resolve().then(deliver);
  const say = (to: number, message: ToWorker) => pass(() => workers[to]?.hear(message));
  const all = Array.from({ length: count }, (_, id) => id);
  const limits = sharedLimits(maximum, {
    async recall() {
      const given = all.map(
        (id) =>
          new Promise<void>((resolve) => {
            recalls.set(id, resolve);
            say(id, { type: 'placesAreScarce' });
          }),
      );
      await Promise.all(given);
    },
    allow() {},
  });
  async function hear(id: number, message: FromWorker): Promise<void> {
    if (message.type === 'leave') limits.leave(id, message.client);
    else if (message.type === 'placesGivenBack') recalls.get(id)?.();
    else if (message.type === 'enter') {
      const { question, client, maximum } = message;
      const limit = await limits.enter(id, client, maximum);
      say(id, { type: 'answer', question, limit });
    }
  }
  const workers = all.map((id) => places((message) => pass(() => void hear(id, message))));
  return workers;
}

it('all workers together have as many sessions as they may, and as each client may: no more, and no fewer', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ worker: fc.nat(2), client: fc.constantFrom(undefined, 'a', 'b'), ends: fc.boolean() }),
        { maxLength: 60 },
      ),
      async (steps) => {
        const [maximum, maximumOfClient] = [5, 3];
        const crew = crewOf(3, maximum);
        const sessions: { readonly worker: number; readonly client: string | undefined }[] = [];
        for (const { worker, client, ends } of steps) {
          if (ends) {
            const place = sessions.findIndex((each) => each.worker === worker && each.client === client);
            if (place === -1) continue;
            sessions.splice(place, 1);
            crew[worker]?.leave(client);
            continue;
          }
          const ofClient = sessions.filter((each) => each.client === client).length;
          const limit = await crew[worker]?.enter(client, maximumOfClient);
          const isFull = sessions.length === maximum;
          const clientIsFull = client !== undefined && ofClient === maximumOfClient;
          expect(limit !== undefined).toBe(isFull || clientIsFull);
          if (limit === undefined) sessions.push({ worker, client });
        }
      },
    ),
    { numRuns: 200 },
  ));
