/**
 * CRAM-MD5 (RFC 2195): the client shows that it knows the password by a digest of the server's challenge. The
 * server has to keep the password itself for that, the server proves nothing, and whoever listens can try
 * passwords at leisure: it is for peers that know nothing better, and not offered unless one says so.
 */
import { Secret } from '../../secret.js';
import { decodeText, encodeText } from '../../wire/octets.js';
import { equalInConstantTime } from '../exchange/constant-time.js';
import type {
  ClientExchange,
  ClientMechanism,
  ServerExchange,
  ServerMechanism,
} from '../exchange/exchange.js';
import { presentedName } from '../exchange/presented.js';
import { challenge, compute, MALFORMED, REFUSED, retrieve, SUCCESS, verify } from '../exchange/steps.js';

const DIGEST = /^(.*) ([0-9a-f]{32})$/s;

function hexadecimal(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
}

function decimal(octets: Uint8Array): string {
  return BigInt(`0x${hexadecimal(octets)}`).toString();
}

export const cramMd5Server: ServerMechanism = {
  name: 'CRAM-MD5',
  clientFirst: false,
  *begin(channel): ServerExchange {
    const random = yield* compute({ kind: 'random', octets: 16 });
    // Where RFC 2195 §2 has a time, more random digits do: what counts is that no challenge comes twice.
    const digits = `${decimal(random.subarray(0, 8))}.${decimal(random.subarray(8))}`;
    const data = encodeText(`<${digits}@${channel.hostname}>`);

    const [, name, digest] = DIGEST.exec(decodeText(yield* challenge(data)) ?? '') ?? [];
    const username = presentedName(encodeText(name ?? ''));
    if (!username || digest === undefined) return MALFORMED;

    const credentials = yield* retrieve('CRAM-MD5', username);
    // Nobody's password is one that nobody knows, so that the answer takes as long as with somebody's. An
    // empty one everybody knows.
    const key =
      credentials?.kind === 'password' && credentials.password.reveal().length > 0
        ? credentials.password
        : new Secret(yield* compute({ kind: 'random', octets: 16 }));
    const expected = hexadecimal(yield* compute({ kind: 'hmac', hash: 'MD5', key, data }));
    if (!equalInConstantTime(encodeText(expected), encodeText(digest))) return REFUSED;

    return (yield* verify({ mechanism: 'CRAM-MD5', username })) ? SUCCESS : REFUSED;
  },
};

export const cramMd5Client: ClientMechanism = {
  name: 'CRAM-MD5',
  fits: (credentials) => credentials.kind === 'password' && !credentials.authorizationIdentity,
  *begin(credentials): ClientExchange {
    if (credentials.kind !== 'password') return 'CRAM-MD5 needs a user name and a password';
    if (credentials.authorizationIdentity) return 'CRAM-MD5 cannot say on whose behalf one acts';
    const data = yield { type: 'respond', data: undefined, mayEnd: false };
    const digest = yield* compute({ kind: 'hmac', hash: 'MD5', key: credentials.password, data });
    const response = new Secret(`${credentials.username} ${hexadecimal(digest)}`);
    yield { type: 'respond', data: response, mayEnd: true };
    return 'The server asked for more than CRAM-MD5 has to say';
  },
};
