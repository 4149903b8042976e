/**
 * Exchanges as the tests run them: either half by hand, or both against each other, with the digests of Node.
 * An account is a name and what is stored for it.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { Secret } from '../secret.js';
import type { TlsInformation } from '../tls.js';
import { authorizationAsked, authorize } from './authorization.js';
import type {
  AuthenticatedIdentity,
  AuthenticationAttempt,
  AuthenticationGrant,
  ClientChannel,
  ClientCredentials,
  ClientMechanism,
  Computation,
  ServerChannel,
  ServerMechanism,
  ServerOutcome,
  StoredCredentials,
} from './exchange/exchange.js';
import { saslPrepare } from './exchange/prepare.js';

export const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
export const text = (data: Uint8Array): string => Buffer.from(data).toString();
export const base64 = (encoded: string): Uint8Array => new Uint8Array(Buffer.from(encoded, 'base64'));

const DIGESTS = { MD5: 'md5', 'SHA-1': 'sha1', 'SHA-256': 'sha256' } as const;

/** Iterations take their time, and the tests ask for the same ones again and again. */
const derived = new Map<string, Uint8Array>();

function pbkdf2({ hash, password, salt, iterations }: Extract<Computation, { kind: 'pbkdf2' }>): Uint8Array {
  const inputs = JSON.stringify([hash, [...password.reveal()], [...salt], iterations]);
  const known = derived.get(inputs);
  if (known !== undefined) return known;
  const size = hash === 'SHA-1' ? 20 : 32;
  const key = pbkdf2Sync(password.reveal(), salt, iterations, size, DIGESTS[hash]);
  derived.set(inputs, key);
  return key;
}

function digest(computation: Computation): Uint8Array {
  switch (computation.kind) {
    case 'random':
      return randomBytes(computation.octets);
    case 'hash':
      return createHash(DIGESTS[computation.hash]).update(computation.data.reveal()).digest();
    case 'hmac':
      return createHmac(DIGESTS[computation.hash], computation.key.reveal())
        .update(computation.data)
        .digest();
    case 'pbkdf2':
      return pbkdf2(computation);
  }
}

/** The computation's result, as a plain `Uint8Array`. */
export const compute = (computation: Computation): Uint8Array => new Uint8Array(digest(computation));

/** `compute`, but for random octets, which are these. */
export const withRandom =
  (random: Uint8Array) =>
  (computation: Computation): Uint8Array =>
    computation.kind === 'random' ? random : compute(computation);

/** What a generator of computations alone returns. */
export function finish<Result>(
  generator: Generator<{ readonly computation: Computation }, Result, Uint8Array>,
): Result {
  let step = generator.next();
  while (!step.done) step = generator.next(compute(step.value.computation));
  return step.value;
}

export const passwordOf = (
  username: string,
  password: string,
): Extract<ClientCredentials, { kind: 'password' }> => ({
  kind: 'password',
  username,
  password: new Secret(password),
});

export const tokenOf = (username: string, token: string): ClientCredentials => ({
  kind: 'token',
  username,
  token: new Secret(token),
});

/** Whether a name is as SASLprep leaves it, so that it comes out as it went in. */
export const isPrepared = (name: string): boolean => saslPrepare(name, 'query') === name;

export const stored = (password: string): StoredCredentials => ({
  kind: 'password',
  password: new Secret(password),
});

/** TLS with these channel bindings. */
export const tlsWith = (
  channelBindings: TlsInformation['channelBindings'],
  more: Partial<TlsInformation> = {},
): TlsInformation => ({
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  channelBindings,
  ...more,
});

export const EXPORTER = tlsWith({ 'tls-exporter': octets('e'.repeat(32)) });
export const END_POINT = tlsWith({ 'tls-server-end-point': Uint8Array.of(0, 0x2c, 0xff) });
export const CERTIFIED = tlsWith(
  {},
  {
    peerCertificate: {
      subject: 'CN=c',
      subjectAlternativeNames: [],
      fingerprint: '0'.repeat(64),
      der: octets('der'),
      chain: [octets('der')],
    },
  },
);

/** Whoever it is, they may act for whom they ask to act; a token is of the user who is named beside it. */
const grantAll = (attempt: AuthenticationAttempt): AuthenticationGrant => ({
  authorizationIdentity: authorizationAsked(attempt),
  ...('token' in attempt && attempt.username !== '' && { authenticatedAs: attempt.username }),
});

/** How an exchange ended, and as whom the session would then let the client in. */
export type TestOutcome =
  | ServerOutcome
  | { readonly type: 'success'; readonly identity: AuthenticatedIdentity };

export interface ServerSide {
  readonly channel?: Partial<ServerChannel>;
  readonly accounts?: ReadonlyMap<string, StoredCredentials>;
  /** Whether the application lets them in, and what it grants them. */
  readonly verify?: (attempt: AuthenticationAttempt) => boolean | AuthenticationGrant;
  readonly compute?: (computation: Computation) => Uint8Array;
}

/** The server's half, up to its next challenge or its outcome. */
export class ServerHalf {
  /** The challenge that waits for a response. */
  challenge: Uint8Array | undefined;
  outcome: TestOutcome | undefined;
  #identity: AuthenticatedIdentity | undefined;
  readonly attempts: AuthenticationAttempt[] = [];
  readonly computations: Computation['kind'][] = [];
  readonly #exchange: ReturnType<ServerMechanism['begin']>;
  readonly #side: ServerSide;

  constructor(mechanism: ServerMechanism, side: ServerSide = {}) {
    this.#side = side;
    this.#exchange = mechanism.begin({
      tls: undefined,
      hostname: 's.example',
      offered: [mechanism.name],
      iterations: 4096,
      ...side.channel,
    });
    this.#go(this.#exchange.next());
  }

  respond(response: Uint8Array | string): this {
    this.#go(this.#exchange.next(typeof response === 'string' ? octets(response) : response));
    return this;
  }

  #go(from: ReturnType<ReturnType<ServerMechanism['begin']>['next']>): void {
    this.challenge = undefined;
    let result = from;
    while (!result.done) {
      const step = result.value;
      if (step.type === 'challenge') {
        this.challenge = step.data;
        return;
      }
      if (step.type === 'compute') {
        this.computations.push(step.computation.kind);
        result = this.#exchange.next((this.#side.compute ?? compute)(step.computation));
      } else if (step.type === 'retrieve') {
        result = this.#exchange.next(this.#side.accounts?.get(step.username));
      } else {
        this.attempts.push(step.attempt);
        const verdict = (this.#side.verify ?? grantAll)(step.attempt);
        this.#identity =
          verdict === false ? undefined : authorize(step.attempt, verdict === true ? {} : verdict);
        result = this.#exchange.next({ accepted: this.#identity !== undefined });
      }
    }
    const { value } = result;
    this.outcome =
      value.type === 'success' && this.#identity ? { type: 'success', identity: this.#identity } : value;
  }
}

export interface ClientSide {
  readonly channel?: Partial<ClientChannel>;
  readonly compute?: (computation: Computation) => Uint8Array;
}

/** The client's half, up to its next response or its end. */
export class ClientHalf {
  /** The response that waits for a challenge; undefined too as an initial response that there is none of. */
  response: Secret | undefined;
  mayEnd = false;
  /** Why it ended. */
  ended: string | undefined;
  readonly #exchange: ReturnType<ClientMechanism['begin']>;
  readonly #compute: (computation: Computation) => Uint8Array;

  constructor(mechanism: ClientMechanism, credentials: ClientCredentials, side: ClientSide = {}) {
    this.#compute = side.compute ?? compute;
    this.#exchange = mechanism.begin(credentials, {
      tls: undefined,
      offered: new Set([mechanism.name]),
      host: undefined,
      port: undefined,
      maximumIterations: 100_000,
      ...side.channel,
    });
    this.#go(this.#exchange.next());
  }

  challenge(challenge: Uint8Array | string): this {
    this.#go(this.#exchange.next(typeof challenge === 'string' ? octets(challenge) : challenge));
    return this;
  }

  /** The response as text. */
  get said(): string | undefined {
    return this.response?.revealText();
  }

  #go(from: ReturnType<ReturnType<ClientMechanism['begin']>['next']>): void {
    this.response = undefined;
    this.mayEnd = false;
    let result = from;
    while (!result.done) {
      const step = result.value;
      if (step.type === 'respond') {
        this.response = step.data;
        this.mayEnd = step.mayEnd;
        return;
      }
      result = this.#exchange.next(this.#compute(step.computation));
    }
    this.ended = result.value;
  }
}

export interface Run {
  /** Undefined where the client gave up. */
  readonly outcome: TestOutcome | undefined;
  /** Why the client gave up. */
  readonly ended: string | undefined;
  /** Both ends agree that the client is let in. */
  readonly agreed: boolean;
  readonly attempts: readonly AuthenticationAttempt[];
  readonly messages: readonly Uint8Array[];
}

/**
 * Both halves against each other, as a session runs them.
 *
 * @param passOn what becomes of a message on its way, by its number from 0
 */
export function run(
  client: ClientHalf,
  server: ServerHalf,
  passOn: (message: Uint8Array, number: number) => Uint8Array = (message) => message,
): Run {
  const messages: Uint8Array[] = [];
  const pass = (message: Uint8Array): Uint8Array => {
    messages.push(message);
    return passOn(message, messages.length - 1);
  };
  // Without an initial response the server asks for one.
  if (client.ended === undefined && client.response === undefined) {
    client.challenge(pass(server.challenge ?? octets('')));
  }
  while (client.ended === undefined && client.response !== undefined) {
    server.respond(pass(client.response.reveal()));
    if (server.challenge === undefined) break;
    client.challenge(pass(server.challenge));
  }
  const { outcome, attempts } = server;
  const agreed = outcome?.type === 'success' && client.mayEnd;
  return { outcome, ended: client.ended, agreed, attempts, messages };
}
