import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { examplesOf } from './document-examples.js';

const { run, listen } = examplesOf('README.md', 'packages/core/README.md');

it('stores with one example what the other sends, and refuses what it says it refuses', async () => {
  const { port, folder, until } = await listen('receive');
  expect(await run('send', { PORT: String(port) })).toBe('delivered 250\nrejected 550\n');
  // "Subject: hello", an empty line and "My first message.", each ended by CRLF
  expect(await until(/(stored .*)\n/)).toBe('stored 37 octets for 1 recipient(s)');
  const [file = ''] = await readdir(join(folder, 'mail', 'new'));
  expect(await readFile(join(folder, 'mail', 'new', file), 'utf8')).toMatch(
    /^Return-Path: <ann@example\.org>\r\n[\s\S]*\r\nSubject: hello\r\n\r\nMy first message\.\r\n$/,
  );
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
