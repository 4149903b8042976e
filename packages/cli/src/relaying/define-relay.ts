/** The command `sansmtp relay`. What it runs is loaded with it: the other commands start without. */
import type { Command } from 'commander';
import { receive } from '../receiving/receiving.js';
import type { Terminal } from '../terminal.js';
import { defineRelayOptions, type RelayOptions } from './relay-options.js';

const NOTES = `
Takes mail for local domains (--domain) and for routed ones (--route, --routes-file) from anybody, and mail for all others from who
has authenticated, or connects from a --relay-from network; all else is refused by 550 5.7.1. A route for * says
where mail goes, and not whose is taken. 250 is said once a message is safe in the queue.
sansmtp queue looks after the queue, while the relay runs or not.
AUTH, listeners, signals and the ready lines are those of serve. SIGHUP reads again what
files say: the certificate, users, routes, recipients, DKIM keys, --tls-ca and --via-password-file; a --trace goes on in a new file.
With --via-user, TLS is needed there and the server verified; else mail is deferred.
Exit codes: 64 usage, 71 cannot listen, or the disk has failed, 73 cannot open the queue, the Maildir or the trace.`;

export function defineRelay(program: Command, terminal: Terminal): void {
  const command = program.command('relay');
  defineRelayOptions(command)
    .description('receive mail, keep it safely, and deliver it')
    .addHelpText('after', NOTES)
    .action((options: RelayOptions) =>
      receive(command, options, terminal, async (surroundings) => {
        const { openRelay } = await import('./relay.js');
        return openRelay(command, options, surroundings);
      }),
    );
}
