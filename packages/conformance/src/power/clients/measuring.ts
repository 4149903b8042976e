/** What finds a fault of the small client: which case, and how many generated servers it takes. */
import { readFileSync } from 'node:fs';
import type { ClientCase } from '../../clients/client-case.js';
import type { SmtpClient } from '../../clients/contract.js';
import { generateForClient } from '../../clients/generated/generate.js';
import { CLIENT_CASES, judgeCase } from '../../clients/judge-client.js';
import { CLIENT_FAULTS, type FaultId } from '../../planted/client/faults.js';
import { deliver } from '../../planted/client/small-client.js';
import type { GenerationPower } from '../measuring.js';

/** What was seen to find a fault. */
export interface ClientFinder {
  /** Id of a case. */
  readonly case?: string;
  /** A generated server. */
  readonly seed?: number;
  readonly path?: string;
}

/** For the tests, which need not look for it again: in the sources, wherever this is run from. */
export const findersFile = new URL('../../../src/power/clients/finders.json', import.meta.url);

export const readFinders = (): Readonly<Partial<Record<FaultId, ClientFinder>>> =>
  JSON.parse(readFileSync(findersFile, 'utf8'));

/** Generated servers after which generation gives up. */
export const MOST_RUNS = 600;

/** Faults that show where the server says nothing: only a short time-out makes that worth waiting for. */
const OF_SILENCE: readonly FaultId[] = ['no-time-out', 'time-out-rejects'];

/** Milliseconds: long enough for a busy machine. */
const TIME_OUT = 10_000;
const SHORT_TIME_OUT = 1500;

export function faultyClient(fault: FaultId): SmtpClient {
  const timeout = OF_SILENCE.includes(fault) ? SHORT_TIME_OUT : TIME_OUT;
  return {
    run: (task) => deliver(task, { fault, timeout }),
    setups: ['plain', 'startTls', 'implicitTls', 'login', 'lmtp'],
    replyTimeout: timeout,
  };
}

/** Whether a case deviates. */
export async function finds(fault: FaultId, each: ClientCase): Promise<boolean> {
  return (await judgeCase(faultyClient(fault), each)).outcome.result === 'failed';
}

/** The first case that finds a fault: the known one is tried first, then those of the clause that it breaks. */
export async function caseThatFinds(fault: FaultId, known?: string): Promise<string | undefined> {
  const clause = CLIENT_FAULTS.find(({ id }) => id === fault)?.clause ?? '';
  const [document = ''] = clause.split(' §');
  const rank = ({ id, section }: ClientCase) =>
    id === known ? 0 : section === clause ? 1 : section.startsWith(document) ? 2 : 3;
  const ranked = [...CLIENT_CASES].sort((one, other) => rank(one) - rank(other));
  for (const each of ranked) if (await finds(fault, each)) return each.id;
  return undefined;
}

/** Generates until the fault is found. */
export async function generationThatFinds(
  fault: FaultId,
  { seed, path, runs = MOST_RUNS }: { readonly seed: number; readonly path?: string; readonly runs?: number },
): Promise<GenerationPower> {
  const begin = performance.now();
  const options = { seed, runs, shrink: false, ...(path !== undefined && { path }) };
  const found = await generateForClient(faultyClient(fault), options);
  return {
    seed,
    runs: found.finding === undefined ? undefined : found.runs,
    path: found.path,
    milliseconds: performance.now() - begin,
  };
}

/** Does it for each, a few at the same time: most of the time is waiting. */
export async function forEachFault(work: (fault: FaultId) => Promise<void>, atOnce = 6): Promise<void> {
  const left = CLIENT_FAULTS.map(({ id }) => id);
  const take = async () => {
    for (let fault = left.shift(); fault !== undefined; fault = left.shift()) await work(fault);
  };
  await Promise.all(Array.from({ length: atOnce }, take));
}
