/**
 * What a client may take of the server, as options say it. None has a default here: what is not given is the library's to
 * say, which spares loopback, Unix sockets and trusted peers from most of it.
 */
import type { MailServerOptions, MailSessionOptions } from '@sansmtp/transport-node';
import type { Command } from 'commander';
import { count, countOrNone, seconds } from '../option-values.js';

export interface ClientLimitOptions {
  readonly maxConnectionsPerClient?: number;
  readonly minRate?: number;
  readonly maxSession?: number;
  readonly maxHandshakes?: number;
  readonly maxJunk?: number;
}

export function addClientLimits(command: Command): Command {
  return command
    .option(
      '--max-connections-per-client <number>',
      'by IPv4 address or IPv6 /64; 0 for any (default: 100, but any for loopback, Unix and trusted peers)',
      countOrNone,
    )
    .option(
      '--min-rate <octets>',
      'of mail data a second, averaged after 60 s; 0 for none (default: 100, but none for loopback and Unix)',
      countOrNone,
    )
    .option(
      '--max-session <seconds>',
      'end a session between two mail transactions; 0 for never (default: 3600, but never for loopback and Unix)',
      seconds,
    )
    .option(
      '--max-handshakes <number>',
      'TLS handshakes under way: beyond it the oldest of the client with most is dropped (default: 1000)',
      count,
    )
    .option(
      '--max-junk <number>',
      'commands that bring no mail forward, such as NOOP, since the last message; 0 for any (default: 100)',
      countOrNone,
    );
}

const unlimited = (value: number) => (value === 0 ? Number.POSITIVE_INFINITY : value);

/** For the server. */
export function connectionLimits({
  maxConnectionsPerClient,
  maxHandshakes,
}: ClientLimitOptions): Pick<MailServerOptions, 'maximumConnectionsPerClient' | 'maximumArriving'> {
  return {
    ...(maxConnectionsPerClient !== undefined && {
      maximumConnectionsPerClient: unlimited(maxConnectionsPerClient),
    }),
    ...(maxHandshakes !== undefined && { maximumArriving: maxHandshakes }),
  };
}

/** For each session, beside the time-outs that it has. */
export function sessionLimits(
  { minRate, maxSession, maxJunk }: ClientLimitOptions,
  timeouts: MailSessionOptions['timeouts'],
): MailSessionOptions {
  return {
    ...(minRate !== undefined && { minimumMailDataRate: minRate }),
    ...(maxJunk !== undefined && { maximumJunkCommands: unlimited(maxJunk) }),
    timeouts: { ...timeouts, ...(maxSession !== undefined && { session: unlimited(maxSession * 1000) }) },
  };
}
