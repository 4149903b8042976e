/** The examples of docs/observing.md run as they are printed. */
import { expect, it } from 'vitest';
import { examplesOf } from './document-examples.js';

const examples = examplesOf('docs/observing.md');

it('shows what both ends tell an observer', async () => {
  const printed = (await examples.run('observing')).split('\n');
  expect(printed).toContain('mx C: EHLO client.example');
  expect(printed).toContain('mx accepted 7');
  expect(printed).toContain("client [ 'delivered' ]");
});

it('publishes on channels, and a store reaches the handlers', async () => {
  const printed = (await examples.run('channels')).split('\n');
  expect(printed).toEqual(['same session true', 'closed by quit', '']);
});

it('makes a span of a session', async () => {
  const printed = (await examples.run('telemetry')).split('\n');
  expect(printed).toContain('smtp session message {"outcome":"accepted","size":7}');
  expect(printed.slice(-3)).toEqual(['smtp session smtp.ending quit', 'smtp session end', '']);
});
