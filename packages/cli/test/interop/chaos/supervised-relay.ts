/** A `sansmtp relay` that is started again whenever it has ended, as its supervisor would, and what it has logged in all its lives. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { checkout, sansmtp } from '../processes.js';

export interface SupervisedRelay {
  readonly name: string;
  /** How it ended where nobody had killed it, and its last lines. */
  readonly endings: readonly string[];
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** Resolves when it listens again. */
  listening(): Promise<void>;
}

/** Lines that are told of an ending. */
const LAST_LINES = 5;

/**
 * @param words with a port of its own
 * @param onUnknown called for each line of the log that says `unknown`
 * @param mayFind whether it may begin while its queue is away: then it ends with 73, and is begun again
 */
export async function superviseRelay(
  name: string,
  words: readonly string[],
  onUnknown: (recipient: string) => void,
  mayFind: { readonly itsQueueAway: boolean },
): Promise<SupervisedRelay> {
  const endings: string[] = [];
  let child: ChildProcess;
  let listens: Promise<void>;
  let isOver = false;

  function start(): void {
    const [node, script] = sansmtp('relay', ...words);
    const life = spawn(node, script, { cwd: checkout, stdio: ['ignore', 'pipe', 'pipe'] });
    child = life;
    const last: string[] = [];
    let hasListened = false;
    createInterface({ input: life.stderr }).on('line', (line) => {
      last.push(line);
      if (last.length > LAST_LINES) last.shift();
      if (!line.includes('"unknown: ')) return;
      const { to } = JSON.parse(line) as { readonly to: string };
      onUnknown(to);
    });
    listens = new Promise((resolve) => {
      createInterface({ input: life.stdout }).on('line', (line) => {
        if (!line.startsWith('listening smtp ')) return;
        hasListened = true;
        resolve();
      });
    });
    // All that it has written is read by then.
    life.once('close', (code, signal) => {
      if (isOver) return;
      const hasFoundItAway = mayFind.itsQueueAway && !hasListened && code === 73;
      if (signal !== 'SIGKILL' && !hasFoundItAway)
        endings.push(`${name} ended with ${code ?? signal}:\n${last.join('\n')}`);
      start();
    });
  }

  start();
  const relay: SupervisedRelay = {
    name,
    endings,
    signal: (signal) => void child.kill(signal),
    async listening() {
      for (let known: Promise<void> | undefined; known !== listens; ) {
        known = listens;
        await Promise.race([known, once(child, 'close')]);
      }
    },
  };
  onTestFinished(async () => {
    isOver = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  });
  await relay.listening();
  return relay;
}
