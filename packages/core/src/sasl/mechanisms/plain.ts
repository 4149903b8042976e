/**
 * PLAIN (RFC 4616): the user name and the password as they are. It is for protected connections only, which
 * is the session's to see to.
 *
 * The password is handed over as it came: how stored ones were prepared (RFC 4616 §2) only their keeper
 * knows.
 */
import { Secret } from '../../secret.js';
import { concatenate, encodeText, NOTHING, NUL } from '../../wire/octets.js';
import type {
  ClientExchange,
  ClientMechanism,
  ServerExchange,
  ServerMechanism,
} from '../exchange/exchange.js';
import { onBehalfOf, presentedName, presentedPassword } from '../exchange/presented.js';
import { challenge, MALFORMED, REFUSED, SUCCESS, verify } from '../exchange/steps.js';

export const plainServer: ServerMechanism = {
  name: 'PLAIN',
  clientFirst: true,
  *begin(): ServerExchange {
    const response = yield* challenge(NOTHING);
    const first = response.indexOf(NUL);
    const second = response.indexOf(NUL, first + 1);
    if (first === -1 || second === -1) return MALFORMED;

    const given = presentedName(response.subarray(0, first));
    const username = presentedName(response.subarray(first + 1, second));
    const password = presentedPassword(response.subarray(second + 1));
    if (given === undefined || !username || password === undefined) return MALFORMED;

    const behalf = onBehalfOf(given, username);
    return (yield* verify({ mechanism: 'PLAIN', username, ...behalf, password })) ? SUCCESS : REFUSED;
  },
};

export const plainClient: ClientMechanism = {
  name: 'PLAIN',
  fits: ({ kind }) => kind === 'password',
  *begin(credentials): ClientExchange {
    if (credentials.kind !== 'password') return 'PLAIN needs a user name and a password';
    const parts = [
      encodeText(credentials.authorizationIdentity ?? ''),
      encodeText(credentials.username),
      credentials.password.reveal(),
    ];
    if (credentials.username === '' || credentials.password.reveal().length === 0) {
      return 'PLAIN can carry neither an empty user name nor an empty password (RFC 4616 §2)';
    }
    if (parts.some((part) => part.includes(NUL))) {
      return 'PLAIN cannot carry NUL in a user name or a password (RFC 4616 §2)';
    }

    const [behalf = NOTHING, username = NOTHING, password = NOTHING] = parts;
    const separator = Uint8Array.of(NUL);
    const message = concatenate([behalf, separator, username, separator, password]);
    yield { type: 'respond', data: new Secret(message), mayEnd: true };
    return 'The server asked for more than PLAIN has to say';
  },
};
