/**
 * `sansmtp send`: delivers one message to one server, and says what became of it for each recipient.
 */
import { type ClientEnvelope, LocalProtocolError, type Mailbox } from '@sansmtp/core';
import { type ClientConnection, openSession } from '@sansmtp/transport';
import { type ConnectOptions, connect, systemClock } from '@sansmtp/transport-node';
import { type Command, InvalidArgumentError, Option } from 'commander';
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
Exit codes: 76 the server broke the protocol; else 69 some were rejected; else 68 there is
no such host; else 75 some are deferred or unknown; 0 all were delivered. 64: wrong usage, or
an address or message that cannot be sent.`;

interface SendOptions {
  readonly from?: Mailbox | '<>';
  readonly to?: readonly Mailbox[];
  readonly data: string;
  readonly host?: string;
  readonly port: number;
  readonly unix?: string;
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

function tlsMode(text: string): string {
  if (text === 'none') return text;
  throw new InvalidArgumentError('TLS is not supported yet: only none is.');
}

function destination(command: Command, { host, port, unix }: SendOptions): ConnectOptions {
  if (unix !== undefined) return { path: unix };
  if (host !== undefined) return { host, port };
  return fail(
    command,
    exitCodes.usage,
    "give --host or --unix: a domain's mail exchangers are not looked up yet",
  );
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

async function openConnection(
  destination: ConnectOptions,
  hostname: string | undefined,
  dialogue: Dialogue | undefined,
  cancel: { readonly signal?: AbortSignal },
): Promise<ClientConnection> {
  return openSession(await connect({ ...destination, ...cancel }), {
    clock: systemClock,
    ...cancel,
    ...(hostname === undefined ? {} : { hostname }),
    ...(dialogue === undefined ? {} : { onWire: (direction, bytes) => dialogue[direction](bytes) }),
  });
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

async function send(command: Command, options: SendOptions, terminal: Terminal): Promise<void> {
  const { from, to, hostname = machineHostName(), timeout, json = false } = options;
  // Not by commander, which would complain of these before it says which option it does not know.
  if (from === undefined)
    fail(command, exitCodes.usage, "give the sender: --from, '<>' for the null reverse-path");
  if (to === undefined) fail(command, exitCodes.usage, 'give a recipient: --to');
  const target = destination(command, options);
  const message = await prepareMessage(command, options.data, terminal);
  const dialogue = options.verbose ? createDialogue(terminal, json) : undefined;
  const signal = timeout === undefined ? undefined : AbortSignal.timeout(timeout * 1000);
  const cancel = signal === undefined ? {} : { signal };
  const envelope: ClientEnvelope = {
    reversePath: from === '<>' ? null : from,
    recipients: to,
    parameters: { size: message.size, ...(message.eightBit ? { body: '8BITMIME' } : {}) },
  };

  let connection: ClientConnection | undefined;
  let outcomes: readonly Outcome[];
  try {
    connection = await openConnection(target, hostname, dialogue, cancel);
    if (message.eightBit && !connection.offer.keywords.has('8BITMIME')) throw new EightBitError();
    outcomes = (await connection.send(envelope, message.read(), cancel)).map(outcomeOf);
  } catch (error) {
    if (error instanceof EightBitError && connection !== undefined) {
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
    .option('--port <number>', 'its port', port, 25)
    .option('--unix <path>', 'the server, on a Unix socket')
    .option('--hostname <name>', "name to introduce ourselves with (default: the machine's)", hostName)
    .option('--timeout <seconds>', 'deadline for the whole delivery (default: none)', deadline)
    .option('--tls <mode>', 'none: without TLS', tlsMode, 'none')
    .option('--verbose', 'show the dialogue on stderr')
    .option('--json', 'show it as NDJSON')
    .addHelpText('after', NOTES)
    .action((options: SendOptions) => send(command, options, terminal));
}
