/**
 * One of several processes that share the ports of `--workers`. It serves as one alone does; the certificate that was made
 * up, the trace, the metrics and the limits are of all, and the process that supervises has them.
 */
import cluster from 'node:cluster';
import { createTracer } from '@sansmtp/charts/trace';
import { failureLimiter } from '@sansmtp/transport';
import { type ConnectionLimiter, systemClock } from '@sansmtp/transport-node';
import { countFigures } from '../../metrics/metrics.js';
import { connectionLimits } from '../client-limits.js';
import type { ReceivingOptions } from '../receiving-options.js';
import type { ServingProcess } from '../serving-process.js';
import { type FromWorker, isOurs, type Orders, type ToWorker } from './messages.js';
import { places } from './places.js';

type Listen = (message: ToWorker) => void;

/** What the library has as its default, where the option was not given. */
const MAXIMUM_ARRIVING = 1000;

const tell = (message: FromWorker): void => {
  process.send?.(message);
};

/** Listens to the process that supervises. */
function listenTo(listen: Listen): void {
  process.on('message', (message) => {
    if (isOurs<ToWorker>(message)) listen(message);
  });
}

/** Resolves with what it is to do. */
function begun(): Promise<Orders> {
  return new Promise((resolve) => {
    listenTo((message) => {
      if (message.type === 'begin') resolve(message);
    });
    tell({ type: 'hello' });
  });
}

/** All workers together have room for a connection, or not. */
function sharedPlaces(): ConnectionLimiter {
  const own = places(tell);
  listenTo(own.hear);
  return own;
}

/** Every worker counts all failures, those of the others as soon as it hears of them: the look before a login takes no time. */
function sharedFailures(perName: number): ServingProcess['failureLimiter'] {
  const own = failureLimiter({ perName });
  listenTo((message) => {
    if (message.type === 'loginFailed') own.failed(message.network, message.username, systemClock.now());
  });
  return {
    isClosed: own.isClosed,
    failed(network, username, now) {
      own.failed(network, username, now);
      tell({ type: 'loginFailed', network, username });
    },
  };
}

/** The process that supervises says when to end; whoever signals a worker itself ends that one, which is then replaced. */
function toldToEnd(signalled: Promise<string>): Promise<string> {
  const told = new Promise<string>((resolve) => {
    listenTo((message) => {
      if (message.type === 'shutdown') resolve(message.reason);
    });
  });
  return Promise.race([told, signalled]);
}

export interface WorkerProcess extends ServingProcess {
  /** Nothing is open any more: without this, the process would go on for what it may be told. */
  leave(): void;
}

export async function workerProcess(
  options: ReceivingOptions,
  signalled: Promise<string>,
): Promise<WorkerProcess> {
  const end = toldToEnd(signalled);
  // A terminal that hangs up tells all of its processes: one message is enough.
  process.on('SIGHUP', () => {});
  const { selfSigned, secret, isRecorded, isSpokesman, ports } = await begun();
  const { maximumArriving = MAXIMUM_ARRIVING, ...ofClient } = connectionLimits(options);
  return {
    end,
    isSpokesman,
    selfSigned,
    // Handshakes come to all workers in turn: each has its share.
    limits: {
      ...ofClient,
      connectionLimiter: sharedPlaces(),
      maximumArriving: Math.ceil(maximumArriving / options.workers),
    },
    failureLimiter: sharedFailures(options.authFailures),
    onHangup(listener) {
      let isOver = false;
      listenTo((message) => {
        if (message.type === 'hangup' && !isOver) listener();
      });
      return () => {
        isOver = true;
      };
    },
    secret: () => secret,
    async openMetrics() {
      if (options.metrics === undefined) return undefined;
      const { AggregatorRegistry } = await import('prom-client');
      const figures = await countFigures();
      // From now on it answers who adds the figures up.
      new AggregatorRegistry();
      AggregatorRegistry.setRegistries([figures.registry]);
      return figures;
    },
    async openRecording() {
      const write = (record: Parameters<Parameters<typeof createTracer>[0]['write']>[0]) =>
        tell({ type: 'record', record });
      return {
        observers: isRecorded ? [createTracer({ end: 'server', write })] : [],
        listening: '',
        // The process that supervises does, and says so.
        ...(options.trace !== undefined && { reopen: async () => {} }),
        end: async () => {},
      };
    },
    ports,
    ready: (addresses) => tell({ type: 'ready', addresses }),
    // For all, the process that supervises has said so.
    ending() {},
    leave: () => cluster.worker?.disconnect(),
  };
}
