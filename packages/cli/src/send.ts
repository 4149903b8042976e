/**
 * `sansmtp send`: delivers one message to one server, and says what became of it for each recipient.
 */
import { readFile } from 'node:fs/promises';
import {
  type ClientCredentials,
  type ClientEnvelope,
  ExtensionNotOfferedError,
  LocalProtocolError,
  type Mailbox,
} from '@sansmtp/core';
import { toAsciiDomain } from '@sansmtp/delivery';
import type { ClientConnection } from '@sansmtp/transport';
import { type Command, Option } from 'commander';
import { type Destination, openConnection, type TlsMode } from './connection.js';
import { type CredentialsOptions, readCredentials } from './credentials.js';
import { Dialogue } from './dialogue.js';
import { exitCodes } from './exit-codes.js';
import { fail } from './fail.js';
import { createLog } from './log.js';
import { deadline, host, hostName, machineHostName, port, recipients, sender } from './option-values.js';
import { exitCodeOf, type Outcome, outcomeLine, outcomeOf, outcomeOfError } from './outcome.js';
import { type OutgoingMessage, openMessage } from './outgoing-message.js';
import type { Terminal } from './terminal.js';

const NOTES = `
Prints a line a recipient on stdout: "delivered|rejected|deferred|unknown ADDRESS REPLY";
"unknown": the connection was lost after the message was sent and before its reply.
Exit codes: 76 the server broke the protocol; else 77 it did not let us in, or needed TLS
could not be had; else 69 some were rejected; else 68 there is no such host; else 75 some are
deferred or unknown; 0 all were delivered. 64: wrong usage, or an address or message that
cannot be sent.
TLS: opportunistic uses STARTTLS where it is offered, with any certificate, and goes on
without where it fails; required and implicit verify the server.`;

interface SendOptions extends CredentialsOptions {
  readonly from?: Mailbox | '<>';
  readonly to?: readonly Mailbox[];
  readonly data: string;
  readonly host?: string;
  readonly port?: number;
  readonly unix?: string;
  readonly lmtp?: true;
  readonly tls: TlsMode;
  readonly tlsCa?: string;
  readonly tlsInsecure?: true;
  readonly allowInsecureAuth?: true;
  readonly hostname?: string;
  readonly timeout?: number;
  readonly json?: true;
  readonly verbose?: true;
}

/** RFC 6152 §3: what holds octets above 127 must not be sent there, and is not ours to convert. */
class EightBitError extends Error {
  constructor() {
    super('it holds octets above 127, and the server does not offer 8BITMIME: encode them (RFC 2045 §6)');
  }
}

/** IANA's: RFC 5321 §4.5.4.2, RFC 8314 §7.3, and what Postfix and Dovecot use for LMTP. */
function defaultPort({ tls, lmtp }: SendOptions): number {
  if (tls === 'implicit') return 465;
  return lmtp ? 24 : 25;
}

function destination(command: Command, options: SendOptions): Destination {
  const { host, port = defaultPort(options), unix, tls, tlsInsecure } = options;
  if (unix !== undefined) {
    if ((tls === 'required' || tls === 'implicit') && !tlsInsecure) {
      fail(
        command,
        exitCodes.usage,
        `--tls ${tls} verifies a host by its name: give --host, or --tls-insecure`,
      );
    }
    return { path: unix };
  }
  if (host !== undefined) return { host, port };
  return fail(
    command,
    exitCodes.usage,
    "give --host or --unix: a domain's mail exchangers are not looked up yet",
  );
}

async function readAuthorities(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await readFile(path, 'utf8');
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new RangeError(`--tls-ca: there is no certificate in PEM in ${path}`);
}

/** What has to be read before anything is sent. */
async function prepareAccess(
  command: Command,
  options: SendOptions,
): Promise<{ readonly ca: string | undefined; readonly credentials: ClientCredentials | undefined }> {
  try {
    return {
      ca: await readAuthorities(options.tlsCa),
      credentials: await readCredentials(options, process.env.SANSMTP_PASSWORD),
    };
  } catch (error) {
    return fail(command, exitCodes.usage, (error as Error).message);
  }
}

/** The mailbox as it can be written to a server without SMTPUTF8, if it can (RFC 6531 §3.2). */
function inAscii(mailbox: Mailbox): Mailbox {
  const converted = toAsciiDomain(mailbox.domain);
  return converted.kind === 'domain' ? { ...mailbox, domain: converted.domain } : mailbox;
}

function isAscii({ domain }: Mailbox): boolean {
  return /^[ -~]*$/.test(domain);
}

async function prepareMessage(command: Command, path: string, { stdin }: Terminal): Promise<OutgoingMessage> {
  try {
    return await openMessage(path, stdin);
  } catch (error) {
    return fail(command, exitCodes.usage, path === '-' ? 'standard input' : path, error);
  }
}

/** Shows the dialogue: plainly, or as records of the log. */
function createDialogue({ stderr }: Terminal, json: boolean): Dialogue {
  if (!json) return new Dialogue((speaker, line) => stderr.write(`${speaker}: ${line}\n`));
  const log = createLog(stderr, json);
  return new Dialogue((speaker, line) => log.info({ speaker }, line));
}

async function leave(connection: ClientConnection, signal: AbortSignal | undefined): Promise<void> {
  signal?.addEventListener('abort', () => connection.abort());
  try {
    await connection.quit();
  } catch (error) {
    // A session that has failed takes no QUIT: it is on its way out by itself.
    if (!(error instanceof LocalProtocolError)) throw error;
    await connection.closed;
  }
}

/** Hands the message over; what cannot be sent to this server is thrown. */
async function handOver(
  connection: ClientConnection,
  from: Mailbox | null,
  to: readonly Mailbox[],
  message: OutgoingMessage,
  cancel: { readonly signal?: AbortSignal },
): Promise<readonly Outcome[]> {
  const { keywords } = connection.offer;
  if (message.eightBit && !keywords.has('8BITMIME')) throw new EightBitError();
  const written = (mailbox: Mailbox) =>
    keywords.has('SMTPUTF8') || isAscii(mailbox) ? mailbox : inAscii(mailbox);
  const envelope: ClientEnvelope = {
    reversePath: from && written(from),
    recipients: to.map(written),
    parameters: { size: message.size, ...(message.eightBit ? { body: '8BITMIME' } : {}) },
  };
  return (await connection.send(envelope, message.read(), cancel)).map(outcomeOf);
}

async function send(command: Command, options: SendOptions, terminal: Terminal): Promise<void> {
  const { from, to, hostname = machineHostName(), timeout, json = false } = options;
  // Not by commander, which would complain of these before it says which option it does not know.
  if (from === undefined)
    fail(command, exitCodes.usage, "give the sender: --from, '<>' for the null reverse-path");
  if (to === undefined) fail(command, exitCodes.usage, 'give a recipient: --to');
  const target = destination(command, options);
  const { ca, credentials } = await prepareAccess(command, options);
  const message = await prepareMessage(command, options.data, terminal);
  const dialogue = options.verbose ? createDialogue(terminal, json) : undefined;
  const signal = timeout === undefined ? undefined : AbortSignal.timeout(timeout * 1000);
  const cancel = signal === undefined ? {} : { signal };

  let connection: ClientConnection | undefined;
  let outcomes: readonly Outcome[];
  try {
    connection = await openConnection({
      destination: target,
      tls: options.tls,
      ca,
      insecure: options.tlsInsecure === true,
      credentials,
      allowInsecureAuth: options.allowInsecureAuth === true,
      signal,
      session: {
        protocol: options.lmtp ? 'lmtp' : 'smtp',
        ...(hostname === undefined ? {} : { hostname }),
        ...(dialogue === undefined ? {} : { onWire: (direction, bytes) => dialogue[direction](bytes) }),
      },
    });
    outcomes = await handOver(connection, from === '<>' ? null : from, to, message, cancel);
  } catch (error) {
    if (connection !== undefined && error instanceof ExtensionNotOfferedError) {
      await leave(connection, signal);
      fail(command, exitCodes.usage, 'it cannot be sent there', error);
    }
    if (connection !== undefined && error instanceof EightBitError) {
      await leave(connection, signal);
      fail(command, exitCodes.usage, options.data === '-' ? 'standard input' : options.data, error);
    }
    const outcome = outcomeOfError(error);
    outcomes = to.map(() => outcome);
  } finally {
    await message.close();
  }
  dialogue?.endMessage();
  if (signal?.aborted) {
    const reason = `not decided within the ${timeout} s of --timeout`;
    outcomes = outcomes.map((outcome) => ('reply' in outcome ? outcome : { ...outcome, reason }));
  }
  const lines = outcomes.map((outcome, i) => `${outcomeLine(to[i] as Mailbox, outcome)}\n`);
  terminal.stdout.write(lines.join(''));
  terminal.exitCode = exitCodeOf(outcomes);
  if (connection !== undefined) await leave(connection, signal);
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
    .option('--data <file>', 'the message; - is standard input', '-')
    .addOption(new Option('--host <host>', 'the server').argParser(host).conflicts('unix'))
    .option('--port <number>', 'its port (default: 25; 465 with --tls implicit; 24 with --lmtp)', port)
    .option('--unix <path>', 'the server, on a Unix socket')
    .option('--lmtp', 'speak LMTP (RFC 2033)')
    .option('--hostname <name>', "name to introduce ourselves with (default: the machine's)", hostName)
    .option('--timeout <seconds>', 'deadline for the whole delivery (default: none)', deadline)
    .addOption(
      new Option('--tls <mode>', 'whether to use TLS')
        .choices(['opportunistic', 'none', 'required', 'implicit'])
        .default('opportunistic'),
    )
    .option('--tls-ca <file>', 'who may have signed the certificate, in PEM (default: those that Node knows)')
    .option('--tls-insecure', 'take any certificate')
    .option('--user <name>', 'authenticate as this user')
    .option('--password-file <file>', 'the password (default: $SANSMTP_PASSWORD)')
    .option('--allow-insecure-auth', 'send the password without TLS too')
    .option('--verbose', 'show the dialogue on stderr')
    .option('--json', 'show it as NDJSON')
    .addHelpText('after', NOTES)
    .action((options: SendOptions) => send(command, options, terminal));
}
