/**
 * The users of `serve`: who may authenticate, by which password. Passwords are secrets from the command line on.
 *
 * A client learns neither from a reply nor from the time that it takes whether there is a user of some name.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Secret, saslPrepare } from '@sansmtp/core';
import type { ServerHandlers } from '@sansmtp/transport';

export type Users = ReadonlyMap<string, Secret>;

/** Nobody's password. */
const NOBODY = new Secret(randomBytes(32));

/** For an option that may be repeated: kept as it is, for what a parser of options refuses is shown on the screen. */
export function userOption(text: string, previous: readonly Secret[] = []): readonly Secret[] {
  return [...previous, new Secret(text)];
}

/** @throws {RangeError} one is not NAME:PASSWORD, or has the name of another; the message shows no password */
export function readUsers(options: readonly Secret[]): Users {
  const users = new Map<string, Secret>();
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
    users.set(name, new Secret(password));
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
      return 'nobody can submit mail: it is taken after AUTH only, and there is no --user';
    return where.insecure ? 'AUTH is not offered: --allow-insecure-auth needs a --user' : undefined;
  }
  return where.tls || where.insecure
    ? undefined
    : 'AUTH is not offered: there is no TLS (--tls-cert, --tls-self-signed, or --allow-insecure-auth)';
}

function digest(secret: Secret): Buffer {
  return createHash('sha256').update(secret.reveal()).digest();
}

/** As it would be stored (RFC 4013), so that it does not matter how a keyboard composes its letters. */
function prepared(given: Secret): Secret {
  return new Secret(saslPrepare(given.revealText(), 'query') ?? given.reveal());
}

export function authentication(users: Users): Pick<ServerHandlers, 'onAuth' | 'onCredentials'> {
  return {
    onAuth(attempt) {
      // Nobody may act for somebody else.
      if (!('username' in attempt)) return false;
      if ('authorizationIdentity' in attempt && attempt.authorizationIdentity !== undefined) return false;
      if (!('password' in attempt)) return !('token' in attempt);
      const name = saslPrepare(attempt.username, 'query') ?? attempt.username;
      return timingSafeEqual(digest(prepared(attempt.password)), digest(users.get(name) ?? NOBODY));
    },
    onCredentials({ username }) {
      const password = users.get(saslPrepare(username, 'query') ?? username);
      return password && { kind: 'password', password };
    },
  };
}
