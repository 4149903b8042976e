/**
 * Credentials that are asked for when they are needed: tokens expire while a mailer lives.
 *
 * - The function is asked anew for each session.
 * - Where the server refuses an OAuth token for good (535), it is asked again, once, and told of the reply; the next
 *   session has what it gives then. A password is not asked for again: the same one is refused likewise, and too many
 *   attempts close accounts.
 */
import type { ClientAuthentication, ClientCredentials, Reply } from '@sansmtp/core';
import { checkOpenOptions, SessionError } from '@sansmtp/transport';

/**
 * Gives the credentials for one session.
 * @param refused the reply that refused the token given last, which is not to be given again; undefined otherwise
 */
export type CredentialsSource = (
  refused: Reply | undefined,
) => ClientCredentials | Promise<ClientCredentials>;

/** How a mailer proves who it is. */
export interface MailerAuthentication extends Omit<ClientAuthentication, 'credentials'> {
  /**
   * Those of all sessions, or a function that is asked for those of each. Mail is `deferred`, in the phase `auth`, where
   * the function throws.
   */
  readonly credentials: ClientCredentials | CredentialsSource;
}

/** The function for credentials threw, or gave none that can be used: why, as `cause`. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';

  constructor(cause: unknown) {
    super(`There are no credentials: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/**
 * What to authenticate a session with.
 * @throws {CredentialsError} the function threw, or what it gave are no credentials
 */
export async function authenticationOf(
  { credentials, ...rest }: MailerAuthentication,
  refused: Reply | undefined,
): Promise<ClientAuthentication> {
  if (typeof credentials !== 'function') return { ...rest, credentials };
  try {
    const authentication = { ...rest, credentials: await credentials(refused) };
    // Before anybody is connected to.
    checkOpenOptions({ authentication });
    return authentication;
  } catch (error) {
    throw new CredentialsError(error);
  }
}

/** The reply that refuses a token, which another one may get past; undefined for all other errors. */
export function refusedToken(error: unknown): Reply | undefined {
  if (!(error instanceof SessionError) || error.failure.kind !== 'refused') return undefined;
  const { mechanism, reply } = error.failure;
  return (mechanism === 'XOAUTH2' || mechanism === 'OAUTHBEARER') && reply.code === 535 ? reply : undefined;
}
