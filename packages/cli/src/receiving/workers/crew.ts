/**
 * The workers of `--workers`: begun, told, and replaced when they die.
 *
 * - The first is begun alone: what keeps it from serving would keep the others as well, and is said once.
 * - A worker that ends, and was not told to, is replaced: at once, or a second later if it had not come to serve. Its
 *   connections are lost; no message is that was answered 250, for that is said once the message is safe.
 * - Exit code 71 of one that served is for all: what it stores in has failed.
 */
import cluster, { type Worker } from 'node:cluster';
import { isDeepStrictEqual } from 'node:util';
import type { TraceRecord } from '@sansmtp/charts/trace';
import type { ConnectionLimit } from '@sansmtp/transport-node';
import { exitCodes } from '../../exit-codes.js';
import type { Logger } from '../../log.js';
import type { KnownAddress, Ports } from '../listening.js';
import { type Common, type FromWorker, isOurs, type ToWorker } from './messages.js';
import { sharedLimits } from './shared-limits.js';

/** Milliseconds. */
const PAUSE = 1000;

/** Milliseconds for a worker to give back the places that it keeps: one that hangs holds nobody up for longer. */
const GIVING_BACK = 1000;

export interface Crew {
  /** Workers that serve now. */
  readonly serving: number;
  /** Resolves with the exit code of a worker that cannot go on, and whose fault is that of all. */
  readonly failed: Promise<number>;
  tell(message: ToWorker): void;
  /** Resolves once all have ended in order. */
  shutdown(reason: string): Promise<void>;
}

export interface CrewOptions {
  readonly count: number;
  readonly common: Common;
  /** Of all workers together. */
  readonly maximumConnections: number;
  readonly take: ((record: TraceRecord) => void) | undefined;
  readonly log: Logger;
}

/** What has become of a worker that was begun: where it listens, or the code with which it ended. */
type Beginning = { readonly addresses: readonly KnownAddress[] } | { readonly exitCode: number };

/** @returns the crew and where it listens, or the exit code of a worker that could not begin */
export async function startCrew(
  options: CrewOptions,
): Promise<
  { readonly crew: Crew; readonly addresses: readonly KnownAddress[] } | { readonly exitCode: number }
> {
  const { count, common, maximumConnections, take, log } = options;
  const workers = new Map<number, Worker>();
  const serving = new Set<number>();
  let listening: readonly KnownAddress[] = [];
  /** As long as one listens, who listens on any free port gets the one that it has. */
  let ports: Ports = {};
  let isEnding = false;
  let fail: (exitCode: number) => void = () => {};
  const failed = new Promise<number>((resolve) => {
    fail = resolve;
  });
  const say = (worker: Worker | undefined, message: ToWorker) => {
    if (worker?.isConnected()) worker.send(message);
  };
  const tell = (message: ToWorker) => {
    for (const worker of workers.values()) say(worker, message);
  };
  /** By worker: called once it keeps no places. */
  const givenBack = new Map<number, () => void>();
  const giveBack = (id: number): Promise<void> =>
    new Promise((resolve) => {
      givenBack.set(id, resolve);
      setTimeout(resolve, GIVING_BACK).unref();
      say(workers.get(id), { type: 'placesAreScarce' });
    });
  const limits = sharedLimits(maximumConnections, {
    async recall() {
      await Promise.all([...serving].map(giveBack));
    },
    allow: () => tell({ type: 'placesAreMany' }),
  });

  const begin = (isSpokesman: boolean, isReplacement = false): Promise<Beginning> =>
    new Promise((resolve) => {
      const worker = cluster.fork();
      const { id } = worker;
      workers.set(id, worker);
      worker.on('message', (message: unknown) => {
        if (isOurs<FromWorker>(message)) hear(worker, message);
      });
      worker.on('error', (error) => log.warn({ worker: id, reason: error.message }, 'a worker was not told'));
      worker.on('exit', (code, signal) => {
        limits.forget(id);
        givenBack.get(id)?.();
        workers.delete(id);
        const wasServing = serving.delete(id);
        resolve({ exitCode: code ?? exitCodes.system });
        if (isEnding) return;
        if (!wasServing && !hasBegun) return;
        if (wasServing && code === exitCodes.system) return fail(code);
        log.error({ worker: id, code, signal }, 'a worker has ended: another takes its place');
        replace(isSpokesman, wasServing ? 0 : PAUSE);
      });

      function hear({ id }: Worker, message: FromWorker): void {
        switch (message.type) {
          case 'hello':
            // With the last that served, the ports were closed: the next one must not get any others.
            if (serving.size === 0) ports = portsOf(listening);
            say(worker, { type: 'begin', ...common, isSpokesman, ports });
            break;
          case 'ready':
            if (hasBegun && !isDeepStrictEqual(portsOf(message.addresses), portsOf(listening))) {
              // The last that served has died since, and with it the ports that this one was to share.
              worker.process.kill('SIGKILL');
              break;
            }
            serving.add(id);
            if (limits.areScarce) say(worker, { type: 'placesAreScarce' });
            if (isReplacement) log.info({ worker: id }, 'the new worker serves');
            if (isEnding) say(worker, { type: 'shutdown', reason: 'the others have ended' });
            resolve({ addresses: message.addresses });
            break;
          case 'enter': {
            const { question, client, maximum } = message;
            const answer = (limit: ConnectionLimit | undefined) =>
              say(worker, { type: 'answer', question, limit });
            const limit = limits.enter(id, client, maximum);
            if (!(limit instanceof Promise)) answer(limit);
            else {
              void limit.then((found) => {
                // It may have died meanwhile, and then has no place.
                if (workers.has(id)) answer(found);
                else limits.forget(id);
              });
            }
            break;
          }
          case 'placesGivenBack':
            givenBack.get(id)?.();
            givenBack.delete(id);
            break;
          case 'leave':
            limits.leave(id, message.client);
            break;
          case 'loginFailed':
            for (const other of workers.values()) if (other !== worker) say(other, message);
            break;
          case 'record':
            take?.(message.record);
        }
      }
    });

  let hasBegun = false;
  const replace = (isSpokesman: boolean, pause: number) => {
    setTimeout(() => {
      if (!isEnding) void begin(isSpokesman, true);
    }, pause);
  };

  cluster.setupPrimary({ serialization: 'advanced' });
  // Whoever ends this process at once ends all.
  process.once('exit', () => {
    for (const worker of workers.values()) worker.process.kill('SIGKILL');
  });
  const first = await begin(true);
  if ('exitCode' in first) return first;
  hasBegun = true;
  listening = first.addresses;
  await Promise.all(Array.from({ length: count - 1 }, () => begin(false)));
  const crew: Crew = {
    get serving() {
      return serving.size;
    },
    failed,
    tell,
    async shutdown(reason) {
      isEnding = true;
      const ended = [...workers.values()].map(
        (worker) => new Promise<void>((resolve) => worker.once('exit', () => resolve())),
      );
      crew.tell({ type: 'shutdown', reason });
      await Promise.all(ended);
    },
  };
  return { crew, addresses: first.addresses };
}

function portsOf(addresses: readonly KnownAddress[]): Ports {
  return Object.fromEntries(
    addresses.flatMap(({ kind, address }) => (address.kind === 'tcp' ? [[kind, address.port]] : [])),
  );
}
