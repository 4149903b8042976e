/** `sansmtp probe`: judges a server by the cases of the conformance kit, and says what deviates. */
import {
  type CaseGroup,
  type Credentials,
  type Examination,
  examine,
  findingLine,
  isSelected,
  jsonLine,
  judgeAll,
  pageOf,
  paths,
  serverGroups,
  UnreachableError,
  type Verdict,
} from '@sansmtp/conformance';
import { formatMailbox, type Mailbox } from '@sansmtp/core';
import { connect } from '@sansmtp/transport-node';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import { countOrNone, deadline, mailbox, path, port, userName } from '../option-values.js';
import { type CredentialsOptions, readCredentials } from '../sending/credentials.js';
import { oneLine, type Terminal } from '../terminal.js';
import {
  checkOnly,
  checkReports,
  conclude,
  GENERATED,
  knownDeviations,
  type ReportOptions,
} from './conclusion.js';
import { judgeGenerated } from './generated.js';
import { addressesOf } from './private-network.js';
import { probeClient } from './probe-client.js';
import { progressOn } from './progress.js';
import { type ServerAddress, serverAddress } from './server-address.js';

const NOTES = `
Sends test messages, which say that they are, from --from to --to, as well as malformed commands: run it against
servers of yours. Up to eight connections stand at once, and fifty a second are made; logins with a wrong password
come twice a minute at most, so that a run with --user takes a quarter of an hour.
Prints a line a finding, "ID LEVEL SECTION what was seen", and then "N passed, N failed, N skipped". What cannot be
judged is skipped: an extension that is not offered, a limit that the server announced by 421 or 454 4.7.0; stderr has
the reasons.
--json prints a line for each case: {"id","level","section","result","seen","dialogue"}.
After the cases come the paths of the chart, "paths/STATE-COMMAND": each command in each state, judged by a model of the
RFCs; and generated dialogues, "generated/model", judged likewise. The first of these that deviates is shrunk to a few
lines, and names its seed.
--only takes a group, an id, or words with * for anything, separated by commas; --list shows all ids, each with the
page that explains it.
--expect FILE: ids of known deviations, one a line; only others count, and those that are healed, or are the id of no
case, are told.
--to: by default the postmaster of the domain that the server names.
--client 'COMMAND {host} {port} {from} {to} {file}': a server of 127.0.0.1 that does what servers do at worst
judges the command, which sends one message and exits by 0 if it was delivered. It is split into words once and
run without a shell; a word with {to} comes once for each recipient, together with the option before it;
{recipients} are all of them with commas between. With {ca} or {user} in it the client is taken to insist on
STARTTLS, or to log in under it.
Exit codes: 1 something of level MUST or SECURITY failed; 75 the server cannot be reached, or no case could be
judged; 64 usage; 73 a report cannot be written; 0 otherwise.`;

/** A case at a time has one connection, most of them. */
const CONNECTIONS_A_SECOND = 50;

/** Cases, and paths of the chart. */
const groups: readonly CaseGroup[] = [...serverGroups, paths];

interface ProbeOptions extends CredentialsOptions, ReportOptions {
  readonly client?: string;
  readonly tlsPort?: number;
  readonly lmtp?: true;
  readonly tlsInsecure?: true;
  readonly from?: Mailbox;
  readonly to?: Mailbox;
  readonly runs: number;
  readonly seconds?: number;
  readonly seed?: number;
  readonly list?: true;
  readonly yesThisIsMine?: true;
}

async function credentialsOf(command: Command, options: ProbeOptions): Promise<Credentials | undefined> {
  try {
    const credentials = await readCredentials(options, process.env.SANSMTP_PASSWORD);
    if (credentials?.kind !== 'password') return undefined;
    const { username: user, password } = credentials;
    return { user, password: Buffer.from(password.reveal()).toString() };
  } catch (error) {
    return fail(command, exitCodes.usage, (error as Error).message);
  }
}

/** The address to connect to, decided once for the whole run. */
async function reachableAddress(
  command: Command,
  { host, port }: ServerAddress,
  everywhere: boolean,
): Promise<string> {
  let addresses: readonly string[];
  try {
    addresses = await addressesOf(host, { everywhere });
  } catch (error) {
    return fail(command, exitCodes.deferred, `cannot resolve ${host}`, error);
  }
  if (addresses.length === 0) {
    const problem = `${host} is neither on this machine nor in a private network`;
    fail(command, exitCodes.usage, `${problem}; --yes-this-is-mine probes it all the same`);
  }
  let problem: unknown;
  for (const address of addresses) {
    try {
      (await connect({ host: address, port })).abort();
      return address;
    } catch (error) {
      problem ??= error;
    }
  }
  return fail(command, exitCodes.deferred, 'the server cannot be reached', problem);
}

async function examinationOf(
  command: Command,
  server: ServerAddress,
  address: string,
  options: ProbeOptions,
  credentials: Credentials | undefined,
): Promise<Examination> {
  const { tlsPort, lmtp, tlsInsecure, from, to } = options;
  const trust = { servername: server.host, verify: tlsInsecure !== true };
  const at = (port: number, mode: 'startTls' | 'implicit') => () =>
    connect({ host: address, port, tls: { mode, ...trust } });
  try {
    return await examine({
      connect: at(server.port, 'startTls'),
      ...(tlsPort !== undefined && { connectTls: at(tlsPort, 'implicit') }),
      protocol: lmtp ? 'lmtp' : 'smtp',
      ...(from && { from: formatMailbox(from) }),
      ...(to && { to: formatMailbox(to) }),
      ...(credentials && { credentials }),
      connectionsPerSecond: CONNECTIONS_A_SECOND,
    });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return fail(command, exitCodes.deferred, 'the server cannot be judged', error);
  }
}

function list({ stdout }: Terminal, groups: readonly CaseGroup[], only: string | undefined): void {
  for (const { id, level, section, rationale } of groups.flatMap(({ cases }) => cases)) {
    if (isSelected(id, only)) stdout.write(`${id} ${level} ${section} ${rationale} ${pageOf(id)}\n`);
  }
}

async function probe(
  command: Command,
  terminal: Terminal,
  server: ServerAddress,
  options: ProbeOptions,
): Promise<void> {
  const { only, json, expect } = options;
  const known = await knownDeviations(command, expect);
  await checkReports(command, options);
  const credentials = await credentialsOf(command, options);
  const address = await reachableAddress(command, server, options.yesThisIsMine === true);
  const examination = await examinationOf(command, server, address, options, credentials);
  const { stdout } = terminal;
  const count = groups.flatMap(({ cases }) => cases).filter(({ id }) => isSelected(id, only)).length;
  const progress = progressOn(terminal);
  const verdicts: Verdict[] = [];
  const print = (verdict: Verdict) => {
    verdicts.push(verdict);
    progress.clear();
    if (json) stdout.write(`${jsonLine(verdict)}\n`);
    else if (verdict.outcome.result === 'failed') {
      stdout.write(`${oneLine(findingLine(verdict, known.has(verdict.id)))}\n`);
    }
  };
  for await (const verdict of judgeAll(examination, groups, { only })) {
    print(verdict);
    progress.tell(verdicts.length, `of ${count}: ${verdict.id}`);
  }
  if (isSelected(GENERATED, only) && (options.runs > 0 || options.seconds !== undefined)) {
    print(await judgeGenerated(examination, options, (done) => progress.tell(done, GENERATED)));
  }
  progress.clear();

  const { host, port } = server;
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  await conclude(command, terminal, verdicts, { target, groups, known, options });
}

export function defineProbe(program: Command, terminal: Terminal): void {
  const command = program
    .command('probe')
    .description(
      'Judge a server by the RFCs: fixed cases with their sections, paths of the chart, generated dialogues.',
    )
    .argument('[host:port]', 'the server', serverAddress)
    .option('--tls-port <port>', 'its port with implicit TLS', port)
    .option('--lmtp', 'it speaks LMTP')
    .option('--user <name>', 'authenticate by this name, under TLS where it is offered', userName)
    .option('--password-file <file>', 'the password; else SANSMTP_PASSWORD', path)
    .option('--tls-insecure', 'take any certificate')
    .option('--from <address>', 'reverse-path of the test messages', mailbox)
    .option('--to <address>', 'somebody whom it takes mail for', mailbox)
    .option(
      '--client <command>',
      'judge a client instead: its command, with {host} {port} {from} {to} {file}',
    )
    .option('--only <pattern>', 'judge these cases only')
    .option('--runs <count>', 'generated dialogues; 0 for none', countOrNone, 50)
    .option('--seconds <seconds>', 'generate dialogues for so long, instead of --runs', deadline)
    .option('--seed <seed>', 'generate the same dialogues again', countOrNone)
    .option('--json', 'print each verdict as NDJSON')
    .option('--junit <file>', 'write JUnit XML, for CI', path)
    .option('--report <file>', 'write a report in HTML, with the dialogue of each finding', path)
    .option('--expect <file>', 'ids of known deviations, one a line', path)
    .option('--list', 'list the cases instead')
    .option('--yes-this-is-mine', 'probe a server that is not in a private network')
    .addHelpText('after', NOTES)
    .action(async (server: ServerAddress | undefined, options: ProbeOptions) => {
      const { only } = options;
      if (options.client !== undefined) {
        if (server !== undefined) fail(command, exitCodes.usage, 'give HOST:PORT or --client, not both');
        await probeClient(command, terminal, options.client, options);
        return;
      }
      checkOnly(command, only, [...groups.flatMap(({ cases }) => cases.map(({ id }) => id)), GENERATED]);
      if (options.list) list(terminal, groups, only);
      else if (server === undefined)
        fail(command, exitCodes.usage, 'name the server: sansmtp probe HOST:PORT');
      else await probe(command, terminal, server, options);
    });
}
