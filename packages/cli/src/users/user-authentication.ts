/**
 * Who may authenticate at `serve`, by `--user` and `--users-file`, which can be read again while it runs; and the options
 * for it.
 */
import type { MechanismName, Secret, StoredCredentials } from '@sansmtp/core';
import { passwordMechanisms, passwordUsers, type ServerHandlers } from '@sansmtp/transport';
import { nodeCryptography } from '@sansmtp/transport-node';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Logger } from '../log.js';
import { path } from '../option-values.js';
import { readUsers, type Users, userOption } from './users.js';
import { readUsersFile } from './users-file.js';

export interface UserOptions {
  readonly user: readonly Secret[];
  readonly usersFile?: string;
  readonly authFailures: number;
}

export function defineUserOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--user <name:password>', 'let this user authenticate; repeatable')
        .argParser(userOption)
        .default([], 'nobody'),
    )
    .option(
      '--users-file <file>',
      'let the users of this file authenticate, NAME:PASSWORD or SCRAM keys',
      path,
    )
    .option(
      '--auth-failures <number>',
      'failed logins in 10 minutes for address and name, ten times as many for the address; 0 for no limit',
      failures,
      10,
    );
}

function failures(text: string): number {
  const value = Number(text);
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number, 0 for no limit.');
  return value;
}

export interface UserDirectory {
  readonly users: Users;
  /** The file can be read by everybody on this machine. */
  readonly exposed: boolean;
}

/** @throws {RangeError} a user is malformed, or there are two of one name; the message shows nothing of a password */
export async function readUserDirectory({ user, usersFile }: UserOptions): Promise<UserDirectory> {
  const users = new Map<string, StoredCredentials>(readUsers(user));
  if (usersFile === undefined) return { users, exposed: false };
  const file = await readUsersFile(usersFile);
  for (const [name, credentials] of file.users) {
    if (users.has(name))
      throw new RangeError(`--users-file: ${usersFile}: a --user has the name of one of its users`);
    users.set(name, credentials);
  }
  return { users, exposed: file.exposed };
}

export interface UserAuthentication {
  readonly handlers: Pick<ServerHandlers, 'onAuth' | 'onCredentials' | 'onAuthDecided'>;
  /** For which everybody has keys. It changes with the users, and holds for sessions that begin then. */
  readonly mechanisms: readonly MechanismName[];
  replace(users: Users): void;
}

/** The iterations of most of the keys. */
function usualIterations(users: Users): number | undefined {
  const counts = new Map<number, number>();
  for (const each of users.values()) {
    if (each.kind === 'scram') counts.set(each.iterations, (counts.get(each.iterations) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0];
}

export function userAuthentication(first: Users, secret: Secret, log: Logger): UserAuthentication {
  const mechanisms: MechanismName[] = [];
  const make = (users: Users) => {
    const iterations = usualIterations(users);
    mechanisms.splice(0, Number.POSITIVE_INFINITY, ...passwordMechanisms(users.values()));
    const handlers = passwordUsers((name) => users.get(name), {
      secret,
      cryptography: nodeCryptography,
      keysStored: iterations !== undefined,
      ...(iterations !== undefined && { iterations }),
    });
    void derive(handlers, users);
    return handlers;
  };
  /** Beforehand, so that a first attempt takes no longer for who exists. */
  const derive = async ({ onCredentials }: ReturnType<typeof make>, users: Users) => {
    for (const username of users.keys()) {
      for (const mechanism of mechanisms.filter((each) => /^SCRAM-SHA-\d+$/.test(each))) {
        // Where it cannot be done now, whoever logs in first waits for it.
        await onCredentials({ mechanism, username }).catch(() => {});
      }
    }
  };
  let current = make(first);
  return {
    mechanisms,
    replace(users) {
      current = make(users);
    },
    handlers: {
      onAuth: (attempt) => current.onAuth(attempt),
      onCredentials: (request) => current.onCredentials(request),
      // docs/examples/fail2ban-sansmtp.conf matches this line: the address stands first.
      onAuthDecided({ outcome, mechanism }, { peer: { address: client } }) {
        if (outcome === 'refused') log.warn({ client, mechanism }, 'authentication failed');
      },
    },
  };
}
