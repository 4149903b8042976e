/** A server that takes long for each reply, or a machine that is busy, is judged as any other. */
import { describe, expect, it } from 'vitest';
import { disconnects } from '../cases/connections/disconnects.js';
import { smuggling } from '../cases/mail-data/smuggling.js';
import type { ConformanceCase } from '../contract/case.js';
import { Deviation } from '../dialogue/findings.js';
import { examine } from './examination.js';
import { judgeAll } from './judge-all.js';
import { ownServer } from './own-server.test-support.js';

/** A reply takes four seconds: more than ten times the least silence that shows that nothing comes. */
const LATENCY = 2000;

describe('a slow server', () => {
  it('has no findings, whatever is judged by what does not come', async () => {
    const failed: string[] = [];
    const examination = await examine(ownServer({}, LATENCY));
    for await (const { id, outcome } of judgeAll(examination, [smuggling, disconnects]))
      if (outcome.result === 'failed') failed.push(`${id}: ${outcome.seen}`);
    expect(failed).toEqual([]);
  });

  it('is heard, where it says what was not due', async () => {
    const examination = await examine(ownServer({}, LATENCY));
    const saysMore: ConformanceCase = {
      id: 'slow/says-more',
      section: 'RFC 5321 §4.2',
      level: 'MUST',
      rationale: 'Two commands get two replies.',
      async run(target) {
        const dialogue = await target.hello();
        dialogue.send('NOOP\r\nRSET\r\n');
        await dialogue.wait(2 * LATENCY - 500);
        if ((await dialogue.rest()).length !== 2) throw new Deviation('its replies were not waited for');
      },
    };
    expect((await examination.judge(saysMore)).outcome).toEqual({ result: 'passed' });
  });
});
