/** AUTH: `onAuth` is asked, and its answer is ours. */
import type { AuthenticationAttempt } from '@sansmtp/core';
import type { ServedConnection } from '../served.js';
import type { SMTPServerAuthenticationResponse } from '../types.js';
import { called } from './callbacks.js';
import type { Shown } from './mechanisms.js';
import { refusal, refusalBy } from './refusal.js';

const INVALID = 'Error: Authentication credentials invalid';

/** What one of our mechanisms hands on. */
function shownIn(attempt: AuthenticationAttempt): Shown {
  if (attempt.mechanism !== 'own' || typeof attempt.shown !== 'function') {
    throw new Error(`${attempt.mechanism} is no mechanism of smtp-server`);
  }
  return attempt.shown();
}

/** Asks `onAuth`, and lets in whom it gives a user. */
export async function authenticate(
  connection: ServedConnection,
  attempt: AuthenticationAttempt,
): Promise<true> {
  const { server, session } = connection;
  if (connection.isDisabled('AUTH')) throw refusal(500, 'Error: command not recognized');
  const shown = shownIn(attempt);
  const { auth } = shown;
  const { error, result: response } = await called<SMTPServerAuthenticationResponse>((callback) =>
    server.onAuth(auth, session, callback),
  );
  if (error) throw refusalBy(error, 535);
  if (!response?.user) {
    if (auth.method !== 'XOAUTH2') throw refusal(response?.responseCode ?? 535, response?.message ?? INVALID);
    // The client is told why in JSON first, and this once it has answered that.
    shown.data = response?.data;
    throw refusal(535, 'Error: Username and Password not accepted');
  }
  session.user = response.user;
  return true;
}

/**
 * XCLIENT LOGIN: a proxy says who the client is. `onAuth` may object, or say nothing; then the client is nobody.
 */
export async function authenticateByProxy(connection: ServedConnection, username: string): Promise<void> {
  const { server, session } = connection;
  const auth = { method: 'XCLIENT', username, password: null, validatePassword: () => false } as const;
  const { error, result: response } = await called<SMTPServerAuthenticationResponse>((callback) =>
    server.onAuth(auth, session, callback),
  );
  if (error) throw refusalBy(error, 550);
  if (response === undefined) return;
  if (!response.user) throw refusal(550, 'Authentication credentials invalid');
  session.user = response.user;
}
