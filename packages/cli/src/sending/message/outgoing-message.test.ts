import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { MailDataError } from '@sansmtp/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type OutgoingMessage, openMessage } from './outgoing-message.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'message-'));
  vi.stubEnv('TMPDIR', folder);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const nothing = Readable.from([]);

async function contentOf(message: OutgoingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of message.read()) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('a message to send', () => {
  it('is sent as it was looked through: a file that grows is cut, and one that shrinks ends in an error', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'a\nb\n');
    const message = await openMessage(file, nothing);
    await writeFile(file, 'a\nb\nc\n');
    expect(await contentOf(message)).toBe('a\nb\n');
    await writeFile(file, 'a\n');
    await expect(contentOf(message)).rejects.toThrow('shorter by 2 octets');
    await message.close();
  });

  it('is read from a file, as often as needed', async () => {
    const file = join(folder, 'file');
    await writeFile(file, 'a\nb\n');
    const message = await openMessage(file, nothing);
    expect(message).toMatchObject({ size: 6, eightBit: false, utf8Header: false });
    expect(await contentOf(message)).toBe('a\nb\n');
    expect(await contentOf(message)).toBe('a\nb\n');
    await message.close();
  });

  it('is read from standard input, and kept where nobody finds it', async () => {
    const parts = Array.from({ length: 100 }, (_, i) => `${`${i}`.repeat(499)}\n`);
    const message = await openMessage('-', Readable.from(parts.map((part) => Buffer.from(part))));
    expect(await readdir(folder)).toEqual([]);
    expect(message.size).toBe(parts.join('').length + 100);
    expect(await contentOf(message)).toBe(parts.join(''));
    expect(await contentOf(message)).toBe(parts.join(''));
    await message.close();
  });

  it('is read from a pipe that has a name', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const [message] = await Promise.all([openMessage(pipe, nothing), writeFile(pipe, 'a\nb\n')]);
    expect(await contentOf(message)).toBe('a\nb\n');
    expect(await readdir(folder)).toEqual(['pipe']);
    await message.close();
  });

  it('may be left in the middle', async () => {
    const message = await openMessage('-', Readable.from([Buffer.alloc(200_000, 'a\n')]));
    for await (const _ of message.read()) break;
    await message.close();
  });

  it.each(['a\rb\n', 'a\0\n'])('is refused when it cannot be sent, and leaves nothing', async (text) => {
    const file = join(folder, 'file');
    await writeFile(file, text);
    await expect(openMessage(file, nothing)).rejects.toThrow(MailDataError);
    await expect(openMessage('-', Readable.from([Buffer.from(text)]))).rejects.toThrow(MailDataError);
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('is refused when there is none', async () => {
    await expect(openMessage(join(folder, 'none'), nothing)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(openMessage(folder, nothing)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
