/**
 * XOAUTH2: a bearer token of OAuth 2.0 beside a user name, as it was before RFC 7628. Google's description
 * is all there is of a specification: `user=` name %x01 `auth=Bearer ` token %x01 %x01.
 */
import { Secret } from '../../secret.js';
import { decodeText, encodeText, NOTHING } from '../../wire/octets.js';
import { bearerAuthorization, bearerToken, FIELD_END, parseFields } from '../exchange/bearer.js';
import type {
  ClientExchange,
  ClientMechanism,
  ServerExchange,
  ServerMechanism,
  TokenError,
} from '../exchange/exchange.js';
import { presentedName } from '../exchange/presented.js';
import { challenge, judge, MALFORMED, REFUSED, SUCCESS } from '../exchange/steps.js';

const UNAUTHORIZED: TokenError = { status: '401', schemes: 'bearer' };

export const xoauth2Server: ServerMechanism = {
  name: 'XOAUTH2',
  clientFirst: true,
  *begin(): ServerExchange {
    const fields = parseFields(decodeText(yield* challenge(NOTHING)) ?? '');
    const username = presentedName(encodeText(fields?.get('user') ?? ''));
    const authorization = fields?.get('auth');
    if (!username || authorization === undefined) return MALFORMED;
    const token = bearerToken(authorization);
    const judgement = token && (yield* judge({ mechanism: 'XOAUTH2', username, token }));
    if (judgement?.accepted) return SUCCESS;
    // The client's answer says nothing; the reply that refuses it comes after that.
    yield* challenge(encodeText(JSON.stringify(judgement?.tokenError ?? UNAUTHORIZED)));
    return REFUSED;
  },
};

export const xoauth2Client: ClientMechanism = {
  name: 'XOAUTH2',
  fits: ({ kind }) => kind === 'token',
  *begin(credentials): ClientExchange {
    if (credentials.kind !== 'token') return 'XOAUTH2 needs a user name and a token';
    const { username } = credentials;
    if (username === '' || username.includes(FIELD_END)) {
      return 'XOAUTH2 can carry neither an empty user name nor one with %x01 in it';
    }
    const authorization = bearerAuthorization(credentials.token);
    if (authorization === undefined) return 'The token is no bearer token (RFC 6750 §2.1)';
    const message = [`user=${username}`, `auth=${authorization}`, '', ''].join(FIELD_END);
    yield { type: 'respond', data: new Secret(message), mayEnd: true };
    // A challenge now is the server's account of why it refuses the token.
    yield { type: 'respond', data: new Secret(NOTHING), mayEnd: false };
    return 'The server goes on asking though it has refused the token';
  },
};
