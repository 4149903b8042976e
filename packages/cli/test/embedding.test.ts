import { expect, it } from 'vitest';
import { examplesOf } from './document-examples.js';

const { run, listen } = examplesOf('README.md', 'docs/embedding.md');

it('parses a message while it arrives, by two parsers', async () => {
  const { port, until } = await listen('parse');
  expect(await run('send', { PORT: String(port) })).toBe('delivered 250\ndelivered 250\n');
  expect(await until(/(postal-mime: .*)\n/)).toBe('postal-mime: hello (My first message.)');
  expect(await until(/(mailparser: .*)\n/)).toBe('mailparser: hello (My first message.)');
}, 20_000);
