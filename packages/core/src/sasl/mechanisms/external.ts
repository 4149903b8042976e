/**
 * EXTERNAL (RFC 4422 §A): the client is who its certificate says, and tells only on whose behalf it acts.
 * Whether a certificate that could not be verified is good enough, by its fingerprint for instance, is for
 * whoever verifies the attempt; a client that showed none is nobody.
 */
import { Secret } from '../../secret.js';
import { NOTHING } from '../../wire/octets.js';
import type {
  ClientExchange,
  ClientMechanism,
  ServerExchange,
  ServerMechanism,
} from '../exchange/exchange.js';
import { onBehalfOf, presentedName } from '../exchange/presented.js';
import { challenge, MALFORMED, REFUSED, SUCCESS, verify } from '../exchange/steps.js';

export const externalServer: ServerMechanism = {
  name: 'EXTERNAL',
  clientFirst: true,
  *begin(channel): ServerExchange {
    const given = presentedName(yield* challenge(NOTHING));
    if (given === undefined) return MALFORMED;
    if (channel.tls?.peerCertificate === undefined) return REFUSED;
    return (yield* verify({ mechanism: 'EXTERNAL', ...onBehalfOf(given, '') })) ? SUCCESS : REFUSED;
  },
};

export const externalClient: ClientMechanism = {
  name: 'EXTERNAL',
  fits: ({ kind }) => kind === 'external',
  *begin(credentials): ClientExchange {
    if (credentials.kind !== 'external') return 'EXTERNAL needs the certificate shown to the server';
    const data = new Secret(credentials.authorizationIdentity ?? '');
    yield { type: 'respond', data, mayEnd: true };
    return 'The server asked for more than EXTERNAL has to say';
  },
};
