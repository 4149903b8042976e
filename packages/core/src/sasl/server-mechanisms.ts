/** The server's halves of the SASL mechanisms, by name, and which of them it may offer on a connection. */
import type { TlsInformation } from '../tls.js';
import type { MechanismName, ServerMechanism } from './exchange/exchange.js';
import { cramMd5Server } from './mechanisms/cram-md5.js';
import { externalServer } from './mechanisms/external.js';
import { loginServer } from './mechanisms/login.js';
import { oauthBearerServer } from './mechanisms/oauthbearer.js';
import { plainServer } from './mechanisms/plain.js';
import { xoauth2Server } from './mechanisms/xoauth2.js';
import { preferredBinding } from './scram/scram.js';
import { scramServers } from './scram/scram-server.js';

export const serverMechanisms: ReadonlyMap<MechanismName, ServerMechanism> = new Map(
  [
    externalServer,
    ...scramServers,
    cramMd5Server,
    plainServer,
    loginServer,
    oauthBearerServer,
    xoauth2Server,
  ].map((mechanism) => [mechanism.name as MechanismName, mechanism]),
);

/**
 * Those of the mechanisms that a server can use on this connection: EXTERNAL only with a client that showed a
 * certificate, -PLUS only over TLS that can be bound to. Whether passwords may pass in the clear is not asked
 * here.
 *
 * @param tls undefined without TLS
 */
export function usableMechanisms<Name extends string>(
  names: readonly Name[],
  tls: TlsInformation | undefined,
): readonly Name[] {
  return names.filter((name) => {
    if (name === 'EXTERNAL') return tls?.peerCertificate !== undefined;
    return !name.endsWith('-PLUS') || preferredBinding(tls) !== undefined;
  });
}
