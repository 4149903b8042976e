/**
 * `sansmtp serve`: receives mail and stores it, until a signal ends it.
 */
import { constants } from 'node:os';
import { type Maildir, openMaildir } from '@sansmtp/delivery';
import { type ListenerAddress, type MailServer, startMailServer } from '@sansmtp/transport-node';
import { type Command, Option } from 'commander';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';
import { createLog, type Logger } from './log.js';
import {
  count,
  deadline,
  domains,
  hostName,
  listeningPort,
  machineHostName,
  seconds,
} from './option-values.js';
import { reception } from './reception.js';
import type { Terminal } from './terminal.js';

const NOTES = `
TCP is listened on in any case; --unix adds a socket.
When ready it prints a line a listener on stdout: "listening smtp 127.0.0.1:2525".
On SIGTERM or SIGINT it stops listening, tells waiting clients 421, lets messages under way
finish within --grace, and exits 0. A second signal exits at once, with 130 (INT) or 143 (TERM).
Other exit codes: 64 usage, 71 cannot listen, 73 cannot make the Maildir.`;

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly unix?: string;
  readonly hostname?: string;
  readonly domain: ReadonlySet<string>;
  readonly maildir: string;
  readonly discard?: true;
  readonly maxSize: number;
  readonly maxRecipients: number;
  readonly maxConnections: number;
  readonly idleTimeout: number;
  readonly grace: number;
  readonly bareNewline: 'reject' | 'keep';
  readonly json?: true;
}

/** `host:port` as it stands in a URL. */
function authority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function listeningLine(address: ListenerAddress): string {
  return address.kind === 'unix'
    ? `listening unix ${address.path}\n`
    : `listening smtp ${authority(address.host, address.port)}\n`;
}

/** A command line that sends a first message to the server, from a checkout. */
function firstMessage(host: string, port: number, domain: string): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return (
    "printf 'Subject: Hello\\n\\nIt works.\\n' | " +
    `npx sansmtp send --host ${reachable} --port ${port} --from me@example.com --to you@${domain}`
  );
}

/** Resolves at the first signal to end; the second ends the process. */
function signalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first = true;
    const onSignal = (signal: NodeJS.Signals) => {
      if (!first) process.exit(128 + constants.signals[signal]);
      first = false;
      resolve(signal);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

async function openStore(
  command: Command,
  options: ServeOptions,
  hostname: string,
): Promise<Maildir | undefined> {
  if (options.discard) return undefined;
  try {
    return await openMaildir(options.maildir, { hostname });
  } catch (error) {
    return fail(command, exitCodes.cannotCreate, `cannot make the Maildir ${options.maildir}`, error);
  }
}

async function startServer(
  command: Command,
  options: ServeOptions,
  hostname: string,
  maildir: Maildir | undefined,
  log: Logger,
): Promise<MailServer> {
  const { host, port, unix, idleTimeout } = options;
  const idle = idleTimeout * 1000;
  const onError = ({ message: reason }: Error) => log.error({ reason }, 'connection not accepted');
  try {
    return await startMailServer({
      addresses: [{ host, port, onError }, ...(unix === undefined ? [] : [{ path: unix, onError }])],
      handlers: reception({ domains: options.domain, maildir, log }),
      session: {
        hostname,
        maximumMessageSize: options.maxSize,
        maximumRecipients: options.maxRecipients,
        bareNewline: options.bareNewline,
        timeouts: { idle, mailData: idle },
      },
      maximumConnections: options.maxConnections,
      onExcess: () => log.warn({ maximum: options.maxConnections }, 'connection refused: too many'),
    });
  } catch (error) {
    return fail(command, exitCodes.system, 'cannot listen', error);
  }
}

async function serve(command: Command, options: ServeOptions, terminal: Terminal): Promise<void> {
  const end = signalled();
  const log = createLog(terminal.stderr, options.json === true);
  const hostname = options.hostname ?? machineHostName() ?? 'localhost';
  const maildir = await openStore(command, options, hostname);
  const server = await startServer(command, options, hostname, maildir, log);

  terminal.stdout.write(server.addresses.map(listeningLine).join(''));
  if (maildir === undefined) log.info('messages are discarded');
  else log.info(`messages go to ${maildir.directory}`);
  const [address] = server.addresses;
  if (address?.kind === 'tcp' && command.getOptionValueSource('maildir') === 'default' && !options.discard) {
    const [domain = 'example.com'] = options.domain;
    log.info(`send a first one: ${firstMessage(address.host, address.port, domain)}`);
  }

  const signal = await end;
  log.info(`${signal}: shutting down`);
  await server.shutdown(options.grace * 1000);
}

export function defineServe(program: Command, terminal: Terminal): void {
  const command = program.command('serve');
  command
    .description('receive mail, and store it in a Maildir')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 for any free one', listeningPort, 2525)
    .option('--unix <path>', 'listen on a Unix socket too')
    .option('--hostname <name>', "name to greet with (default: the machine's)", hostName)
    .addOption(
      new Option('--domain <name>', 'take mail for this domain only; repeatable')
        .argParser(domains)
        .default(new Set(), 'for any'),
    )
    .option('--maildir <directory>', 'where to store messages', './mail')
    .addOption(new Option('--discard', 'store nothing: accept messages and drop them').conflicts('maildir'))
    .option('--max-size <bytes>', 'largest message', count, 36_700_160)
    .option('--max-recipients <number>', 'recipients of one message', count, 1000)
    .option('--max-connections <number>', 'connections at a time', count, 10_000)
    .option('--idle-timeout <seconds>', 'end a session that is silent for so long', deadline, 300)
    .option('--grace <seconds>', 'time for messages under way when shutting down', seconds, 10)
    .addOption(
      new Option('--bare-newline <what>', 'what to do with CR or LF alone, and with NUL')
        .choices(['reject', 'keep'])
        .default('reject'),
    )
    .option('--json', 'log as NDJSON')
    .addHelpText('after', NOTES)
    .action((options: ServeOptions) => serve(command, options, terminal));
}
