/** `sansmtp serve` for one test, on a port and a Unix socket of its own, with a Maildir of its own. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Running, sansmtp, scratchFolder, start, until } from './processes.js';

export interface Serving extends Running {
  readonly port: number;
  readonly unix: string;
  readonly maildir: string;
  /** The port of a listener that an option has added. */
  portOf(kind: 'smtps' | 'submission' | 'lmtp'): number;
  /** Where messages are found once they are stored. */
  messages(): Promise<StoredMessage[]>;
}

export interface StoredMessage {
  /** The lines put in front of it. */
  readonly header: string;
  /** The message itself. */
  readonly body: Buffer;
}

const TRACE_HEADER = /^Return-Path: .*\r\n(?:Delivered-To: .*\r\n)+Received: .*\r\n(?:\t.*\r\n)+/;

export async function readMaildir(maildir: string): Promise<StoredMessage[]> {
  const folder = join(maildir, 'new');
  const files = await readdir(folder);
  return Promise.all(
    files.sort().map(async (file) => {
      const content = await readFile(join(folder, file));
      const [header = ''] = TRACE_HEADER.exec(content.toString('latin1', 0, 100_000)) ?? [];
      return { header, body: content.subarray(header.length) };
    }),
  );
}

/** @param wrapper a program and its words to run the command under */
export async function serve(
  words: readonly string[] = [],
  wrapper: readonly string[] = [],
): Promise<Serving> {
  const folder = await scratchFolder();
  const maildir = join(folder, 'mail');
  const unix = join(folder, 'socket');
  const store = words.includes('--discard') ? [] : ['--maildir', maildir];
  const [node, script] = sansmtp(
    'serve',
    '--port',
    '0',
    '--unix',
    unix,
    '--hostname',
    'mx.example',
    ...store,
  );
  const [program = node, ...rest] = [...wrapper, node, ...script, ...words];
  const running = start(program, rest);
  await Promise.race([
    until(() => running.stdout.includes('listening unix')),
    running.exit.then((exit) => Promise.reject(new Error(`serve ended with ${exit}: ${running.stderr}`))),
  ]);
  const portOf = (kind: string) =>
    Number(new RegExp(`^listening ${kind} 127\\.0\\.0\\.1:(\\d+)$`, 'm').exec(running.stdout)?.[1]);
  return Object.assign(running, {
    port: portOf('smtp'),
    portOf,
    unix,
    maildir,
    messages: () => readMaildir(maildir),
  });
}
