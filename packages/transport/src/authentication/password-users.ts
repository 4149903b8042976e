/**
 * Users who authenticate by a password: PLAIN, LOGIN, SCRAM and CRAM-MD5 from one look-up.
 *
 * - Nobody learns whether there is a user of some name, neither from a reply nor from what SCRAM shows: somebody unknown
 *   has a salt that stays the same, HMAC(secret, hash name, name), and costs an HMAC like everybody else.
 * - An attempt is cheap for us. SCRAM works with keys that are derived once (RFC 5802 §3). A password held against keys
 *   costs one PBKDF2, whoever it is said to be of; those take turns, and what was right is remembered under an HMAC with
 *   a key of this process.
 * - Nobody acts for somebody else: nothing here grants it (RFC 4422 §3.4.1).
 */
import {
  type AuthenticationAttempt,
  type Computation,
  checkNames,
  concatenate,
  encodeText,
  kindOf,
  type MechanismName,
  namesOf,
  type ScramCredentials,
  type ScramHash,
  Secret,
  type StoredCredentials,
  saslPrepare,
  scramKeys,
} from '@sansmtp/core';
import { type Cryptography, webCryptography } from '../cryptography.js';
import { derivationQueue, derivationsOf } from './derivations.js';

/** What is stored of one user's password: keys of SCRAM, of one hash or of both, or the password. Keys go first. */
export type StoredUser = StoredCredentials | readonly StoredCredentials[];

/** Finds what is stored of a user, by the prepared name (SASLprep); undefined: there is no such user. */
export type UserLookup = (username: string) => StoredUser | undefined | Promise<StoredUser | undefined>;

/** What `passwordUsers` takes. */
export interface PasswordUsersOptions {
  /**
   * Makes the salts of users who do not exist, and of those whose password is stored. All processes of a service share
   * it, and it outlives restarts: else a second look tells who exists.
   * @default 32 octets drawn when the process begins
   */
  readonly secret?: Secret;
  /**
   * PBKDF2 iterations of users who do not exist, and of those whose password is stored: what most of the stored keys
   * have. 4096 to 1,000,000.
   * @default those of most of the keys that were looked up so far, 15,000 before the first
   */
  readonly iterations?: number;
  /**
   * Whether keys are stored of anybody, so that a password costs a PBKDF2 whoever it is said to be of.
   * @default whether any were looked up so far
   */
  readonly keysStored?: boolean;
  /**
   * PBKDF2 derivations at a time in this process.
   * @default 1
   */
  readonly maximumDerivations?: number;
  /**
   * Derivations that wait for their turn. Over it: 454 4.7.0.
   * @default 64
   */
  readonly maximumWaiting?: number;
  /** @default webCryptography(). CRAM-MD5 is the session's to compute. */
  readonly cryptography?: Cryptography;
}

/** Handlers for `ServerHandlers`: they need to know nothing of the session. */
export interface PasswordHandlers {
  onAuth(attempt: AuthenticationAttempt): boolean | Promise<boolean>;
  onCredentials(request: {
    readonly mechanism: string;
    readonly username: string;
  }): Promise<StoredCredentials | undefined>;
}

/** Keys with more are a mistake, or an attack on whoever checks passwords against them. */
export const MAXIMUM_STORED_ITERATIONS = 1_000_000;

const MINIMUM_ITERATIONS = 4096;
const SALT_OCTETS = 16;
/** Passwords that were right, and keys that were derived, each. */
const MAXIMUM_REMEMBERED = 10_000;

/** A map that forgets what it has learnt first. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  for (const oldest of map.keys()) {
    if (map.size < MAXIMUM_REMEMBERED) break;
    map.delete(oldest);
  }
  map.set(key, value);
}

const hexadecimal = (octets: Uint8Array) =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');

function checkInteger(option: string, value: number, least: number, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`The option ${option} is ${value}; it takes an integer of ${least} to ${most}`);
}

/**
 * The mechanisms to offer (`authentication.mechanisms`) where these are the users: none of SCRAM for which not everybody
 * has keys, or it would fail for some; PLAIN and LOGIN in any case.
 */
export function passwordMechanisms(users: Iterable<StoredUser>): readonly MechanismName[] {
  const hashes = new Set<ScramHash>(['SHA-256', 'SHA-1']);
  for (const user of users) {
    const stored = listOf(user);
    if (stored.some(({ kind }) => kind === 'password')) continue;
    for (const hash of hashes) if (keysAmong(stored, hash) === undefined) hashes.delete(hash);
  }
  const scram = [...hashes].flatMap((hash) => [`SCRAM-${hash}-PLUS`, `SCRAM-${hash}`] as const);
  return [...scram, 'PLAIN', 'LOGIN'];
}

/** Nothing of it is shown: it may be the password. */
function checkStored(user: StoredUser): void {
  const stored: unknown[] = Array.isArray(user) ? user : [user];
  if (stored.every(areCredentials)) return;
  throw new TypeError(
    `The look-up of users gave ${typeof user === 'object' ? 'an object of another form' : kindOf(user)}; it takes ` +
      "nothing, { kind: 'password', password: new Secret(…) }, what scramKeys() makes, or a list of these",
  );
}

function areCredentials(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  if (value.kind === 'password') return 'password' in value && value.password instanceof Secret;
  const { salt, storedKey, serverKey } = value as Partial<ScramCredentials>;
  const keys = storedKey instanceof Secret && serverKey instanceof Secret;
  return value.kind === 'scram' && salt instanceof Uint8Array && keys;
}

function listOf(user: StoredUser): readonly StoredCredentials[] {
  return 'kind' in user ? [user] : user;
}

function keysAmong(stored: readonly StoredCredentials[], hash: ScramHash): ScramCredentials | undefined {
  return stored.find((each): each is ScramCredentials => each.kind === 'scram' && each.hash === hash);
}

/** As passwords are compared: prepared (RFC 4013), so that it does not matter how a keyboard composes its letters. */
function prepared(password: Secret): Secret {
  return new Secret(saslPrepare(password.revealText(), 'query') ?? password.reveal());
}

const OPTION_NAMES = namesOf<PasswordUsersOptions>({
  secret: true,
  iterations: true,
  keysStored: true,
  maximumDerivations: true,
  maximumWaiting: true,
  cryptography: true,
});

/**
 * Handlers that let in the users whom `lookup` finds, by PLAIN, LOGIN, SCRAM and CRAM-MD5; spread them into yours. Where
 * keys of one hash alone are stored, set `authentication.mechanisms` to what `passwordMechanisms` gives.
 * @throws {RangeError} an option is out of its range
 * @throws {TypeError} an option is not known, or there is no look-up
 */
export function passwordUsers(lookup: UserLookup, options: PasswordUsersOptions = {}): PasswordHandlers {
  if (typeof lookup !== 'function') {
    throw new TypeError(
      `The look-up of users is ${lookup === undefined ? 'missing' : kindOf(lookup)}; it takes a function from a name to what is stored of that user`,
    );
  }
  checkNames('The option', options, OPTION_NAMES);
  if (options.secret !== undefined && !(options.secret instanceof Secret)) {
    throw new TypeError('The option secret takes a Secret: new Secret(…) of 32 random octets');
  }
  if (options.keysStored !== undefined && typeof options.keysStored !== 'boolean') {
    throw new RangeError(`The option keysStored is ${String(options.keysStored)}; it takes true or false`);
  }
  const { cryptography = webCryptography() } = options;
  const { iterations: givenIterations } = options;
  if (givenIterations !== undefined) {
    checkInteger('iterations', givenIterations, MINIMUM_ITERATIONS, MAXIMUM_STORED_ITERATIONS);
  }
  const ownQueue = derivationQueue(
    checkInteger('maximumDerivations', options.maximumDerivations ?? 1, 1),
    checkInteger('maximumWaiting', options.maximumWaiting ?? 64, 0),
  );
  const isShared = options.maximumDerivations === undefined && options.maximumWaiting === undefined;
  const queue = isShared ? derivationsOf(options.cryptography) : ownQueue;
  const compute = async (computation: Computation) => await cryptography.compute(computation);
  const random = async (octets: number) => new Secret(await compute({ kind: 'random', octets }));
  const hmac = (key: Secret, data: Uint8Array) => compute({ kind: 'hmac', hash: 'SHA-256', key, data });
  /** What only this process knows, drawn when it is first needed. */
  let own:
    | Promise<{ readonly processKey: Secret; readonly secret: Secret; readonly nobody: Secret }>
    | undefined;
  const secrets = () => {
    own ??= (async () => ({
      processKey: await random(32),
      secret: options.secret ?? (await random(32)),
      nobody: await random(32),
    }))();
    return own;
  };

  /** How many of the keys that were seen have so many iterations, and so long a salt. */
  const seen = new Map<string, { count: number; readonly iterations: number; readonly saltOctets: number }>();
  let usual = { iterations: givenIterations ?? 15_000, saltOctets: SALT_OCTETS };
  let keysStored = options.keysStored ?? false;

  function notice({ iterations, salt }: ScramCredentials): void {
    if (options.keysStored === undefined) keysStored = true;
    const key = `${iterations} ${salt.length}`;
    const kind = seen.get(key) ?? { count: 0, iterations, saltOctets: Math.min(salt.length, 32) };
    kind.count++;
    if (seen.size < 100) seen.set(key, kind);
    const [most = kind] = [...seen.values()].sort((one, other) => other.count - one.count);
    usual = { iterations: givenIterations ?? most.iterations, saltOctets: most.saltOctets };
  }

  async function find(username: string): Promise<readonly StoredCredentials[] | undefined> {
    const user = await lookup(username);
    if (user === undefined || user === null) return undefined;
    checkStored(user);
    const stored = listOf(user);
    for (const each of stored) {
      if (each.kind !== 'scram') continue;
      checkInteger(
        'iterations of stored keys',
        each.iterations,
        MINIMUM_ITERATIONS,
        MAXIMUM_STORED_ITERATIONS,
      );
      notice(each);
    }
    return stored;
  }

  async function saltOf(username: string, hash: ScramHash): Promise<Uint8Array> {
    const { secret } = await secrets();
    return (await hmac(secret, encodeText(`${hash}\0${username}`))).slice(0, usual.saltOctets);
  }

  /** Keys of stored passwords: derived once, and again where the password has changed. */
  const derived = new Map<string, { readonly of: string; readonly keys: Promise<ScramCredentials> }>();

  async function derivedKeys(username: string, hash: ScramHash, password: Secret, salt: Uint8Array) {
    const { processKey } = await secrets();
    const { iterations } = usual;
    const of = `${iterations} ${hexadecimal(await hmac(processKey, password.reveal()))}`;
    const key = `${hash} ${username}`;
    const known = derived.get(key);
    if (known?.of === of) return known.keys;
    const keys = queue(async () => {
      const steps = scramKeys({ hash, password, salt, iterations });
      let step = steps.next();
      while (!step.done) step = steps.next(await compute(step.value.computation));
      return step.value;
    });
    remember(derived, key, { of, keys });
    keys.catch(() => derived.delete(key));
    return keys;
  }

  /** Of somebody who has none: no proof fits them, and looking at one takes as long. */
  async function nobodysKeys(hash: ScramHash, salt: Uint8Array): Promise<ScramCredentials> {
    const { nobody } = await secrets();
    const octets = hash === 'SHA-1' ? 20 : 32;
    const key = new Secret(nobody.reveal().slice(0, octets));
    return { kind: 'scram', hash, salt, iterations: usual.iterations, storedKey: key, serverKey: key };
  }

  /** StoredKey of RFC 5802 §3, of a password that somebody gives. */
  function storedKeyOf(given: Secret, { hash, salt, iterations }: ScramCredentials): Promise<Uint8Array> {
    return queue(async () => {
      const password = prepared(given);
      const salted = new Secret(await compute({ kind: 'pbkdf2', hash, password, salt, iterations }));
      const clientKey = await compute({ kind: 'hmac', hash, key: salted, data: encodeText('Client Key') });
      return compute({ kind: 'hash', hash, data: new Secret(clientKey) });
    });
  }

  /** Equal, in a time that tells nothing: what is compared are HMACs with a key that nobody has. */
  async function areEqual(one: Uint8Array, other: Uint8Array): Promise<boolean> {
    const { processKey } = await secrets();
    return hexadecimal(await hmac(processKey, one)) === hexadecimal(await hmac(processKey, other));
  }

  const right = new Map<string, true>();

  async function isRight(username: string, given: Secret): Promise<boolean> {
    const stored = await find(username);
    const { processKey, nobody } = await secrets();
    const salt = await saltOf(username, 'SHA-256');
    const keys = stored && (keysAmong(stored, 'SHA-256') ?? keysAmong(stored, 'SHA-1'));
    const password = stored?.find((each) => each.kind === 'password');
    const target = keys ?? (await nobodysKeys('SHA-256', salt));
    const expected = keys?.storedKey ?? (password && prepared(password.password)) ?? nobody;
    // With what is stored now, so that a password that was changed is forgotten.
    const parts = [encodeText(username), given.reveal(), expected.reveal()].map((part) =>
      concatenate([encodeText(`${part.length}:`), part]),
    );
    const mark = hexadecimal(await hmac(processKey, concatenate(parts)));
    if (right.has(mark)) return true;
    const shown = keysStored || keys !== undefined ? await storedKeyOf(given, target) : undefined;
    const compared = keys === undefined || shown === undefined ? prepared(given).reveal() : shown;
    const isEqual = await areEqual(compared, expected.reveal());
    if (!isEqual || stored === undefined || (keys === undefined && password === undefined)) return false;
    remember(right, mark, true);
    return true;
  }

  return {
    onAuth(attempt: AuthenticationAttempt) {
      if ('password' in attempt) return isRight(attempt.username, attempt.password);
      // Proven against what `onCredentials` gave. Tokens, certificates and others are not ours to judge.
      return attempt.mechanism === 'CRAM-MD5' || attempt.mechanism.startsWith('SCRAM-');
    },
    async onCredentials({ mechanism, username }) {
      const stored = await find(username);
      const password = stored?.find((each) => each.kind === 'password');
      if (mechanism === 'CRAM-MD5') return password;
      const hash = mechanism.startsWith('SCRAM-SHA-1') ? 'SHA-1' : 'SHA-256';
      const salt = await saltOf(username, hash);
      const keys = stored && keysAmong(stored, hash);
      if (keys !== undefined) return keys;
      if (password !== undefined) return derivedKeys(username, hash, password.password, salt);
      return nobodysKeys(hash, salt);
    },
  };
}
