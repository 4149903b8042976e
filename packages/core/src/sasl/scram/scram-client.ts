/** The client's half of SCRAM (RFC 5802 §3, §5); what holds of it stands in scram.ts. */
import { Secret } from '../../secret.js';
import { concatenate, encodeText, NOTHING } from '../../wire/octets.js';
import { decodeBase64, encodeBase64 } from '../exchange/base64.js';
import { equalInConstantTime } from '../exchange/constant-time.js';
import type {
  ClientChannel,
  ClientCredentials,
  ClientExchange,
  ClientMechanism,
} from '../exchange/exchange.js';
import { type BindingFlag, encodeSaslName, formatGs2Header } from '../exchange/gs2.js';
import { saslPrepare } from '../exchange/prepare.js';
import { compute } from '../exchange/steps.js';
import {
  exclusiveOr,
  isMandatoryExtension,
  isPlus,
  leading,
  messageText,
  NONCE,
  NONCE_OCTETS,
  parseAttributes,
  preferredBinding,
  sign,
  VARIANTS,
  type Variant,
} from './scram.js';
import {
  clientKey,
  MINIMUM_ITERATIONS,
  preparePassword,
  saltedPassword,
  serverKey,
  storedKey,
} from './scram-keys.js';

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

/** The client's halves, the strongest first. */
export const scramClients: readonly ClientMechanism[] = VARIANTS.map((variant) => ({
  name: variant.name,
  fits: ({ kind }) => kind === 'password',
  begin: (credentials, channel) => authenticate(variant, credentials, channel),
}));
