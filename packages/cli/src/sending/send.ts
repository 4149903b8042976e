/**
 * `sansmtp send`: delivers one message, to a server or to the mail exchangers of the recipients' domains, and says what
 * became of it for each recipient.
 */
import { createTracer } from '@sansmtp/charts/trace';
import type { Address, ClientCredentials, EnvelopeInput, Mailbox } from '@sansmtp/core';
import { createMailer, type Mailer, type MailerOptions, type RecipientVerdict } from '@sansmtp/delivery';
import { systemClock } from '@sansmtp/transport-node';
import { type Command, Option } from 'commander';
import { dnsServer } from '../dns-server.js';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import { createLog } from '../log.js';
import { deadline, host, hostName, path, port, recipients, sender, userName } from '../option-values.js';
import type { Terminal } from '../terminal.js';
import { startTracing, type Tracing } from '../tracing/tracing.js';
import { readAuthorities } from './certificate-authorities.js';
import { type CredentialsOptions, readCredentials } from './credentials.js';
import { Dialogue } from './dialogue.js';
import {
  type LongLines,
  type OutgoingMessage,
  openMessage,
  TemporaryFault,
} from './message/outgoing-message.js';
import { exitCodeOf, type Outcome, outcomeLine, outcomeOf } from './outcome.js';

const NOTES = `
Prints a line a recipient on stdout: "delivered|rejected|deferred|unknown ADDRESS REPLY";
"unknown": the connection was lost after the message was sent and before its reply.
Without --host or --unix it goes to the mail exchangers of each recipient's domain.
Exit codes: 64 wrong usage, or an address or message that cannot be sent; else 76 a server
broke the protocol; else 77 it did not let us in, or needed TLS could not be had; else 69 some
were rejected; else 68 there is no such host, or no route to a domain; else 75 some are
deferred or unknown, or there was no room here; else 74 the lines could not be written;
0 all were delivered.
Whatever the code, the lines tell who got the message: 64 does not mean that nobody did.
TLS: opportunistic uses STARTTLS where it is offered, with any certificate, and goes on
without where it fails; required and implicit verify the server. With --user, TLS is needed
and the server verified, whatever --tls says: --tls-insecure takes any certificate,
--allow-insecure-auth goes without TLS.
--hostname: by default the machine's name if it has a domain, else the connection's local
address as a literal such as [192.0.2.1], or localhost over a Unix socket.`;

interface SendOptions extends CredentialsOptions {
  readonly from?: Mailbox | '<>';
  readonly to?: readonly Address[];
  readonly data: string;
  readonly host?: string;
  readonly port?: number;
  readonly unix?: string;
  readonly lmtp?: true;
  readonly tls: NonNullable<MailerOptions['tls']>;
  readonly dns?: string;
  readonly tlsCa?: string;
  readonly tlsInsecure?: true;
  readonly allowInsecureAuth?: true;
  readonly hostname?: string;
  readonly timeout?: number;
  readonly longLines: LongLines;
  readonly trace?: string;
  readonly json?: true;
  readonly verbose?: true;
}

/** IANA's: RFC 5321 §4.5.4.2, RFC 8314 §7.3, and what Postfix and Dovecot use for LMTP. */
function defaultPort({ tls, lmtp }: SendOptions): number {
  if (tls === 'implicit') return 465;
  return lmtp ? 24 : 25;
}

/** Where all mail goes, if not to the mail exchangers of the recipients' domains. */
function relay(command: Command, options: SendOptions): MailerOptions['relay'] {
  const {
    host,
    port = defaultPort(options),
    unix,
    tls,
    tlsInsecure,
    user,
    lmtp,
    allowInsecureAuth,
  } = options;
  if (unix !== undefined) {
    if ((tls === 'required' || tls === 'implicit') && !tlsInsecure) {
      fail(
        command,
        exitCodes.usage,
        `--tls ${tls} verifies a host by its name: give --host, or --tls-insecure`,
      );
    }
    if (user !== undefined && !tlsInsecure && !allowInsecureAuth) {
      fail(
        command,
        exitCodes.usage,
        '--user needs a server that can be verified by its name: give --host, --tls-insecure or --allow-insecure-auth',
      );
    }
    return { path: unix };
  }
  if (host !== undefined) return { host, port };
  const forOneServer = lmtp
    ? '--lmtp'
    : user !== undefined
      ? '--user'
      : tls === 'implicit'
        ? '--tls implicit'
        : '';
  if (forOneServer !== '')
    fail(command, exitCodes.usage, `${forOneServer} is for one server: give --host or --unix`);
  return undefined;
}

interface Access {
  /** In PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  /** Undefined: nobody is to authenticate. */
  readonly credentials: ClientCredentials | undefined;
}

/** What has to be read before anything is sent. */
async function prepareAccess(command: Command, options: SendOptions): Promise<Access> {
  try {
    return {
      ca: options.tlsCa === undefined ? undefined : await readAuthorities(options.tlsCa),
      credentials: await readCredentials(options, process.env.SANSMTP_PASSWORD),
    };
  } catch (error) {
    return fail(command, exitCodes.usage, (error as Error).message);
  }
}

async function prepareMessage(
  command: Command,
  { data: path, longLines }: SendOptions,
  { stdin }: Terminal,
): Promise<OutgoingMessage | TemporaryFault> {
  try {
    return await openMessage(path, stdin, longLines);
  } catch (error) {
    if (error instanceof TemporaryFault) return error;
    return fail(command, exitCodes.usage, path === '-' ? 'standard input' : `--data ${path}`, error);
  }
}

/** Shows the dialogue: plainly, or as records of the log. */
function createDialogue({ stderr }: Terminal, json: boolean): Dialogue {
  if (!json) return new Dialogue((speaker, line) => stderr.write(`${speaker}: ${line}\n`));
  const log = createLog(stderr, json);
  return new Dialogue((speaker, line) => log.info({ speaker }, line));
}

/** Undefined where no trace is wanted. */
async function openTrace(
  command: Command,
  { trace }: SendOptions,
  { stderr }: Terminal,
): Promise<Tracing | undefined> {
  if (trace === undefined) return undefined;
  try {
    const warn = (problem: string) => stderr.write(`warning: ${problem}\n`);
    return await startTracing(trace, { end: 'client', warn });
  } catch (error) {
    return fail(command, exitCodes.cannotCreate, `cannot write the trace ${trace}`, error);
  }
}

function mailerOf(
  options: SendOptions,
  to: MailerOptions['relay'],
  { ca, credentials }: Access,
  dialogue: Dialogue | undefined,
  tracing: Tracing | undefined,
): Mailer {
  const { tls, tlsInsecure, port, dns, hostname, lmtp, allowInsecureAuth } = options;
  const isProof = tls === 'required' || tls === 'implicit' || credentials !== undefined;
  return createMailer({
    ...(to === undefined ? port && { port } : { relay: to }),
    ...(dns && { dns }),
    ...(hostname !== undefined && { hostname }),
    tls,
    tlsOptions: {
      // Over a Unix socket nobody has a name; `relay()` has seen to it that nobody asks for proof there.
      verify: isProof && !tlsInsecure && (to === undefined || 'host' in to),
      ...(ca !== undefined && { ca }),
    },
    ...(credentials && { authentication: { credentials, allowInsecure: allowInsecureAuth === true } }),
    ...(lmtp && { protocol: 'lmtp' }),
    ...(tracing && { observer: createTracer({ end: 'client', write: tracing.take }) }),
    // One message: nothing is to be kept for the next. A dialogue can be read only if it is one at a time.
    pool: { idleTime: 0, ...(dialogue && { connections: 1 }) },
    ...(dialogue && { session: { onWire: (direction, bytes) => dialogue[direction](bytes) } }),
  });
}

/** Tells scripts, a line a recipient. */
function tell(terminal: Terminal, to: readonly Address[], outcomes: readonly Outcome[]): void {
  terminal.stdout.write(outcomes.map((outcome, i) => `${outcomeLine(to[i] as Address, outcome)}\n`).join(''));
  terminal.exitCode = exitCodeOf(outcomes);
}

/** Nothing was sent, and may be later. */
function deferAll(terminal: Terminal, to: readonly Address[], reason: string): void {
  const outcome: Outcome = { verdict: 'deferred', reason };
  tell(
    terminal,
    to,
    to.map(() => outcome),
  );
}

/** Says when time is up. It keeps no process from ending. */
function timeLimit(seconds: number): AbortSignal {
  const controller = new AbortController();
  const error = new Error(`not decided within the ${seconds} s of --timeout`);
  systemClock.set(systemClock.now() + seconds * 1000, () =>
    controller.abort(Object.assign(error, { code: 'ETIMEDOUT' })),
  );
  return controller.signal;
}

/** Undefined once the signal says so. What was begun is left alone. */
function unlessAborted<Result>(
  result: Promise<Result>,
  signal: AbortSignal | undefined,
): Promise<Result | undefined> {
  if (signal === undefined) return result;
  const aborted = new Promise<undefined>((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  return Promise.race([result, aborted]);
}

async function send(command: Command, options: SendOptions, terminal: Terminal): Promise<void> {
  const { from, to, timeout, json = false } = options;
  // Not by commander, which would complain of these before it says which option it does not know.
  if (from === undefined)
    fail(command, exitCodes.usage, "give the sender: --from, '<>' for the null reverse-path");
  if (to === undefined) fail(command, exitCodes.usage, 'give a recipient: --to');
  const target = relay(command, options);
  const access = await prepareAccess(command, options);
  const signal = timeout === undefined ? undefined : timeLimit(timeout);
  const message = await unlessAborted(prepareMessage(command, options, terminal), signal);
  if (message === undefined) {
    terminal.stdin.destroy();
    deferAll(terminal, to, 'the message was not read within --timeout');
    return;
  }
  if (message instanceof TemporaryFault) {
    deferAll(terminal, to, message.message);
    return;
  }
  const dialogue = options.verbose ? createDialogue(terminal, json) : undefined;
  const tracing = await openTrace(command, options, terminal);
  const mailer = mailerOf(options, target, access, dialogue, tracing);
  const envelope: EnvelopeInput = {
    from,
    to,
    parameters: {
      size: message.size,
      ...(message.eightBit && { body: '8BITMIME' }),
      ...(message.utf8Header && { smtpUtf8: true }),
    },
  };
  const stop = signal === undefined ? {} : { signal };

  let verdicts: readonly RecipientVerdict[];
  try {
    verdicts = await mailer.send(envelope, message, stop);
  } catch (error) {
    await mailer.close(stop);
    await tracing?.end();
    return fail(command, exitCodes.deferred, 'the message could not be read', error);
  } finally {
    await message.close();
  }
  dialogue?.endMessage();
  tell(
    terminal,
    to,
    verdicts.map((verdict) => outcomeOf(verdict, options.tls)),
  );
  await mailer.close(stop);
  await tracing?.end();
}

export function defineSend(program: Command, terminal: Terminal): void {
  const command = program.command('send');
  command
    .description('deliver a message to a server')
    .addOption(
      new Option(
        '--from <address>',
        "the sender: '<>' for the null reverse-path, which gets no bounces",
      ).argParser(sender),
    )
    .addOption(new Option('--to <address>', 'a recipient; repeatable').argParser(recipients))
    .option('--data <file>', 'the message; - is standard input', path, '-')
    .addOption(
      new Option('--host <host>', "the server (default: the mail exchangers of the recipients' domains)")
        .argParser(host)
        .conflicts('unix'),
    )
    .addOption(
      new Option(
        '--port <number>',
        'its port, or that of mail exchangers (default: 25; 465 with --tls implicit; 24 with --lmtp)',
      )
        .argParser(port)
        .conflicts('unix'),
    )
    .option('--unix <path>', 'the server, on a Unix socket', path)
    .option('--lmtp', 'speak LMTP (RFC 2033)')
    .option('--dns <server>', "HOST:PORT of the DNS server to ask (default: the system's)", dnsServer)
    .option(
      '--hostname <name>',
      "name to introduce ourselves with (default: the machine's; see below)",
      hostName,
    )
    .option('--timeout <seconds>', 'deadline for the whole delivery (default: none)', deadline)
    .addOption(
      new Option('--tls <mode>', 'whether to use TLS')
        .choices(['opportunistic', 'none', 'required', 'implicit'])
        .default('opportunistic'),
    )
    .option(
      '--tls-ca <file>',
      'who may have signed the certificate, in PEM (default: those that Node knows)',
      path,
    )
    .option('--tls-insecure', 'take any certificate')
    .addOption(
      new Option('--long-lines <what>', 'what to do with a message that has lines over 998 octets')
        .choices(['refuse', 'pass'])
        .default('refuse'),
    )
    .option('--user <name>', 'authenticate as this user', userName)
    .option('--password-file <file>', 'the password (default: $SANSMTP_PASSWORD)', path)
    .option('--allow-insecure-auth', 'send the password without TLS too')
    .option('--trace <file>', 'record what happens in each session; see sansmtp replay', path)
    .option('--verbose', 'show the dialogue on stderr')
    .option('--json', 'show it as NDJSON')
    .addHelpText('after', NOTES)
    .action((options: SendOptions) => send(command, options, terminal));
}
