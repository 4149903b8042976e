/** Generated dialogues: our own server is as the model has it, and a fault is found, shrunk and found again. */
import type { Chunking } from '@sansmtp/testing/arbitraries';
import { describe, expect, it } from 'vitest';
import { plantedFacts, plantedServer } from '../planted/server/planted-target.js';
import { examine } from '../running/examination.js';
import { ownServer } from '../running/own-server.test-support.js';
import { WHOLE } from './dialogues.js';
import { generate } from './generation.js';
import { play } from './player.js';

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

  it('stand in a transcript without what may be a password', async () => {
    const examination = await examine(plantedServer());
    const response = Buffer.from('\0ann\0pencil').toString('base64');
    const exchange = (line: string, ...responses: string[]) =>
      ({ kind: 'lines', lines: [line], responses }) as const;
    const steps = [
      exchange('EHLO probe.test'),
      exchange('AUTH LOGIN', 'YW5u', '*'),
      exchange('AUTH PLAIN ='),
      exchange(`AUTH PLAIN ${response}`),
    ];
    const said = async (chunks: Chunking) => {
      const { dialogue } = await examination.lend((target) =>
        play(target, { steps, chunks }, plantedFacts()),
      );
      return dialogue.filter((line) => line.startsWith('C: '));
    };
    expect(await said(WHOLE)).toEqual([
      'C: EHLO probe.test',
      'C: AUTH LOGIN',
      'C: (4 octets that are not shown)',
      'C: *',
      'C: AUTH PLAIN =',
      'C: AUTH PLAIN (16 octets that are not shown)',
    ]);
    const inOctets = (octets: Uint8Array) => Array.from(octets, (octet) => Uint8Array.of(octet));
    const hidden = (await said({ ...WHOLE, cut: inOctets })).filter((line) => line.includes('octets'));
    expect(hidden).toEqual([
      'C: (4 octets that are not shown)',
      'C: AUTH PLAIN (16 octets that are not shown)',
    ]);
  });

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
