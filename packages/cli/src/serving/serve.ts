/**
 * `sansmtp serve`: receives mail and stores it, until a signal ends it.
 */
import { type Maildir, openMaildir } from '@sansmtp/delivery';
import { type Command, Option } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import { domains, path } from '../option-values.js';
import { type Application, receive, type Surroundings } from '../receiving/receiving.js';
import { defineReceivingOptions, type ReceivingOptions } from '../receiving/receiving-options.js';
import type { Terminal } from '../terminal.js';
import { reception } from './reception.js';

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

interface ServeOptions extends ReceivingOptions {
  readonly domain: ReadonlySet<string>;
  readonly maildir: string;
  readonly discard?: true;
}

/** A command line that sends a first message to the server, from a checkout. */
function firstMessage(host: string, port: number, domain: string): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return (
    "printf 'Subject: Hello\\n\\nIt works.\\n' | " +
    `npx sansmtp send --host ${reachable} --port ${port} --from me@example.com --to you@${domain}`
  );
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

/** Mail goes into the Maildir, or nowhere; and never on. */
async function openApplication(
  command: Command,
  options: ServeOptions,
  { log, sessions, hostname }: Surroundings,
): Promise<Application> {
  const maildir = await openStore(command, options, hostname);
  return {
    handlers: reception({ domains: options.domain, maildir, log, sessions }),
    folder: maildir?.directory,
    started(address) {
      if (maildir === undefined) log.info('messages are discarded');
      else log.info(`messages go to ${maildir.directory}`);
      const isFirstTry = command.getOptionValueSource('maildir') === 'default' && !options.discard;
      if (address?.kind !== 'tcp' || !isFirstTry) return;
      const [domain = 'example.com'] = options.domain;
      log.info(`send a first one: ${firstMessage(address.host, address.port, domain)}`);
    },
  };
}

export function defineServe(program: Command, terminal: Terminal): void {
  const command = program.command('serve');
  defineReceivingOptions(command)
    .description('receive mail, and store it in a Maildir')
    .addOption(
      new Option('--domain <name>', 'take mail for this domain only; repeatable')
        .argParser(domains)
        .default(new Set(), 'for any'),
    )
    .option('--maildir <directory>', 'where to store messages', path, './mail')
    .addOption(new Option('--discard', 'store nothing: accept messages and drop them').conflicts('maildir'))
    .addHelpText('after', NOTES)
    .action((options: ServeOptions) =>
      receive(command, options, terminal, (surroundings) => openApplication(command, options, surroundings)),
    );
}
