/** Generated dialogues: our own server is as the model has it, and a fault is found, shrunk and found again. */
import { describe, expect, it } from 'vitest';
import { plantedFacts, plantedServer } from '../planted/planted-target.js';
import { examine } from '../running/examination.js';
import { ownServer } from '../running/own-server.test-support.js';
import { generate } from './generation.js';

describe('generated dialogues', () => {
  it.each(['smtp', 'lmtp'] as const)(
    'find nothing in our own server, in %s',
    async (protocol) => {
      const examination = await examine(ownServer({ protocol }));
      const { outcome, dialogue, seed } = await generate(examination, {
        anything: true,
        runs: 40,
        facts: { protocol, strict: true, users: { ann: 'pencil' }, takes: () => true },
      });
      expect(outcome, `seed ${seed}\n${dialogue.join('\n')}`).toEqual({ result: 'passed' });
    },
    60_000,
  );

  it('find a fault, shrink it to a few lines, and come to it again by seed and path', async () => {
    const examination = await examine(plantedServer('rset-keeps-sender'));
    const options = { anything: true, facts: plantedFacts(), runs: 200 };
    const found = await generate(examination, { ...options, seed: 3 });
    expect(found.outcome.result).toBe('failed');
    expect(found.section).toMatch(/RFC 5321/);
    expect(found.dialogue.length).toBeLessThan(20);
    const again = await generate(examination, { ...options, seed: 3, path: found.path ?? '' });
    expect(again).toMatchObject({ outcome: found.outcome, dialogue: found.dialogue, runs: 1 });
  }, 60_000);

  it('send mail to the given recipient only, unless anything may be tried', async () => {
    const server = plantedServer();
    const examination = await examine(server);
    const { outcome } = await generate(examination, { runs: 30, seed: 1 });
    expect(outcome).toEqual({ result: 'passed' });
    const { received = () => [] } = server;
    for (const { recipients, content } of await received()) {
      expect(new Set(recipients)).toEqual(new Set([server.to]));
      expect(Buffer.from(content).toString()).toContain('please ignore');
    }
  }, 60_000);
});
