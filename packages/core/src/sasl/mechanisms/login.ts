/**
 * LOGIN: the user name and the password, each when it is asked for. No RFC has it; it is here for peers that
 * know nothing better, and like PLAIN it is for protected connections only.
 *
 * What the server writes into its challenges differs from one to the next, so that the client does not read
 * it: the first asks for the user name, the second for the password.
 */
import { Secret } from '../../secret.js';
import { encodeText } from '../../wire/octets.js';
import type {
  ClientExchange,
  ClientMechanism,
  ServerExchange,
  ServerMechanism,
} from '../exchange/exchange.js';
import { presentedName, presentedPassword } from '../exchange/presented.js';
import { challenge, MALFORMED, REFUSED, SUCCESS, verify } from '../exchange/steps.js';

export const loginServer: ServerMechanism = {
  name: 'LOGIN',
  clientFirst: true,
  *begin(): ServerExchange {
    const username = presentedName(yield* challenge(encodeText('Username:')));
    // `AUTH LOGIN =` is well-formed (RFC 4954 §4), and nobody has an empty name.
    if (username === '') return REFUSED;
    if (username === undefined) return MALFORMED;
    const password = presentedPassword(yield* challenge(encodeText('Password:')));
    if (password === undefined) return MALFORMED;
    return (yield* verify({ mechanism: 'LOGIN', username, password })) ? SUCCESS : REFUSED;
  },
};

export const loginClient: ClientMechanism = {
  name: 'LOGIN',
  fits: (credentials) => credentials.kind === 'password' && !credentials.authorizationIdentity,
  *begin(credentials): ClientExchange {
    if (credentials.kind !== 'password') return 'LOGIN needs a user name and a password';
    if (credentials.authorizationIdentity) return 'LOGIN cannot say on whose behalf one acts';
    // Not every server takes the user name as an initial response, but every one asks for it.
    yield { type: 'respond', data: undefined, mayEnd: false };
    yield { type: 'respond', data: new Secret(credentials.username), mayEnd: false };
    yield { type: 'respond', data: credentials.password, mayEnd: true };
    return 'The server asked for more than a user name and a password';
  },
};
