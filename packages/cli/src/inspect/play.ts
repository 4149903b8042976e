/** `sansmtp play`: the page, with sessions that run in the browser, or with those of a trace. */
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import { listeningPort, path } from '../option-values.js';
import { oneLine, type Terminal } from '../terminal.js';
import { type PageContent, servePage } from './page-server.js';

const NOTES = `
Prints one line when it is ready: "listening play http://127.0.0.1:8025/". With --trace the URL has a token, without
which nobody sees the trace. It listens on this machine only, until SIGINT or SIGTERM.
Exit codes: 64 usage, or a trace that cannot be read; 71 cannot listen.`;

interface PlayOptions {
  readonly port: number;
  readonly trace?: string;
}

async function contentFor(command: Command, { trace }: PlayOptions): Promise<PageContent> {
  if (trace === undefined) return { mode: 'play' };
  try {
    await access(trace);
  } catch (error) {
    fail(command, exitCodes.usage, `${oneLine(trace)} cannot be read`, error);
  }
  return { mode: 'trace', path: trace };
}

async function play(command: Command, options: PlayOptions, terminal: Terminal): Promise<void> {
  const content = await contentFor(command, options);
  const page = await servePage(options.port, content).catch((error: Error) =>
    fail(command, exitCodes.system, 'cannot listen', error),
  );
  terminal.stdout.write(`listening play ${page.url}\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await page.close();
}

export function definePlay(program: Command, terminal: Terminal): void {
  const command = program.command('play');
  command
    .description('show sessions and their charts in the browser')
    .option('--port <number>', 'port to listen on; 0 for any free one', listeningPort, 8025)
    .option('--trace <file>', 'show the sessions of this trace', path)
    .addHelpText('after', NOTES)
    .action((options: PlayOptions) => play(command, options, terminal));
}
