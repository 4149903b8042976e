/** The example of docs/smtp-server.md runs as it is printed. */
import { expect, it } from 'vitest';
import { examplesOf } from './document-examples.js';

const { run, listen } = examplesOf('README.md', 'docs/smtp-server.md');

it('receives by callbacks what another example sends', async () => {
  const { port, until } = await listen('callbacks');
  expect(await run('send', { PORT: String(port) })).toBe('delivered 250\nrejected 550\n');
  expect(await until(/(\d+ octets from .*)\n/)).toBe('37 octets from ann@example.org');
}, 20_000);
