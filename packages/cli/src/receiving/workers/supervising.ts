/**
 * `--workers N`: this process has the ports, the trace, the metrics and the limits of all; the workers serve. Each
 * connection goes to the next of them in turn.
 */
import type { Command } from 'commander';
import type { Logger } from '../../log.js';
import { areReady, type MetricsPage, showFigures } from '../../metrics/metrics.js';
import type { Terminal } from '../../terminal.js';
import { passingSecret } from '../../users/authentication-secret.js';
import { selfSigned } from '../certificates.js';
import { listeningLines } from '../listening.js';
import type { ReceivingOptions } from '../receiving-options.js';
import { startRecording } from '../recording.js';
import { onHangupSignal } from '../rereading.js';
import { openPage } from '../serving-process.js';
import { type Crew, startCrew } from './crew.js';

/** The figures of all workers, added up. */
async function showAll(command: Command, port: number, isReady: () => boolean): Promise<MetricsPage> {
  const { AggregatorRegistry } = await import('prom-client');
  const all = new AggregatorRegistry();
  return openPage(command, () =>
    showFigures(port, {
      contentType: all.contentType,
      text: () => all.clusterMetrics(),
      isReady: async () => isReady() && areReady(await all.clusterMetrics()),
    }),
  );
}

export async function supervise(
  command: Command,
  options: ReceivingOptions,
  terminal: Terminal,
  { end, hostname, log }: { readonly end: Promise<string>; readonly hostname: string; readonly log: Logger },
): Promise<void> {
  const { workers: count, metrics, maxConnections } = options;
  let crew: Crew | undefined;
  let isGoingDown = false;
  const recording = await startRecording(command, options, hostname, log);
  const closing: (() => Promise<void>)[] = [() => recording.end()];
  try {
    const isReady = () => crew !== undefined && crew.serving > 0 && !isGoingDown;
    const page = metrics === undefined ? undefined : await showAll(command, metrics, isReady);
    if (page !== undefined) closing.push(() => page.close());
    const begun = await startCrew({
      count,
      common: {
        selfSigned: options.tlsSelfSigned ? await selfSigned(hostname) : undefined,
        secret: passingSecret(),
        isRecorded: recording.take !== undefined,
      },
      maximumConnections: maxConnections,
      take: recording.take,
      log,
    });
    if ('exitCode' in begun) {
      // What is wrong, it has said itself.
      terminal.exitCode = begun.exitCode;
      return;
    }
    crew = begun.crew;
    const endHangup = onHangupSignal(() => {
      begun.crew.tell({ type: 'hangup' });
      void recording.reopen?.();
    });
    terminal.stdout.write(listeningLines(begun.addresses) + (page?.listening ?? '') + recording.listening);
    const failure = crew.failed.then((exitCode) => {
      terminal.exitCode = exitCode;
      return 'a worker cannot go on';
    });
    const reason = await Promise.race([end, failure]);
    isGoingDown = true;
    log.info(`${reason}: shutting down`);
    await crew.shutdown(reason);
    endHangup();
  } finally {
    for (const close of closing.reverse()) await close();
  }
}
