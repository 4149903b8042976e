/**
 * What the process that serves has of its own, or shares with the other workers.
 */
import { type FailureLimiter, failureLimiter } from '@sansmtp/transport';
import type { MailServerOptions } from '@sansmtp/transport-node';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import type { Logger } from '../log.js';
import { type Figures, type Metrics, startMetrics } from '../metrics/metrics.js';
import type { Terminal } from '../terminal.js';
import { passingSecret } from '../users/authentication-secret.js';
import type { KeyPair } from './certificates.js';
import { connectionLimits } from './client-limits.js';
import { type KnownAddress, listeningLines, type Ports } from './listening.js';
import type { ReceivingOptions } from './receiving-options.js';
import { type Recording, startRecording } from './recording.js';
import { type OnHangup, onHangupSignal } from './rereading.js';

export type ServerLimits = Pick<
  MailServerOptions,
  'maximumConnections' | 'connectionLimiter' | 'maximumConnectionsPerClient' | 'maximumArriving'
>;

export interface ServingProcess {
  /** Resolves once it is to end, with the reason. */
  readonly end: Promise<string>;
  /** It says what all workers would say alike. */
  readonly isSpokesman: boolean;
  /** The certificate of `--tls-self-signed`, where another process has made it. */
  readonly selfSigned: KeyPair | undefined;
  readonly limits: ServerLimits;
  readonly failureLimiter: FailureLimiter;
  readonly onHangup: OnHangup;
  /** For the salts of users who do not exist, where it is stored nowhere. */
  secret(): Uint8Array;
  openMetrics(): Promise<(Figures & Partial<Metrics>) | undefined>;
  openRecording(): Promise<Pick<Recording, 'observers' | 'listening' | 'reopen' | 'end'>>;
  /** Where it was any free port that was to be listened on, and which one that was is known. */
  readonly ports: Ports;
  /** It serves: says where. */
  ready(addresses: readonly KnownAddress[], more: string): void;
  /** It takes no more connections, and ends. */
  ending(reason: string): void;
}

/** The metrics of this process, or of all together, on a port of their own. */
export async function openPage<Page>(command: Command, open: () => Promise<Page>): Promise<Page> {
  try {
    return await open();
  } catch (error) {
    return fail(command, exitCodes.system, 'cannot listen for --metrics', error);
  }
}

/** It serves alone. */
export function soleProcess(
  command: Command,
  options: ReceivingOptions,
  { stdout }: Terminal,
  { end, hostname, log }: { readonly end: Promise<string>; readonly hostname: string; readonly log: Logger },
): ServingProcess {
  const { metrics, maxConnections, authFailures } = options;
  return {
    end,
    isSpokesman: true,
    selfSigned: undefined,
    limits: { maximumConnections: maxConnections, ...connectionLimits(options) },
    failureLimiter: failureLimiter({ perName: authFailures }),
    onHangup: onHangupSignal,
    secret: passingSecret,
    openMetrics: async () =>
      metrics === undefined ? undefined : openPage(command, () => startMetrics(metrics)),
    openRecording: () => startRecording(command, options, hostname, log),
    ports: {},
    ready: (addresses, more) => stdout.write(listeningLines(addresses) + more),
    ending: (reason) => log.info(`${reason}: shutting down`),
  };
}
