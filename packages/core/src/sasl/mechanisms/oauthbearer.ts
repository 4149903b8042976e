/**
 * OAUTHBEARER (RFC 7628): a bearer token of OAuth 2.0, and for whom and at which server it is meant.
 *
 * The user name is the header's authorization identity; it is empty where the token alone says who it is.
 * There is no channel binding, so that the header says `n`, or `y` of a client that could do it (RFC 5801
 * §5).
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
import { formatGs2Header, parseGs2Header } from '../exchange/gs2.js';
import { presentedName } from '../exchange/presented.js';
import { challenge, judge, MALFORMED, REFUSED, SUCCESS } from '../exchange/steps.js';

/** RFC 7628 §3.2.2. */
const INVALID: TokenError = { status: 'invalid_token' };

/** The port in digits; undefined where it is none. */
function parsePort(text: string): number | undefined {
  return /^[0-9]{1,5}$/.test(text) && Number(text) <= 0xffff ? Number(text) : undefined;
}

export const oauthBearerServer: ServerMechanism = {
  name: 'OAUTHBEARER',
  clientFirst: true,
  *begin(): ServerExchange {
    const message = parseGs2Header(decodeText(yield* challenge(NOTHING)) ?? '');
    if (message === undefined || typeof message.flag !== 'string' || !message.rest.startsWith(FIELD_END)) {
      return MALFORMED;
    }
    const username = presentedName(encodeText(message.authorizationIdentity ?? ''));
    const fields = parseFields(message.rest.slice(FIELD_END.length));
    if (username === undefined || fields === undefined) return MALFORMED;
    const host = fields.get('host');
    if (host !== undefined && !/^[\x21-\x7e]+$/.test(host)) return MALFORMED;
    const portText = fields.get('port');
    const port = portText === undefined ? undefined : parsePort(portText);
    if (portText !== undefined && port === undefined) return MALFORMED;

    // Without a token, or an empty one, the client asks what the server would tell it (RFC 7628 §4.3).
    const token = bearerToken(fields.get('auth') ?? '');
    const behind = { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
    const judgement = token && (yield* judge({ mechanism: 'OAUTHBEARER', username, token, ...behind }));
    if (judgement?.accepted) return SUCCESS;
    // The client's answer says nothing; the reply that refuses it comes after that (RFC 7628 §3.2.3).
    yield* challenge(encodeText(JSON.stringify(judgement?.tokenError ?? INVALID)));
    return REFUSED;
  },
};

export const oauthBearerClient: ClientMechanism = {
  name: 'OAUTHBEARER',
  fits: ({ kind }) => kind === 'token',
  *begin(credentials, channel): ClientExchange {
    if (credentials.kind !== 'token') return 'OAUTHBEARER needs a user name and a token';
    const { username } = credentials;
    if (username.includes('\0')) return 'OAUTHBEARER cannot carry NUL in a user name (RFC 5801 §4)';
    const authorization = bearerAuthorization(credentials.token);
    if (authorization === undefined) return 'The token is no bearer token (RFC 6750 §2.1)';
    const fields = [
      ...(channel.host === undefined ? [] : [`host=${channel.host}`]),
      ...(channel.port === undefined ? [] : [`port=${channel.port}`]),
      `auth=${authorization}`,
    ];
    const message = [formatGs2Header('n', username), ...fields, '', ''].join(FIELD_END);
    yield { type: 'respond', data: new Secret(message), mayEnd: true };
    // A challenge now is the server's account of why it refuses the token (RFC 7628 §3.2.3).
    yield { type: 'respond', data: new Secret(FIELD_END), mayEnd: false };
    return 'The server goes on asking though it has refused the token';
  },
};
