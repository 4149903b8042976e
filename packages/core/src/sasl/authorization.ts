/**
 * Who is let in, and for whom they act (RFC 4422 §3.4.1): for themselves, unless the application has granted another
 * authorization identity in so many words. It is the same for every mechanism, and none decides it for itself.
 */
import type {
  AuthenticatedIdentity,
  AuthenticationAttempt,
  AuthenticationGrant,
} from './exchange/exchange.js';

/** The name that was proven. A token or a certificate has none of its own: the application says whose it is. */
function provenName(attempt: AuthenticationAttempt): string | undefined {
  return 'token' in attempt || attempt.mechanism === 'EXTERNAL' ? undefined : attempt.username;
}

/**
 * For whom the client asks to act, empty for itself. With a token, that is the name beside it.
 */
export function authorizationAsked(attempt: AuthenticationAttempt): string {
  return ('token' in attempt ? attempt.username : attempt.authorizationIdentity) ?? '';
}

/**
 * Who is let in by what the application grants; undefined: nobody, for the client asks to act for somebody else. Names
 * are compared octet by octet, after SASLprep (RFC 4954 §4).
 */
export function authorize(
  attempt: AuthenticationAttempt,
  grant: AuthenticationGrant = {},
): AuthenticatedIdentity | undefined {
  const proven = provenName(attempt);
  const authenticatedAs = grant.authenticatedAs ?? proven ?? '';
  const mechanism = attempt.mechanism === 'own' ? attempt.name : attempt.mechanism;
  const asked = authorizationAsked(attempt);
  if (asked === '' || asked === authenticatedAs || asked === proven) {
    return { mechanism, authenticatedAs, username: authenticatedAs };
  }
  return asked === grant.authorizationIdentity ? { mechanism, authenticatedAs, username: asked } : undefined;
}
