/**
 * SCRAM (RFC 5802; with SHA-256 RFC 7677): each end proves that it knows the password, or keys made from it,
 * and neither shows it. The -PLUS variants bind the proof to the TLS channel, by tls-exporter (RFC 9266) or
 * tls-server-end-point (RFC 5929 §4), so that whoever stands between the ends can pass nothing on.
 *
 * Invariants: the server lets in only whom the proof fits, and then asks whether they may; the client
 * believes no success before the server's signature fits. What was sent is what is signed, octet by octet.
 * Attributes stand in the RFC's order, an extension that must be understood (`m=`) ends the exchange, and any
 * other is passed over (RFC 5802 §5.1).
 *
 * A name that nobody has is answered as one whose password, not keys, is kept: with a salt drawn anew, the
 * channel's iterations and the same computations, up to a proof that cannot fit. A salt that stays the same
 * for one name would take a key that the exchange does not have. Where keys are kept, whoever retrieves them
 * has to make up such credentials to hide which names exist.
 */
import { Secret } from '../secret.js';
import type { ChannelBindingType, TlsInformation } from '../tls.js';
import { concatenate, decodeText, encodeText, NOTHING, NUL } from '../wire/octets.js';
import { decodeBase64, encodeBase64 } from './base64.js';
import { equalInConstantTime } from './constant-time.js';
import type {
  ClientChannel,
  ClientCredentials,
  ClientExchange,
  ClientMechanism,
  MechanismName,
  ServerChannel,
  ServerExchange,
  ServerMechanism,
  StoredCredentials,
} from './exchange.js';
import { type BindingFlag, decodeSaslName, encodeSaslName, formatGs2Header, parseGs2Header } from './gs2.js';
import { saslPrepare } from './prepare.js';
import { onBehalfOf, presentedName } from './presented.js';
import {
  type Computing,
  clientKey,
  credentialsOf,
  isIterationCount,
  MINIMUM_ITERATIONS,
  preparePassword,
  type ScramCredentials,
  type ScramHash,
  saltedPassword,
  serverKey,
  storedKey,
} from './scram-keys.js';
import { challenge, compute, MALFORMED, REFUSED, retrieve, SUCCESS, verify } from './steps.js';

type ScramName = Extract<MechanismName, `SCRAM-${string}`>;

interface Variant {
  readonly name: ScramName;
  readonly hash: ScramHash;
  readonly plus: boolean;
}

/** The client sends its nonce twice, and the server once more. */
const MAXIMUM_MESSAGE_OCTETS = 4096;

/** A multiple of three, so that base64 needs no padding. */
const NONCE_OCTETS = 18;

const SALT_OCTETS = 16;

const DIGEST_OCTETS: Readonly<Record<ScramHash, number>> = { 'SHA-1': 20, 'SHA-256': 32 };

/** The printable characters of RFC 5802 §7: ASCII without space, comma, and control characters. */
const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/;

/** An attribute and its value (`attr-val`), between commas. */
const ATTRIBUTE = /^([A-Za-z])=(.+)$/s;

interface Attribute {
  readonly name: string;
  readonly value: string;
}

/** The message's attributes in order; undefined where it is no list of attributes. */
function parseAttributes(message: string): readonly Attribute[] | undefined {
  const attributes: Attribute[] = [];
  for (const part of message.split(',')) {
    const [, name, value] = ATTRIBUTE.exec(part) ?? [];
    if (name === undefined || value === undefined) return undefined;
    attributes.push({ name, value });
  }
  return attributes;
}

/**
 * The values of the attributes with which the message begins, in this order; undefined where it does not.
 * What follows are extensions, which may be passed over.
 */
function leading(attributes: readonly Attribute[], names: string): readonly string[] | undefined {
  const first = attributes.slice(0, names.length);
  return first.map(({ name }) => name).join('') === names ? first.map(({ value }) => value) : undefined;
}

/** An extension that this end would have to understand (`reserved-mext`). */
function isMandatoryExtension({ name }: Attribute): boolean {
  return name === 'm';
}

function messageText(octets: Uint8Array): string | undefined {
  return octets.length > MAXIMUM_MESSAGE_OCTETS || octets.includes(NUL) ? undefined : decodeText(octets);
}

function exclusiveOr(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((octet, index) => octet ^ (other[index] ?? 0));
}

function* sign(hash: ScramHash, key: Secret, message: string): Computing<Uint8Array> {
  return yield* compute({ kind: 'hmac', hash, key, data: encodeText(message) });
}

function isBindingType(type: string): type is ChannelBindingType {
  return type === 'tls-exporter' || type === 'tls-server-end-point';
}

/** What a client binds its authentication to; undefined where it cannot be bound. */
export function preferredBinding(
  tls: TlsInformation | undefined,
): { readonly type: ChannelBindingType; readonly octets: Uint8Array } | undefined {
  // The exporter's octets are this connection's alone, a certificate is that of all to the same server.
  for (const type of ['tls-exporter', 'tls-server-end-point'] as const) {
    const octets = tls?.channelBindings[type];
    if (octets !== undefined) return { type, octets };
  }
  return undefined;
}

function isPlus(name: string): boolean {
  return name.startsWith('SCRAM-') && name.endsWith('-PLUS');
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

function* authenticate(
  variant: Variant,
  credentials: ClientCredentials,
  channel: ClientChannel,
): ClientExchange {
  const { name, hash, plus } = variant;
  if (credentials.kind !== 'password') return `${name} needs a user name and a password`;
  const username = saslPrepare(credentials.username, 'query');
  if (!username) return 'The user name is empty or has characters that SASLprep prohibits (RFC 4013 §2.3)';
  const password = preparePassword(credentials.password);
  if (password === undefined) {
    return 'The password is empty, not UTF-8, or has characters that SASLprep prohibits (RFC 4013 §2.3)';
  }
  const binding = preferredBinding(channel.tls);
  if (plus && binding === undefined) return `${name} needs a TLS channel to bind to, and there is none`;

  // client-first-message
  let flag: BindingFlag = 'n';
  if (binding !== undefined) {
    if (plus) flag = { type: binding.type };
    else if (![...channel.offered].some(isPlus)) flag = 'y';
  }
  const header = formatGs2Header(flag, credentials.authorizationIdentity);
  const clientNonce = encodeBase64(yield* compute({ kind: 'random', octets: NONCE_OCTETS }));
  const clientFirst = `n=${encodeSaslName(username)},r=${clientNonce}`;

  // server-first-message
  const serverFirst =
    messageText(yield { type: 'respond', data: new Secret(header + clientFirst), mayEnd: false }) ?? '';
  const first = parseAttributes(serverFirst) ?? [];
  if (first.some(isMandatoryExtension)) {
    return `The server wants an extension of ${name} that is not known here (RFC 5802 §5.1)`;
  }
  const [nonce, saltText, iterationText] = leading(first, 'rsi') ?? [];
  const salt = decodeBase64(saltText ?? '');
  if (
    nonce === undefined ||
    !NONCE.test(nonce) ||
    salt === undefined ||
    salt.length === 0 ||
    iterationText === undefined ||
    !/^[1-9][0-9]{0,9}$/.test(iterationText)
  ) {
    return `The server's first challenge is none of ${name} (RFC 5802 §7)`;
  }
  if (!nonce.startsWith(clientNonce) || nonce === clientNonce) {
    return "The server's nonce does not go on from the client's (RFC 5802 §5.1)";
  }
  const iterations = Number(iterationText);
  if (iterations < MINIMUM_ITERATIONS || iterations > channel.maximumIterations) {
    return (
      `The server wants ${iterations} iterations of PBKDF2; allowed are ${MINIMUM_ITERATIONS} (RFC 7677 §4) ` +
      `to ${channel.maximumIterations}`
    );
  }

  // client-final-message
  const bound = concatenate([encodeText(header), plus && binding !== undefined ? binding.octets : NOTHING]);
  const withoutProof = `c=${encodeBase64(bound)},r=${nonce}`;
  const authMessage = `${clientFirst},${serverFirst},${withoutProof}`;
  const salted = yield* saltedPassword(hash, password, salt, iterations);
  const key = yield* clientKey(hash, salted);
  const clientSignature = yield* sign(hash, yield* storedKey(hash, key), authMessage);
  const proof = encodeBase64(exclusiveOr(key.reveal(), clientSignature));

  // server-final-message
  const serverFinal = messageText(
    yield { type: 'respond', data: new Secret(`${withoutProof},p=${proof}`), mayEnd: false },
  );
  const attributes = parseAttributes(serverFinal ?? '') ?? [];
  const [error] = leading(attributes, 'e') ?? [];
  if (error !== undefined) {
    // The text is the peer's, and on its way to a person.
    return `The server refuses the proof: ${/^[\w-]{1,64}$/.test(error) ? error : 'other-error'}`;
  }
  const signature = decodeBase64(leading(attributes, 'v')?.[0] ?? '');
  if (signature === undefined || signature.length === 0) {
    return `The server's last challenge is none of ${name} (RFC 5802 §7)`;
  }
  const expected = yield* sign(hash, yield* serverKey(hash, salted), authMessage);
  if (!equalInConstantTime(signature, expected)) {
    return 'The server could not prove that it knows the password: it may be somebody else';
  }
  yield { type: 'respond', data: new Secret(NOTHING), mayEnd: true };
  return `The server asked for more than ${name} has to say`;
}

const VARIANTS: readonly Variant[] = [
  { name: 'SCRAM-SHA-256-PLUS', hash: 'SHA-256', plus: true },
  { name: 'SCRAM-SHA-1-PLUS', hash: 'SHA-1', plus: true },
  { name: 'SCRAM-SHA-256', hash: 'SHA-256', plus: false },
  { name: 'SCRAM-SHA-1', hash: 'SHA-1', plus: false },
];

/** The server's halves, the strongest first. */
export const scramServers: readonly ServerMechanism[] = VARIANTS.map((variant) => ({
  name: variant.name,
  clientFirst: true,
  begin: (channel) => serve(variant, channel),
}));

/** The client's halves, the strongest first. */
export const scramClients: readonly ClientMechanism[] = VARIANTS.map((variant) => ({
  name: variant.name,
  fits: ({ kind }) => kind === 'password',
  begin: (credentials, channel) => authenticate(variant, credentials, channel),
}));
