/** Which case finds a fault of the small client. */
import { readFileSync } from 'node:fs';
import type { ClientCase } from '../../clients/client-case.js';
import type { SmtpClient } from '../../clients/contract.js';
import { CLIENT_CASES, judgeCase } from '../../clients/judge-client.js';
import { CLIENT_FAULTS, type FaultId } from '../../planted/client/faults.js';
import { deliver } from '../../planted/client/small-client.js';

/** What was seen to find each fault, for the tests, which need not look for it again: in the sources, wherever this is run from. */
export const findersFile = new URL('../../../src/power/clients/finders.json', import.meta.url);

export const readFinders = (): Readonly<Partial<Record<FaultId, string>>> =>
  JSON.parse(readFileSync(findersFile, 'utf8'));

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

/** Does it for each, a few at the same time: most of the time is waiting. */
export async function forEachFault(work: (fault: FaultId) => Promise<void>, atOnce = 6): Promise<void> {
  const left = CLIENT_FAULTS.map(({ id }) => id);
  const take = async () => {
    for (let fault = left.shift(); fault !== undefined; fault = left.shift()) await work(fault);
  };
  await Promise.all(Array.from({ length: atOnce }, take));
}
