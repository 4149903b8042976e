/**
 * `sansmtp serve`: receives mail and stores it, until a signal ends it.
 */
import { constants } from 'node:os';
import { type Maildir, openMaildir } from '@sansmtp/delivery';
import { failureLimiter, type ServerObserver, TlsError } from '@sansmtp/transport';
import { type MailServer, startMailServer, trustedPeers } from '@sansmtp/transport-node';
import { type Command, Option } from 'commander';
import { authenticationSecret } from './authentication-secret.js';
import { type Certificate, type CertificateOptions, openCertificate } from './certificates.js';
import {
  addClientLimits,
  type ClientLimitOptions,
  connectionLimits,
  sessionLimits,
} from './client-limits.js';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';
import { type Listening, type ListeningOptions, listeningLine, listenings } from './listening.js';
import { createLog, type Logger } from './log.js';
import { together } from './observers.js';
import {
  count,
  deadline,
  domains,
  host,
  hostName,
  lineLength,
  listeningPort,
  machineHostName,
  networks,
  path,
  seconds,
} from './option-values.js';
import { reception } from './reception.js';
import { type Recording, type RecordingOptions, startRecording } from './recording.js';
import { dialogueLog, type SessionLog, sessionLog } from './session-log.js';
import type { Terminal } from './terminal.js';
import {
  defineUserOptions,
  readUserDirectory,
  type UserAuthentication,
  type UserDirectory,
  type UserOptions,
  userAuthentication,
} from './user-authentication.js';
import { authenticationProblem } from './users.js';

const NOTES = `
TCP is listened on in any case; the other ports and --unix add listeners.
AUTH is offered once there is a --user or a --users-file, by SCRAM (where everybody has keys for it), PLAIN and
LOGIN, and under TLS only.
SIGHUP reads the certificate and its key, and the users' file, again; a --trace goes on in a new file.
When ready it prints a line a listener on stdout: "listening smtp 127.0.0.1:2525".
On SIGTERM or SIGINT it stops listening, tells waiting clients 421, lets messages under way
finish within --grace, and exits 0. A second signal exits at once, with 130 (INT) or 143 (TERM).
npx and npm pass no SIGTERM on: where a supervisor runs it, start node_modules/.bin/sansmtp serve.
--trace: what the file says of a session, sansmtp replay shows. It has no secrets, and of messages their
length and hash. A full disk ends the trace, with a warning, and nothing else.
--inspect: open the URL that it prints; without its token nobody sees anything.
Other exit codes: 64 usage, 71 cannot listen, 73 cannot make the Maildir or the trace.`;

interface ServeOptions
  extends ListeningOptions,
    CertificateOptions,
    ClientLimitOptions,
    UserOptions,
    RecordingOptions {
  readonly allowInsecureAuth?: true;
  readonly proxyProtocol?: true;
  readonly proxyFrom: readonly string[];
  readonly hostname?: string;
  readonly domain: ReadonlySet<string>;
  readonly maildir: string;
  readonly discard?: true;
  readonly maxSize: number;
  readonly maxRecipients: number;
  readonly maxConnections: number;
  readonly idleTimeout: number;
  readonly grace: number;
  readonly bareNewline: 'reject' | 'normalize' | 'keep';
  readonly lenient?: true;
  readonly maxLine?: number;
  readonly verbose?: true;
  readonly json?: true;
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

/** What of the options has to be looked into before anything is opened: the certificate and the users. */
async function readIdentities(
  command: Command,
  options: ServeOptions,
  hostname: string,
): Promise<{ readonly certificate: Certificate | undefined; readonly directory: UserDirectory }> {
  try {
    const certificate = await openCertificate(options, hostname);
    if (options.tlsPort !== undefined && certificate === undefined) {
      throw new RangeError('--tls-port needs --tls-cert and --tls-key, or --tls-self-signed');
    }
    return { certificate, directory: await readUserDirectory(options) };
  } catch (error) {
    return fail(command, exitCodes.usage, error instanceof Error ? error.message : String(error));
  }
}

function placesToListen(
  options: ServeOptions,
  certificate: Certificate | undefined,
  users: UserAuthentication | undefined,
  log: Logger,
): readonly Listening[] {
  const allowInsecure = options.allowInsecureAuth === true;
  return listenings(options, {
    context: certificate?.context,
    authentication: users && { allowInsecure, mechanisms: users.mechanisms },
    proxied: options.proxyProtocol && { isTrusted: trustedPeers(options.proxyFrom) },
    onError: (error, arrival) => {
      // Those of TLS are the observer's to tell.
      if (error instanceof TlsError) return;
      log.error({ client: arrival?.peer.address, reason: error.message }, 'connection not accepted');
    },
  });
}

function observerOf(
  { verbose }: ServeOptions,
  { observer }: SessionLog,
  recording: Recording,
  log: Logger,
): ServerObserver {
  return together(observer, ...(verbose ? [dialogueLog(log)] : []), ...recording.observers);
}

async function startServer(
  command: Command,
  options: ServeOptions,
  hostname: string,
  maildir: Maildir | undefined,
  users: UserAuthentication | undefined,
  places: readonly Listening[],
  sessions: SessionLog,
  recording: Recording,
  log: Logger,
): Promise<MailServer> {
  const idle = options.idleTimeout * 1000;
  try {
    return await startMailServer({
      addresses: places.map((place) => place.options),
      handlers: {
        ...reception({ domains: options.domain, maildir, log, sessions }),
        ...users?.handlers,
      },
      session: {
        hostname,
        maximumMessageSize: options.maxSize,
        maximumRecipients: options.maxRecipients,
        bareNewline: options.bareNewline,
        lenient: options.lenient === true,
        ...(options.maxLine !== undefined && { maximumTextLineLength: options.maxLine }),
        ...sessionLimits(options, { idle, mailData: idle }),
        failureLimiter: failureLimiter({ perName: options.authFailures }),
        ...(users && {
          authentication: {
            allowInsecure: options.allowInsecureAuth === true,
            mechanisms: users.mechanisms,
          },
        }),
      },
      maximumConnections: options.maxConnections,
      ...connectionLimits(options),
      observer: observerOf(options, sessions, recording, log),
      onExcess: ({ peer, limit }) => {
        if (sessions.admits(peer)) log.warn({ client: peer.address, limit }, 'connection refused: too many');
      },
    });
  } catch (error) {
    return fail(command, exitCodes.system, 'cannot listen', error);
  }
}

/** Undefined where nobody is to authenticate. */
async function openUsers(
  command: Command,
  options: ServeOptions,
  { users }: UserDirectory,
  maildir: Maildir | undefined,
  log: Logger,
): Promise<UserAuthentication | undefined> {
  if (users.size === 0 && options.usersFile === undefined) return undefined;
  try {
    return userAuthentication(users, await authenticationSecret(maildir?.directory), log);
  } catch (error) {
    return fail(command, exitCodes.cannotCreate, 'cannot keep the secret of AUTH', error);
  }
}

const EXPOSED = 'everybody on this machine can read the --users-file: take that from them (chmod o-r)';

/** Reads the certificate and the users again at each SIGHUP, where they came from files. Returns what ends that. */
function renewOnHangup(
  certificate: Certificate | undefined,
  options: ServeOptions,
  users: UserAuthentication | undefined,
  recording: Recording,
  log: Logger,
): () => void {
  const renew = async (what: string, read: (() => Promise<void>) | undefined) => {
    if (read === undefined) return;
    try {
      await read();
      log.info(`SIGHUP: ${what} is read again`);
    } catch (error) {
      log.error({ reason: (error as Error).message }, `SIGHUP: ${what} stays as it was`);
    }
  };
  const readUsers =
    users !== undefined && options.usersFile !== undefined
      ? async () => {
          const directory = await readUserDirectory(options);
          users.replace(directory.users);
          if (directory.exposed) log.warn(EXPOSED);
        }
      : undefined;
  const onHangup = async () => {
    if (recording.reopen !== undefined) {
      await recording.reopen();
    } else if (certificate?.reload === undefined && readUsers === undefined) {
      log.info('SIGHUP: there is no certificate file and no users file to be read again');
    }
    await renew('the certificate', certificate?.reload);
    await renew('the users file', readUsers);
  };
  process.on('SIGHUP', onHangup);
  return () => process.off('SIGHUP', onHangup);
}

async function serve(command: Command, options: ServeOptions, terminal: Terminal): Promise<void> {
  if (command.getOptionValueSource('proxyFrom') === 'cli' && !options.proxyProtocol) {
    fail(command, exitCodes.usage, '--proxy-from needs --proxy-protocol');
  }
  const end = signalled();
  const log = createLog(terminal.stderr, options.json === true);
  const hostname = options.hostname ?? machineHostName() ?? 'localhost';
  const { certificate, directory } = await readIdentities(command, options, hostname);
  const maildir = await openStore(command, options, hostname);
  const users = await openUsers(command, options, directory, maildir, log);
  // Without TLS nobody may authenticate, unless that is allowed: then nothing of it is offered.
  const mayAuthenticate = certificate !== undefined || options.allowInsecureAuth === true;
  const admitted = mayAuthenticate ? users : undefined;
  const places = placesToListen(options, certificate, admitted, log);
  const sessions = sessionLog(log);
  const recording = await startRecording(command, options, hostname, log);
  const server = await startServer(
    command,
    options,
    hostname,
    maildir,
    admitted,
    places,
    sessions,
    recording,
    log,
  );
  const endRenewal = renewOnHangup(certificate, options, users, recording, log);

  const lines = places.map(({ kind }, index) => {
    const address = server.addresses[index];
    return address === undefined ? '' : listeningLine(kind, address);
  });
  terminal.stdout.write(lines.join('') + recording.listening);
  const problem = authenticationProblem(directory.users, {
    tls: certificate !== undefined,
    insecure: options.allowInsecureAuth === true,
    submission: options.submissionPort !== undefined,
  });
  if (problem !== undefined) log.warn(problem);
  if (directory.exposed) log.warn(EXPOSED);
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
  sessions.end();
  endRenewal();
  await recording.end();
}

export function defineServe(program: Command, terminal: Terminal): void {
  const command = program.command('serve');
  defineUserOptions(addClientLimits(command))
    .description('receive mail, and store it in a Maildir')
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
    .addOption(
      new Option('--domain <name>', 'take mail for this domain only; repeatable')
        .argParser(domains)
        .default(new Set(), 'for any'),
    )
    .option('--maildir <directory>', 'where to store messages', path, './mail')
    .addOption(new Option('--discard', 'store nothing: accept messages and drop them').conflicts('maildir'))
    .option('--max-size <bytes>', 'largest message', count, 36_700_160)
    .option('--max-recipients <number>', 'recipients of one message', count, 1000)
    .option('--max-connections <number>', 'connections at a time', count, 10_000)
    .option('--idle-timeout <seconds>', 'end a session that is silent for so long', deadline, 300)
    .option('--grace <seconds>', 'time for messages under way when shutting down', seconds, 10)
    .addOption(
      new Option('--bare-newline <what>', 'what to do with CR or LF alone, and with NUL')
        .choices(['reject', 'normalize', 'keep'])
        .default('reject'),
    )
    .option('--lenient', 'take what else Postfix takes: no angle brackets, blanks in them, MAIL before EHLO')
    .option('--max-line <octets>', 'longest text line of a message, with its CRLF (default: any)', lineLength)
    .option('--trace <file>', 'record what happens in each session; see sansmtp replay', path)
    .option('--inspect <port>', 'show sessions live in the browser, on this machine only', listeningPort)
    .option('--verbose', 'log the dialogue too, without secrets')
    .option('--json', 'log as NDJSON')
    .addHelpText('after', NOTES)
    .action((options: ServeOptions) => serve(command, options, terminal));
}
