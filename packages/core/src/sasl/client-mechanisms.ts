/** The client's halves of the SASL mechanisms, by name, and which one it takes of an offer. */
import type { TlsInformation } from '../tls.js';
import type { ClientCredentials, ClientMechanism, MechanismName } from './exchange/exchange.js';
import { cramMd5Client } from './mechanisms/cram-md5.js';
import { externalClient } from './mechanisms/external.js';
import { loginClient } from './mechanisms/login.js';
import { oauthBearerClient } from './mechanisms/oauthbearer.js';
import { plainClient } from './mechanisms/plain.js';
import { xoauth2Client } from './mechanisms/xoauth2.js';
import { preferredBinding } from './scram/scram.js';
import { scramClients } from './scram/scram-client.js';

/** The strongest first, among those that take the same credentials. */
export const clientMechanisms: ReadonlyMap<MechanismName, ClientMechanism> = new Map(
  [
    externalClient,
    ...scramClients,
    cramMd5Client,
    plainClient,
    loginClient,
    oauthBearerClient,
    xoauth2Client,
  ].map((mechanism) => [mechanism.name as MechanismName, mechanism]),
);

/** A client's by default: all but CRAM-MD5, which needs the server to keep passwords, and gives little for it. */
export const CLIENT_MECHANISMS: readonly MechanismName[] = [...clientMechanisms.keys()].filter(
  (name) => name !== 'CRAM-MD5',
);

/** The mechanisms in which a client can say what these credentials want said, the strongest first. */
export function fittingMechanisms(credentials: ClientCredentials): readonly MechanismName[] {
  return [...clientMechanisms].filter(([, each]) => each.fits(credentials)).map(([name]) => name);
}

/**
 * Those that a client may use in the order in which it prefers them: the application's own as it lists them, then ours,
 * the strongest first. That is EXTERNAL; or SCRAM with channel binding before SCRAM without, SHA-256 before SHA-1, then
 * CRAM-MD5, PLAIN, LOGIN; or OAUTHBEARER before XOAUTH2.
 */
export function byPreference(mechanisms: readonly ClientMechanism[]): readonly ClientMechanism[] {
  const ours = [...clientMechanisms.values()];
  return [
    ...mechanisms.filter((each) => !ours.includes(each)),
    ...ours.filter((each) => mechanisms.includes(each)),
  ];
}

/**
 * The mechanism that a client should take, undefined where none will do: the first one that its credentials fit, and that
 * the server offers.
 *
 * @param offered in upper case
 * @param allowed in the order of `byPreference`
 * @param tls undefined without TLS
 */
export function strongestMechanism(
  credentials: ClientCredentials,
  offered: ReadonlySet<string>,
  allowed: readonly ClientMechanism[],
  tls: TlsInformation | undefined,
): ClientMechanism | undefined {
  return allowed.find((mechanism) => {
    const { name } = mechanism;
    if (!offered.has(name) || !mechanism.fits(credentials)) return false;
    return !name.endsWith('-PLUS') || preferredBinding(tls) !== undefined;
  });
}
