/** The server's half of SCRAM (RFC 5802 §3, §5); what holds of it stands in scram.ts. */
import { Secret } from '../../secret.js';
import type { ChannelBindingType } from '../../tls.js';
import { concatenate, encodeText, NOTHING } from '../../wire/octets.js';
import { decodeBase64, encodeBase64 } from '../exchange/base64.js';
import { equalInConstantTime } from '../exchange/constant-time.js';
import type {
  ServerChannel,
  ServerExchange,
  ServerMechanism,
  StoredCredentials,
} from '../exchange/exchange.js';
import { type BindingFlag, decodeSaslName, parseGs2Header } from '../exchange/gs2.js';
import { onBehalfOf, presentedName } from '../exchange/presented.js';
import { challenge, compute, MALFORMED, REFUSED, retrieve, SUCCESS, verify } from '../exchange/steps.js';
import {
  exclusiveOr,
  isMandatoryExtension,
  isPlus,
  leading,
  messageText,
  NONCE,
  NONCE_OCTETS,
  parseAttributes,
  sign,
  VARIANTS,
  type Variant,
} from './scram.js';
import {
  type Computing,
  credentialsOf,
  isIterationCount,
  preparePassword,
  type ScramCredentials,
  type ScramHash,
  storedKey,
} from './scram-keys.js';

const SALT_OCTETS = 16;

const DIGEST_OCTETS: Readonly<Record<ScramHash, number>> = { 'SHA-1': 20, 'SHA-256': 32 };

function isBindingType(type: string): type is ChannelBindingType {
  return type === 'tls-exporter' || type === 'tls-server-end-point';
}

/**
 * The octets behind the GS2 header in `c=`, or how the exchange fails for what the flag says (RFC 5802 §6).
 */
function bindingOctets(
  variant: Variant,
  flag: BindingFlag,
  channel: ServerChannel,
): Uint8Array | typeof MALFORMED {
  if (typeof flag === 'string') {
    if (variant.plus) return MALFORMED;
    // The client thinks that nothing was offered to bind to: somebody has changed the offer on its way.
    return flag === 'y' && channel.offered.some(isPlus) ? REFUSED : NOTHING;
  }
  if (!variant.plus) return MALFORMED;
  const octets = isBindingType(flag.type) ? channel.tls?.channelBindings[flag.type] : undefined;
  return octets ?? REFUSED;
}

/** What the server shows of somebody's credentials, before it needs their keys. */
interface Account {
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** The keys, or the prepared password that they are to be made from. */
  readonly source: ScramCredentials | Secret;
}

function* accountOf(
  hash: ScramHash,
  credentials: StoredCredentials | undefined,
  channel: ServerChannel,
): Computing<Account> {
  if (
    credentials?.kind === 'scram' &&
    credentials.hash === hash &&
    isIterationCount(credentials.iterations)
  ) {
    return { salt: credentials.salt, iterations: credentials.iterations, source: credentials };
  }
  const salt = yield* compute({ kind: 'random', octets: SALT_OCTETS });
  const unknown = new Secret(yield* compute({ kind: 'random', octets: DIGEST_OCTETS[hash] }));
  const password = credentials?.kind === 'password' ? preparePassword(credentials.password) : undefined;
  return { salt, iterations: channel.iterations, source: password ?? unknown };
}

function* keysOf(hash: ScramHash, account: Account): Computing<ScramCredentials> {
  const { salt, iterations, source } = account;
  return source instanceof Secret ? yield* credentialsOf(hash, source, salt, iterations) : source;
}

function* serve(variant: Variant, channel: ServerChannel): ServerExchange {
  const { name, hash } = variant;

  // client-first-message
  const clientFirst = parseGs2Header(messageText(yield* challenge(NOTHING)) ?? '');
  if (clientFirst === undefined) return MALFORMED;
  const first = parseAttributes(clientFirst.rest);
  if (first === undefined) return MALFORMED;
  if (first.some(isMandatoryExtension)) return REFUSED;
  const [saslName, clientNonce] = leading(first, 'nr') ?? [];
  if (saslName === undefined || clientNonce === undefined || !NONCE.test(clientNonce)) return MALFORMED;
  const username = presentedName(encodeText(decodeSaslName(saslName) ?? ''));
  const given = presentedName(encodeText(clientFirst.authorizationIdentity ?? ''));
  if (!username || given === undefined) return MALFORMED;
  const binding = bindingOctets(variant, clientFirst.flag, channel);
  if (!(binding instanceof Uint8Array)) return binding;

  // server-first-message
  const account = yield* accountOf(hash, yield* retrieve(name, username), channel);
  const nonce = clientNonce + encodeBase64(yield* compute({ kind: 'random', octets: NONCE_OCTETS }));
  const serverFirst = `r=${nonce},s=${encodeBase64(account.salt)},i=${account.iterations}`;

  // client-final-message
  const clientFinal = messageText(yield* challenge(encodeText(serverFirst))) ?? '';
  const final = parseAttributes(clientFinal);
  if (final === undefined) return MALFORMED;
  if (final.some(isMandatoryExtension)) return REFUSED;
  const [boundTo, finalNonce] = leading(final, 'cr') ?? [];
  const last = final.at(-1);
  if (boundTo === undefined || finalNonce === undefined || last?.name !== 'p') return MALFORMED;
  const bound = decodeBase64(boundTo);
  const proof = decodeBase64(last.value);
  if (bound === undefined || proof?.length !== DIGEST_OCTETS[hash]) return MALFORMED;
  if (finalNonce !== nonce) return REFUSED;
  if (!equalInConstantTime(bound, concatenate([encodeText(clientFirst.header), binding]))) return REFUSED;

  // Only now the iterations are worth their while.
  const keys = yield* keysOf(hash, account);
  const withoutProof = clientFinal.slice(0, clientFinal.lastIndexOf(',p='));
  const authMessage = `${clientFirst.rest},${serverFirst},${withoutProof}`;
  const key = new Secret(exclusiveOr(proof, yield* sign(hash, keys.storedKey, authMessage)));
  const shown = yield* storedKey(hash, key);
  if (!equalInConstantTime(shown.reveal(), keys.storedKey.reveal())) return REFUSED;

  const behalf = onBehalfOf(given, username);
  if (!(yield* verify({ mechanism: name, username, ...behalf }))) return REFUSED;

  // server-final-message: a challenge, as a reply 235 carries none (RFC 4954 §4).
  const signature = yield* sign(hash, keys.serverKey, authMessage);
  const response = yield* challenge(encodeText(`v=${encodeBase64(signature)}`));
  if (response.length !== 0) return MALFORMED;
  return SUCCESS;
}

/** The server's halves, the strongest first. */
export const scramServers: readonly ServerMechanism[] = VARIANTS.map((variant) => ({
  name: variant.name,
  clientFirst: true,
  begin: (channel) => serve(variant, channel),
}));
