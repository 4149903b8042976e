/** `sansmtp queue`: looks after a queue, while relays run or not. */
import { readdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { QueueDamage, QueueStore } from '@sansmtp/queue';
import { type Command, Option } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import { path } from '../option-values.js';
import { oneLine, type Terminal } from '../terminal.js';
import { askRelay, NoRelayError } from './control-socket.js';
import { lineOf, linesOf } from './listed-message.js';
import { isPostgres, openPostgres, shownPlace } from './postgres.js';
import { perform, type QueueAnswer, type QueueRequest } from './requests.js';

const NOTES = `
A queue in a directory: where a relay has it open, that relay is asked, over a socket in the directory.
retry makes messages due now, by ID, of one --domain, or --all; hold lets nobody deliver a message until
release; drop deletes it, and tells nobody. hold and drop act after an attempt that is under way.
Exit codes: 0 done, 69 no such ID, 75 the queue cannot be reached, 64 wrong usage.`;

interface QueueOptions {
  readonly queue: string;
  readonly json?: true;
}

interface RetryOptions extends QueueOptions {
  readonly all?: true;
  readonly domain?: string;
}

/** The queue itself: its directory under its lock, or the database. */
async function* ask(place: string, request: QueueRequest, { stderr }: Terminal): AsyncGenerator<QueueAnswer> {
  if (isPostgres(place)) return yield* askStore(await openPostgres(place), request);
  try {
    return yield* askRelay(resolve(place), request);
  } catch (error) {
    if (!(error instanceof NoRelayError)) throw error;
  }
  await requireQueue(place);
  const { openQueue } = await import('@sansmtp/queue');
  const onDamage = ({ message }: QueueDamage) => void stderr.write(`warning: ${oneLine(message)}\n`);
  yield* askStore(await openQueue(place, { onDamage }), request);
}

/**
 * To open a queue makes one where there is none, and writes: what root wrote the relay's user could not open.
 * @throws {Error} there is none, or it belongs to somebody else
 */
async function requireQueue(place: string): Promise<void> {
  const { uid } = await stat(place);
  const names = await readdir(place);
  if (!names.some((name) => name.startsWith('journal-'))) throw new Error('no queue is in this directory');
  if (process.geteuid !== undefined && uid !== process.geteuid()) {
    throw new Error(
      `no relay runs, and the directory belongs to another user: say sudo -u '#${uid}' sansmtp queue …`,
    );
  }
}

async function* askStore(store: QueueStore, request: QueueRequest): AsyncGenerator<QueueAnswer> {
  try {
    yield* perform(store, request, Date.now());
  } finally {
    await store.close();
  }
}

const DONE: Readonly<Record<QueueRequest['command'], string | undefined>> = {
  list: undefined,
  show: undefined,
  retry: 'due now',
  hold: 'held',
  release: 'released',
  drop: 'dropped',
};

async function look(
  command: Command,
  { queue, json }: QueueOptions,
  terminal: Terminal,
  request: QueueRequest,
): Promise<void> {
  const missing: string[] = [];
  try {
    for await (const answer of ask(queue, request, terminal)) {
      if ('failed' in answer) throw new Error(answer.failed);
      if ('message' in answer) {
        const lines = request.command === 'list' ? [lineOf(answer.message)] : linesOf(answer.message);
        await write(terminal, json ? JSON.stringify(answer.message) : lines.join('\n'));
        continue;
      }
      missing.push(...answer.missing);
      const done = DONE[request.command];
      if (done === undefined) continue;
      const count = answer.done === 1 ? '1 message' : `${answer.done} messages`;
      await write(terminal, json ? JSON.stringify({ [request.command]: answer.done }) : `${count} ${done}`);
    }
  } catch (error) {
    fail(command, exitCodes.deferred, `the queue ${shownPlace(queue)} cannot be reached`, error);
  }
  if (missing.length > 0) {
    fail(command, exitCodes.rejected, `the queue has no message ${missing.join(', ')}`);
  }
}

/** Waits for a reader that is slow: a list may be long. */
async function write({ stdout }: Terminal, line: string): Promise<void> {
  if (stdout.write(`${line}\n`) || stdout.destroyed) return;
  await new Promise<void>((resolve) => {
    stdout.once('drain', resolve);
    stdout.once('close', resolve);
    stdout.once('error', () => resolve());
  });
}

const ON_IDS = {
  show: 'tell all of a message, and why it is still there',
  hold: 'keep messages from being delivered',
  release: 'let held messages be delivered',
  drop: 'delete messages, and tell nobody',
} as const;

export function defineQueue(program: Command, terminal: Terminal): void {
  const queue = program
    .command('queue')
    .description('look after the queue of a relay')
    .addHelpText('after', NOTES);
  const sub = (name: string, description: string) =>
    queue
      .command(name)
      .description(description)
      .option('--queue <place>', 'the directory of the queue, or postgres://…', path, './queue')
      .option('--json', 'print JSON, a line each');
  const list = sub('list', 'list the messages, the oldest first');
  list.action((options: QueueOptions) => look(list, options, terminal, { command: 'list' }));
  for (const [name, description] of Object.entries(ON_IDS)) {
    const command = sub(name, description).argument('<id...>');
    command.action((ids: string[], options: QueueOptions) =>
      look(command, options, terminal, { command: name as keyof typeof ON_IDS, ids }),
    );
  }
  const retry = sub('retry', 'make messages due now')
    .argument('[id...]')
    .addOption(new Option('--domain <name>', 'those for this domain').conflicts('all'))
    .option('--all', 'all of them');
  retry.action((ids: string[], options: RetryOptions) =>
    look(retry, options, terminal, retryRequest(retry, ids, options)),
  );
}

function retryRequest(command: Command, ids: readonly string[], { all, domain }: RetryOptions): QueueRequest {
  const given = [ids.length > 0, all === true, domain !== undefined].filter(Boolean).length;
  if (given !== 1) fail(command, exitCodes.usage, 'give IDs, or --domain, or --all');
  if (all) return { command: 'retry', all };
  return domain === undefined ? { command: 'retry', ids } : { command: 'retry', domain };
}
