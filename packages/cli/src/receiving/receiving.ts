/**
 * What the commands that receive mail have in common: they open what the options name, listen, say so, read files again at
 * SIGHUP, and end in order at a signal. What becomes of the mail is the application's.
 */
import cluster from 'node:cluster';
import { type ServerHandlers, type ServerObserver, TlsError } from '@sansmtp/transport';
import {
  type ListenerAddress,
  type MailServer,
  type MailSessionOptions,
  startMailServer,
  trustedPeers,
} from '@sansmtp/transport-node';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import { createLog, type Logger } from '../log.js';
import type { Figures } from '../metrics/metrics.js';
import { machineHostName } from '../option-values.js';
import type { Terminal } from '../terminal.js';
import { authenticationSecret } from '../users/authentication-secret.js';
import {
  readUserDirectory,
  type UserAuthentication,
  type UserDirectory,
  userAuthentication,
} from '../users/user-authentication.js';
import { authenticationProblem } from '../users/users.js';
import { type Certificate, type KeyPair, openCertificate } from './certificates.js';
import { sessionLimits } from './client-limits.js';
import {
  type KnownAddress,
  type Listening,
  type ListeningSurroundings,
  listenings,
  type Ports,
} from './listening.js';
import { together } from './observers.js';
import type { ReceivingOptions } from './receiving-options.js';
import { type Reread, readAgainOnHangup } from './rereading.js';
import { type ServingProcess, soleProcess } from './serving-process.js';
import { dialogueLog, type SessionLog, sessionLog } from './session-log.js';
import { signalled } from './signals.js';

/** What an application is given. */
export interface Surroundings {
  readonly log: Logger;
  readonly sessions: SessionLog;
  /** The name of this host. */
  readonly hostname: string;
  /** Present: figures are wanted. */
  readonly metrics: Figures | undefined;
}

/** What a command does with the mail that it takes. */
export interface Application {
  readonly handlers: ServerHandlers;
  /** A folder of this server alone, in which a secret outlives a restart; undefined: there is none. */
  readonly folder: string | undefined;
  /** What else sessions are. */
  readonly session?: Pick<MailSessionOptions, 'extensions'>;
  /** Resolves where it cannot go on, with what the matter is: then the process ends as by a signal, with exit code 71. */
  readonly failed?: Promise<string>;
  /** What it reads again at SIGHUP. */
  readonly rereads?: readonly Reread[];
  /** Whether it could store a message now. @default always */
  isReady?(): Promise<boolean>;
  /** Called once it listens. */
  started(first: ListenerAddress | undefined): void;
  /** Ends what is under way of its own, within `grace` milliseconds; clients may still bring messages meanwhile. */
  shutdown?(grace: number): Promise<void>;
  /** Closes what is open. No message comes any more. */
  end?(): Promise<void>;
}

/** What of the options has to be looked into before anything is opened: the certificate and the users. */
async function readIdentities(
  command: Command,
  options: ReceivingOptions,
  hostname: string,
  selfSigned: KeyPair | undefined,
): Promise<{ readonly certificate: Certificate | undefined; readonly directory: UserDirectory }> {
  try {
    const certificate = await openCertificate(options, hostname, selfSigned);
    if (options.tlsPort !== undefined && certificate === undefined) {
      throw new RangeError('--tls-port needs --tls-cert and --tls-key, or --tls-self-signed');
    }
    return { certificate, directory: await readUserDirectory(options) };
  } catch (error) {
    return fail(command, exitCodes.usage, error instanceof Error ? error.message : String(error));
  }
}

/** Undefined where nobody is to authenticate. */
async function openUsers(
  command: Command,
  { usersFile }: ReceivingOptions,
  { users }: UserDirectory,
  folder: string | undefined,
  secret: () => Uint8Array,
  log: Logger,
): Promise<UserAuthentication | undefined> {
  if (users.size === 0 && usersFile === undefined) return undefined;
  try {
    return userAuthentication(users, await authenticationSecret(folder, secret), log);
  } catch (error) {
    return fail(command, exitCodes.cannotCreate, 'cannot keep the secret of AUTH', error);
  }
}

function placesToListen(
  options: ReceivingOptions,
  certificate: Certificate | undefined,
  users: UserAuthentication | undefined,
  ports: Ports,
  log: Logger,
): readonly Listening[] {
  const allowInsecure = options.allowInsecureAuth === true;
  const surroundings: ListeningSurroundings = {
    context: certificate?.context,
    authentication: users && { allowInsecure, mechanisms: users.mechanisms },
    proxied: options.proxyProtocol && { isTrusted: trustedPeers(options.proxyFrom) },
    onError: (error, arrival) => {
      // Those of TLS are the observer's to tell.
      if (error instanceof TlsError) return;
      log.error({ client: arrival?.peer.address, reason: error.message }, 'connection not accepted');
    },
  };
  return listenings(options, surroundings, ports);
}

async function startServer(
  command: Command,
  options: ReceivingOptions,
  { handlers, session }: Application,
  users: UserAuthentication | undefined,
  places: readonly Listening[],
  observer: ServerObserver,
  { limits, failureLimiter }: ServingProcess,
  { hostname, log, sessions }: Surroundings,
): Promise<MailServer> {
  const idle = options.idleTimeout * 1000;
  try {
    return await startMailServer({
      addresses: places.map((place) => place.options),
      handlers: { ...handlers, ...users?.handlers },
      session: {
        ...session,
        hostname,
        maximumMessageSize: options.maxSize,
        maximumRecipients: options.maxRecipients,
        bareNewline: options.bareNewline,
        lenient: options.lenient === true,
        ...(options.maxLine !== undefined && { maximumTextLineLength: options.maxLine }),
        ...sessionLimits(options, { idle, mailData: idle }),
        failureLimiter,
        ...(users && {
          authentication: {
            allowInsecure: options.allowInsecureAuth === true,
            mechanisms: users.mechanisms,
          },
        }),
      },
      ...limits,
      observer,
      onExcess: ({ peer, limit }) => {
        if (sessions.admits(peer)) log.warn({ client: peer.address, limit }, 'connection refused: too many');
      },
    });
  } catch (error) {
    return fail(command, exitCodes.system, 'cannot listen', error);
  }
}

const EXPOSED = 'everybody on this machine can read the --users-file: take that from them (chmod o-r)';

/** The certificate and the users, where they came from files. */
function rereadsOf(
  options: ReceivingOptions,
  certificate: Certificate | undefined,
  users: UserAuthentication | undefined,
  log: Logger,
): readonly Reread[] {
  const rereads: Reread[] = [];
  const { reload } = certificate ?? {};
  if (reload !== undefined) rereads.push({ what: 'the certificate', read: reload });
  if (users !== undefined && options.usersFile !== undefined) {
    rereads.push({
      what: 'the users file',
      async read() {
        const directory = await readUserDirectory(options);
        users.replace(directory.users);
        if (directory.exposed) log.warn(EXPOSED);
      },
    });
  }
  return rereads;
}

function checkTogether(command: Command, options: ReceivingOptions): void {
  if (command.getOptionValueSource('proxyFrom') === 'cli' && !options.proxyProtocol) {
    fail(command, exitCodes.usage, '--proxy-from needs --proxy-protocol');
  }
}

/** Receives mail until a signal ends it. */
export async function receive(
  command: Command,
  options: ReceivingOptions,
  terminal: Terminal,
  open: (surroundings: Surroundings) => Promise<Application>,
): Promise<void> {
  checkTogether(command, options);
  const end = signalled();
  const log = createLog(terminal.stderr, options.json === true);
  const hostname = options.hostname ?? machineHostName() ?? 'localhost';
  const surroundings = { end, log, hostname };
  const begun = { command, options, terminal, open, log, hostname };
  if (options.workers === 1) return serve(begun, soleProcess(command, options, terminal, surroundings));
  // Loaded only here: who serves alone needs none of it.
  if (cluster.isPrimary) {
    const { supervise } = await import('./workers/supervising.js');
    return supervise(command, options, terminal, surroundings);
  }
  const { workerProcess } = await import('./workers/worker.js');
  const worker = await workerProcess(options, end);
  try {
    await serve(begun, worker);
  } finally {
    worker.leave();
  }
}

/** What a command was told, and where it tells. */
interface Begun extends Pick<Surroundings, 'log' | 'hostname'> {
  readonly command: Command;
  readonly options: ReceivingOptions;
  readonly terminal: Terminal;
  readonly open: (surroundings: Surroundings) => Promise<Application>;
}

/** Serves in this process. */
async function serve(
  { command, options, terminal, open, log, hostname }: Begun,
  serving: ServingProcess,
): Promise<void> {
  const { certificate, directory } = await readIdentities(command, options, hostname, serving.selfSigned);
  const closing: (() => Promise<void>)[] = [];
  /** The last that was opened is closed first. */
  const close = async () => {
    for (const each of closing.reverse()) await each();
  };
  try {
    const metrics = await serving.openMetrics();
    closing.push(async () => metrics?.close?.());
    const sessions = sessionLog(log);
    const surroundings = { log, sessions, hostname, metrics };
    const application = await open(surroundings);
    closing.push(async () => application.end?.());
    const users = await openUsers(command, options, directory, application.folder, serving.secret, log);
    // Without TLS nobody may authenticate, unless that is allowed: then nothing of it is offered.
    const mayAuthenticate = certificate !== undefined || options.allowInsecureAuth === true;
    const admitted = mayAuthenticate ? users : undefined;
    const places = placesToListen(options, certificate, admitted, serving.ports, log);
    const recording = await serving.openRecording();
    closing.push(() => recording.end());
    const observer = together(
      sessions.observer,
      ...(options.verbose ? [dialogueLog(log)] : []),
      ...(metrics === undefined ? [] : [metrics.observer]),
      ...recording.observers,
    );
    const server = await startServer(
      command,
      options,
      application,
      admitted,
      places,
      observer,
      serving,
      surroundings,
    );
    const endRereading = readAgainOnHangup(
      [...rereadsOf(options, certificate, users, log), ...(application.rereads ?? [])],
      recording.reopen,
      serving.isSpokesman ? log : log.child({}, { level: 'warn' }),
      serving.onHangup,
    );
    let isGoingDown = false;
    metrics?.measure({
      sessions: () => server.connections.size,
      isReady: async () => !isGoingDown && ((await application.isReady?.()) ?? true),
    });
    serving.ready(knownAddresses(server, places), (metrics?.listening ?? '') + recording.listening);
    if (serving.isSpokesman) {
      const problem = authenticationProblem(directory.users, {
        tls: certificate !== undefined,
        insecure: options.allowInsecureAuth === true,
        submission: options.submissionPort !== undefined,
      });
      if (problem !== undefined) log.warn(problem);
      if (directory.exposed) log.warn(EXPOSED);
      application.started(server.addresses[0]);
    }

    const failure = application.failed?.then((problem) => {
      terminal.exitCode = exitCodes.system;
      return problem;
    });
    const reason = await Promise.race([serving.end, ...(failure === undefined ? [] : [failure])]);
    isGoingDown = true;
    serving.ending(reason);
    const grace = options.grace * 1000;
    await Promise.all([server.shutdown(grace), application.shutdown?.(grace)]);
    sessions.end();
    endRereading();
  } finally {
    await close();
  }
}

function knownAddresses({ addresses }: MailServer, places: readonly Listening[]): readonly KnownAddress[] {
  return places.flatMap(({ kind }, index) => {
    const address = addresses[index];
    return address === undefined ? [] : [{ kind, address }];
  });
}
