import { expect, it } from 'vitest';
import { examplesOf } from './document-examples.js';

const { run, listen } = examplesOf('README.md', 'packages/core/README.md');

it('receives with one example what the other sends, and refuses what it says it refuses', async () => {
  const { port, until } = await listen('receive');
  expect(await run('send', { PORT: String(port) })).toBe('delivered 250\nrejected 550\n');
  // "Subject: hello", an empty line and "My first message.", each ended by CRLF
  expect(await until(/(\d+ octets for \d+ recipient\(s\))\n/)).toBe('37 octets for 1 recipient(s)');
}, 20_000);

it('serves the sockets of a server of its own', async () => {
  const { port, until } = await listen('socket');
  expect(await run('send', { PORT: String(port) })).toBe('delivered 250\ndelivered 250\n');
  expect(await until(/(Subject: hello\r\n\r\nMy first message\.\r\n)/)).toBeDefined();
}, 20_000);

it('holds a whole dialogue with nothing but the core', async () => {
  const replies = (await run('embed')).split('\r\n');
  expect(
    replies.map((line) => line.slice(0, 3)).filter((code, index, all) => code !== all[index - 1]),
  ).toEqual(['220', '250', '354', '250', '221', '']);
}, 20_000);

it('serves a connection with nothing but the core', async () => {
  const { port, until } = await listen('server');
  expect(await run('send', { PORT: String(port) })).toBe('delivered 250\ndelivered 250\n');
  expect(await until(/(Subject: hello\r\n\r\nMy first message\.\r\n)/)).toBeDefined();
}, 20_000);

it('delivers a message with nothing but the core', async () => {
  expect((await run('client')).split(/\r?\n/)).toEqual([
    'EHLO client.example.org',
    'MAIL FROM:<ann@example.org>',
    'RCPT TO:<bob@example.com>',
    'DATA',
    'Subject: hello',
    '',
    '..dots are no problem',
    '.',
    'delivered',
    'QUIT',
    '',
  ]);
}, 20_000);
