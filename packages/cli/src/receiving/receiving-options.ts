/** The options of the commands that receive mail, `serve` and `relay`. */
import { type Command, Option } from 'commander';
import {
  count,
  deadline,
  host,
  hostName,
  lineLength,
  listeningPort,
  networks,
  path,
  seconds,
} from '../option-values.js';
import { defineUserOptions, type UserOptions } from '../users/user-authentication.js';
import type { CertificateOptions } from './certificates.js';
import { addClientLimits, type ClientLimitOptions } from './client-limits.js';
import type { ListeningOptions } from './listening.js';
import type { RecordingOptions } from './recording.js';

export interface ReceivingOptions
  extends ListeningOptions,
    CertificateOptions,
    ClientLimitOptions,
    UserOptions,
    RecordingOptions {
  readonly allowInsecureAuth?: true;
  readonly proxyProtocol?: true;
  readonly proxyFrom: readonly string[];
  readonly hostname?: string;
  readonly maxSize: number;
  readonly maxRecipients: number;
  readonly maxConnections: number;
  readonly idleTimeout: number;
  readonly grace: number;
  readonly bareNewline: 'reject' | 'normalize' | 'keep';
  readonly lenient?: true;
  readonly maxLine?: number;
  readonly workers: number;
  readonly metrics?: number;
  readonly verbose?: true;
  readonly json?: true;
}

export function defineReceivingOptions(command: Command): Command {
  return defineUserOptions(addClientLimits(command))
    .option('--host <address>', 'address to listen on', host, '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 for any free one', listeningPort, 2525)
    .option('--tls-port <number>', 'port for TLS from the first octet on (RFC 8314)', listeningPort)
    .option(
      '--submission-port <number>',
      'port where mail is taken after AUTH only (RFC 6409)',
      listeningPort,
    )
    .option('--lmtp-port <number>', 'port for LMTP (RFC 2033)', listeningPort)
    .option('--unix <path>', 'listen on a Unix socket too', path)
    .option('--tls-cert <file>', 'certificate in PEM: offers STARTTLS', path)
    .option('--tls-key <file>', 'its private key in PEM', path)
    .option('--tls-self-signed', 'make a certificate up: offers STARTTLS')
    .option('--allow-insecure-auth', 'offer AUTH without TLS too: passwords in the clear')
    .option('--proxy-protocol', 'every connection begins with a PROXY header, v1 or v2')
    .addOption(
      new Option('--proxy-from <network>', 'who else may send PROXY headers; repeatable')
        .argParser(networks)
        .default(['127.0.0.0/8', '::1', 'unix'], 'this machine'),
    )
    .option('--hostname <name>', "name to greet with (default: the machine's)", hostName)
    .option('--max-size <bytes>', 'largest message', count, 36_700_160)
    .option('--max-recipients <number>', 'recipients of one message', count, 1000)
    .option('--max-connections <number>', 'connections at a time', count, 10_000)
    .option('--idle-timeout <seconds>', 'end a session that is silent for so long', deadline, 300)
    .option('--grace <seconds>', 'time for what is under way when shutting down', seconds, 10)
    .addOption(
      new Option('--bare-newline <what>', 'what to do with CR or LF alone, and with NUL')
        .choices(['reject', 'normalize', 'keep'])
        .default('reject'),
    )
    .option('--lenient', 'take what else Postfix takes: no angle brackets, blanks in them, MAIL before EHLO')
    .option('--max-line <octets>', 'longest text line of a message, with its CRLF (default: any)', lineLength)
    .option('--trace <file>', 'record what happens in each session; see sansmtp replay', path)
    .option('--inspect <port>', 'show sessions live in the browser, on this machine only', listeningPort)
    .option(
      '--metrics <port>',
      'figures for Prometheus at /metrics, and /healthz, /readyz; on this machine only',
      listeningPort,
    )
    .option('--workers <number>', 'processes that share the ports', count, 1)
    .option('--verbose', 'log the dialogue too, without secrets')
    .option('--json', 'log as NDJSON');
}
