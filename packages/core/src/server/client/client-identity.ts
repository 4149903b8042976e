/**
 * Who the client is, as far as the session has been told: by the client itself, by TLS, or by a trusted peer that
 * speaks for it (Postfix's XCLIENT_README and XFORWARD_README).
 *
 * - What the client said before TLS counts for nothing after it (RFC 3207 §4.2), nor does it after XCLIENT.
 * - What XCLIENT said stays, over STARTTLS too: else the client would be taken for the peer again. But LOGIN is an
 *   authentication, and goes.
 * - What XFORWARD said is of one mail transaction, as Postfix has it.
 * - Both add to what was told before.
 */
import {
  type AttributeVerb,
  type ClientAttributes,
  parseClientAttributes,
} from '../../extensions/session/client-attributes.js';
import type { AuthenticatedIdentity } from '../../sasl/exchange/exchange.js';
import type { TlsInformation } from '../../tls.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { Hello } from '../decisions/questions.js';

export interface ClientIdentity {
  /** The TLS that protects the connection. */
  readonly tls: TlsInformation | undefined;
  /** How it introduced itself. */
  readonly hello: Hello | undefined;
  /** Who has authenticated themselves (AUTH), or was said to have (LOGIN of XCLIENT). */
  readonly authenticated: AuthenticatedIdentity | undefined;
  /** XCLIENT. */
  readonly client: ClientAttributes | undefined;
  /** XFORWARD. */
  readonly forwarded: ClientAttributes | undefined;
}

const UNKNOWN: ClientIdentity = {
  tls: undefined,
  hello: undefined,
  authenticated: undefined,
  client: undefined,
  forwarded: undefined,
};

/** A client of which nothing is known but how its connection is protected. */
export function unknownClient(tls: TlsInformation | undefined): ClientIdentity {
  return tls === undefined ? UNKNOWN : { ...UNKNOWN, tls };
}

/** What is left of it when the client begins anew. */
export function forgetClient({ tls, client }: ClientIdentity): ClientIdentity {
  if (client === undefined) return unknownClient(tls);
  const { login: _, ...rest } = client;
  return { ...unknownClient(tls), client: rest };
}

/** XCLIENT: from here on the session is that of another client. */
export function impersonate(identity: ClientIdentity, client: ClientAttributes): ClientIdentity {
  const { login } = client;
  const authenticated: AuthenticatedIdentity | undefined =
    typeof login === 'string'
      ? { mechanism: 'EXTERNAL', authenticatedAs: login, username: login }
      : identity.authenticated;
  return { ...identity, authenticated, client };
}

/** What is known with this XCLIENT or XFORWARD; the reply that refuses it, if one does. */
export function readAttributes(
  verb: AttributeVerb,
  argument: string,
  { client, forwarded }: ClientIdentity,
): ClientAttributes | Reply {
  const told = parseClientAttributes(argument, verb);
  if ('code' in told) return told;
  return { ...(verb === 'XCLIENT' ? client : forwarded), ...told };
}
