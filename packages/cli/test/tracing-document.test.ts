/** What docs/tracing.md shows is what comes out: its examples run as they are printed, its ladder is one. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { examplesOf } from './document-examples.js';

const examples = examplesOf('docs/tracing.md');

it('shows a part of a ladder that replay makes', async () => {
  const document = await readFile(new URL('../../../docs/tracing.md', import.meta.url), 'utf8');
  const [, name = '', ladder = ''] = /<!-- ladder: (\w+) -->\n```\n([\s\S]*?)```/.exec(document) ?? [];
  expect(await readFile(new URL(`traces/${name}.ladder`, import.meta.url), 'utf8')).toContain(ladder);
  expect(ladder).toContain('503 because');
});

it('tells why a reply was given', async () => {
  const [reason, header = ''] = (await examples.run('tracing')).split('\n');
  expect(reason).toMatch(
    /^503 because no recipient was accepted: session\.transaction\.opened takes RCPT, RSET, /,
  );
  expect(JSON.parse(header)).toMatchObject({ trace: { vantage_point: { type: 'server' } } });
});

it('shows a session to Stately’s inspector', async () => {
  const printed = (await examples.run('inspection')).split('\n');
  expect(printed[0]).toBe('@xstate.actor undefined connecting');
  expect(printed).toContain('@xstate.event command.MAIL undefined');
  expect(printed).toContain("@xstate.snapshot command.MAIL { session: { transaction: 'opening' } }");
  expect(printed.at(-2)).toBe('@xstate.snapshot peerClosed closed');
});
