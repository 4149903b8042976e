/** `sansmtp probe --client`: judges the command of a client. The server that judges listens on the loopback interface only. */
import {
  clientCases,
  clientGroups,
  clientOfCommands,
  findingLine,
  isSelected,
  jsonLine,
  judgeClient,
  pageOf,
  type Setup,
  type SmtpClient,
} from '@sansmtp/conformance';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import { oneLine, type Terminal } from '../terminal.js';
import { checkOnly, checkReports, conclude, knownDeviations, type ReportOptions } from './conclusion.js';
import { progressOn } from './progress.js';

/** What the command is meant for, by what it is told. */
function setupOf(commandLine: string): Setup {
  if (commandLine.includes('{user}')) return 'login';
  return commandLine.includes('{ca}') ? 'startTls' : 'plain';
}

function clientOf(command: Command, commandLine: string): SmtpClient {
  try {
    return clientOfCommands({ commands: { [setupOf(commandLine)]: commandLine } });
  } catch (error) {
    return fail(command, exitCodes.usage, `--client: ${(error as Error).message}`);
  }
}

export async function probeClient(
  command: Command,
  terminal: Terminal,
  commandLine: string,
  options: ReportOptions,
): Promise<void> {
  const { only, json, expect, list } = options;
  const { stdout } = terminal;
  const cases = clientCases.filter(({ id }) => isSelected(id, only));
  checkOnly(
    command,
    only,
    clientCases.map(({ id }) => id),
  );
  if (list) {
    for (const { id, level, section, rationale } of cases) {
      stdout.write(`${id} ${level} ${section} ${rationale} ${pageOf(id)}\n`);
    }
    return;
  }
  const client = clientOf(command, commandLine);
  const known = await knownDeviations(command, expect);
  await checkReports(command, options);
  const progress = progressOn(terminal);
  let done = 0;
  const verdicts = await judgeClient(client, {
    cases,
    onVerdict(verdict, total) {
      progress.clear();
      if (json) stdout.write(`${jsonLine(verdict)}\n`);
      else if (verdict.outcome.result === 'failed') {
        stdout.write(`${oneLine(findingLine(verdict, known.has(verdict.id)))}\n`);
      }
      progress.tell(++done, `of ${total}: ${verdict.id}`);
    },
  });
  progress.clear();
  await conclude(command, terminal, verdicts, { target: commandLine, groups: clientGroups, known, options });
}
