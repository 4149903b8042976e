/** The options of `relay` beside those of everybody who receives mail. */
import type { Mailbox } from '@sansmtp/core';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { dnsServer } from '../dns-server.js';
import {
  count,
  deadline,
  domains,
  mailbox,
  networks,
  path,
  port,
  seconds,
  userName,
} from '../option-values.js';
import { defineReceivingOptions, type ReceivingOptions } from '../receiving/receiving-options.js';
import type { NextHopOptions } from './routes/next-hops.js';
import { hostAndPort, type Routes, routes } from './routes/routes.js';
import { type DkimOption, dkimOptions } from './submission/dkim-option.js';

export interface RelayOptions extends ReceivingOptions, NextHopOptions {
  readonly queue: string;
  readonly worker?: string;
  /** Seconds. */
  readonly lease: number;
  readonly maildir: string;
  readonly relayFrom: readonly string[];
  readonly route: Routes;
  readonly routesFile?: string;
  readonly viaUser?: string;
  readonly viaPasswordFile?: string;
  readonly tlsCa?: string;
  /** Seconds. */
  readonly retry?: readonly number[];
  readonly warnAfter: number;
  readonly giveUpAfter: number;
  readonly dkim: readonly DkimOption[];
  readonly postmaster?: Mailbox;
  readonly recipients?: string;
  /** False: by `--no-recipient-check`. */
  readonly recipientCheck: boolean;
}

function waits(text: string): readonly number[] {
  try {
    return text.split(',').map(deadline);
  } catch {
    throw new InvalidArgumentError('Give seconds of more than 0, with commas between them.');
  }
}

export function defineRelayOptions(command: Command): Command {
  return (
    defineReceivingOptions(command)
      .option('--queue <place>', 'directory of the queue, or postgres://…', path, './queue')
      .option(
        '--worker <name>',
        'name of this relay among those that share the queue, the same after a restart',
        userName,
      )
      // For tests: those who share a queue need not wait for five minutes.
      .addOption(new Option('--lease <seconds>').argParser(deadline).default(300).hideHelp())
      .addOption(
        new Option('--relay-from <network>', 'who may send to anybody, or unix; repeatable')
          .argParser(networks)
          .default([], 'who has authenticated'),
      )
      .addOption(
        new Option('--domain <name>', 'a local domain: its mail goes into the Maildir; repeatable')
          .argParser(domains)
          .default(new Set(), 'none'),
      )
      .option('--maildir <directory>', 'where to store local mail', path, './mail')
      .addOption(
        new Option(
          '--route <route>',
          'DOMAIN=HOST:PORT or DOMAIN=lmtp://HOST:PORT: take mail for the domain, and deliver it there; * is for all others; repeatable',
        )
          .argParser(routes)
          .default(new Map(), 'none'),
      )
      .option('--routes-file <file>', 'more routes, one a line; read again at SIGHUP', path)
      .option('--recipients <file>', 'who exists in routed domains: an address a line, or @DOMAIN', path)
      .option('--no-recipient-check', 'take any recipient in a routed domain (default: ask the next hop)')
      .option('--via <host:port>', 'smart host for all other domains', (text) => hostAndPort(text))
      .option('--via-user <name>', 'authenticate there as this user', userName)
      .option('--via-password-file <file>', 'the password (default: $SANSMTP_PASSWORD)', path)
      .addOption(
        new Option('--via-tls <mode>', 'whether to use TLS there')
          .choices(['opportunistic', 'required', 'implicit'])
          .default('opportunistic'),
      )
      .option('--dns <server>', "HOST:PORT of the DNS server to ask (default: the system's)", dnsServer)
      .option('--mx-port <number>', 'port of mail exchangers', port, 25)
      .option('--tls-ca <file>', 'who may have signed the certificates of servers, in PEM', path)
      .option(
        '--retry <seconds>',
        'waits between attempts, with commas; the last one repeats (default: 30 minutes twice, then 1, 2 and 4 hours)',
        waits,
      )
      .option('--warn-after <seconds>', 'tell the sender of the delay', seconds, 14_400)
      .option('--give-up-after <seconds>', 'give up, and tell the sender', seconds, 432_000)
      .option('--connections-per-host <number>', 'deliveries to one destination at a time', count, 20)
      .option('--connections <number>', 'deliveries in all at a time', count, 500)
      .addOption(
        new Option(
          '--dkim <domain:selector:keyfile>',
          'sign mail of this domain from who may send to anybody; repeatable',
        )
          .argParser(dkimOptions)
          .default([], 'none'),
      )
      .option('--postmaster <address>', 'who gets notifications that cannot be delivered', mailbox)
  );
}
