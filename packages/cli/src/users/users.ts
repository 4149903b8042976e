/** The users of `serve --user`: who may authenticate, by which password. Passwords are secrets from the command line on. */
import { Secret, type StoredCredentials, saslPrepare } from '@sansmtp/core';

/** By their prepared names (SASLprep). */
export type Users = ReadonlyMap<string, StoredCredentials>;

/** For an option that may be repeated: kept as it is, for what a parser of options refuses is shown on the screen. */
export function userOption(text: string, previous: readonly Secret[] = []): readonly Secret[] {
  return [...previous, new Secret(text)];
}

/** @throws {RangeError} one is not NAME:PASSWORD, or has the name of another; the message shows no password */
export function readUsers(options: readonly Secret[]): Users {
  const users = new Map<string, StoredCredentials>();
  options.forEach((option, index) => {
    const text = option.revealText();
    const colon = text.indexOf(':');
    const name = saslPrepare(text.slice(0, Math.max(colon, 0)), 'stored');
    const password = saslPrepare(text.slice(colon + 1), 'stored');
    if (colon < 0 || !name || !password) {
      throw new RangeError(
        `--user number ${index + 1} is not NAME:PASSWORD: neither may be empty or hold control characters`,
      );
    }
    if (users.has(name)) throw new RangeError(`--user number ${index + 1} has a name that another has`);
    users.set(name, { kind: 'password', password: new Secret(password) });
  });
  return users;
}

/**
 * Why nobody can authenticate where somebody should; undefined if that is not so.
 * @param where whether there is TLS, whether AUTH may do without, and whether there is a submission port (RFC 6409 §4.3)
 */
export function authenticationProblem(
  users: Users,
  where: { readonly tls: boolean; readonly insecure: boolean; readonly submission: boolean },
): string | undefined {
  if (users.size === 0) {
    if (where.submission)
      return 'nobody can submit mail: it is taken after AUTH only, and there is no --user and no --users-file';
    return where.insecure
      ? 'AUTH is not offered: --allow-insecure-auth needs a --user or a --users-file'
      : undefined;
  }
  return where.tls || where.insecure
    ? undefined
    : 'AUTH is not offered: there is no TLS (--tls-cert, --tls-self-signed, or --allow-insecure-auth)';
}
