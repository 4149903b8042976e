/**
 * MTA-STS (RFC 8461): a domain's promise that its mail exchangers speak TLS with certificates that can be verified,
 * and which hosts they are.
 *
 * - A policy in the cache holds until it expires, whatever DNS and the web server say meanwhile, unless a new one
 *   was fetched: else whoever can suppress an answer could lift the policy.
 *
 * - A policy is fetched anew about daily, long before it expires (RFC 8461 §3.3): else whoever blocks HTTPS at the right
 *   moment could end it. Where nothing is sent to a domain for so long, `refreshStsPolicies` does it.
 *
 * What a policy demands for one host: `tlsRequirement`.
 */
import { checkObject, namesOf } from '@sansmtp/core';
import type { Clock } from '@sansmtp/transport';
import { systemClock } from '@sansmtp/transport-node';
import { checkTxt } from '../routing/checked-answer.js';
import type { MailResolver } from '../routing/mail-resolver.js';
import { PolicyFetches } from './policy-fetches.js';
import {
  invalid,
  MAXIMUM_POLICY_OCTETS,
  parseStsPolicy,
  parseStsRecord,
  type StsPolicy,
} from './sts-policy.js';

const DAY = 86_400_000;

/** What a web server answered. */
export interface PolicyResponse {
  readonly status: number;
  /** The Content-Type header, empty without one. */
  readonly contentType: string;
  /** May be cut behind 65537 octets: with more than 65536 it is too long, and no policy. */
  readonly body: Uint8Array;
}

/**
 * Fetches `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`, with the certificate verified for that name, and
 * without following redirects (RFC 8461 §3.3).
 *
 * @throws when there is no response
 */
export type FetchPolicy = (domain: string, signal: AbortSignal) => Promise<PolicyResponse>;

export interface CachedPolicy {
  /** The id under which the domain announced it. */
  readonly id: string;
  readonly policy: StsPolicy;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * Policies by domain; a `Map` will do. What outlives a restart protects better: the first contact is the one that can
 * be attacked.
 */
export interface PolicyCache {
  get(domain: string): CachedPolicy | undefined | Promise<CachedPolicy | undefined>;
  /** Is awaited; what comes of it does not matter. */
  set(domain: string, policy: CachedPolicy): unknown;
}

/** What holds for a domain. */
export type StsOutcome =
  | {
      readonly kind: 'none';
      /** Why the policy that the domain announces cannot be used. */
      readonly problem?: string;
    }
  | {
      readonly kind: 'policy';
      readonly policy: StsPolicy & { readonly mode: 'enforce' | 'testing' };
      /** Why it could not be looked up anew; it comes from the cache then. */
      readonly problem?: string;
    };

export interface StsOptions {
  readonly resolver: Pick<MailResolver, 'resolveTxt'>;
  readonly fetchPolicy: FetchPolicy;
  readonly cache: PolicyCache;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds for the web server to answer, more than 0 (RFC 8461 §3.3 suggests a minute). @default 60000 */
  readonly fetchTimeout?: number;
  readonly signal?: AbortSignal;
}

function outcomeOf({ mode, ...policy }: StsPolicy, problem?: string): StsOutcome {
  const because = problem === undefined ? {} : { problem };
  return mode === 'none'
    ? { kind: 'none', ...because }
    : { kind: 'policy', policy: { mode, ...policy }, ...because };
}

/** The policy in the response, if it is one. */
function readResponse({ status, contentType, body }: PolicyResponse): ReturnType<typeof parseStsPolicy> {
  if (status !== 200) return invalid(`The policy was not served: status ${status} instead of 200`);
  if (!/^text\/plain[ \t]*(?:;|$)/i.test(contentType.trim())) {
    return invalid('The policy was not served as text/plain');
  }
  if (body.length > MAXIMUM_POLICY_OCTETS) {
    return invalid(`The policy is longer than ${MAXIMUM_POLICY_OCTETS} octets`);
  }
  return parseStsPolicy(Buffer.from(body).toString('latin1'));
}

/**
 * @param option what to call `fetchTimeout`
 * @throws {RangeError} it is not above 0, or is infinite
 */
export function createPolicyFetches(
  { fetchPolicy, fetchTimeout = 60_000 }: Pick<StsOptions, 'fetchPolicy' | 'fetchTimeout'>,
  clock: Clock,
  option = 'fetchTimeout',
): PolicyFetches {
  if (typeof fetchPolicy !== 'function') {
    throw new TypeError('fetchPolicy is missing, or no function: createPolicyFetch() makes one');
  }
  // With 0, or a text, there would be no policies, and nobody would notice.
  if (!(Number.isFinite(fetchTimeout) && fetchTimeout > 0)) {
    throw new RangeError(`The option ${option} is ${fetchTimeout}; it takes milliseconds above 0`);
  }
  const fetchAndRead = async (domain: string, signal: AbortSignal): Promise<StsPolicy> => {
    let response: PolicyResponse;
    try {
      response = await fetchPolicy(domain, signal);
    } catch (error) {
      throw new Error(`The policy could not be fetched: ${messageOf(error)}`);
    }
    const read = readResponse(response);
    if (read.kind === 'invalid') throw new Error(read.problem);
    return read.policy;
  };
  return new PolicyFetches(fetchAndRead, fetchTimeout, clock);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Finds the policy of a domain: announced in DNS, fetched by HTTPS where the cache does not hold the announced one.
 * A fetch that fails is made anew by the next call; RFC 8461 §3.3 asks for five minutes in between, as a mailer keeps.
 *
 * @param domain in ASCII and lower case
 * @throws {RangeError} `fetchTimeout` is not above 0, or is infinite; or `now` is no time
 * @throws the signal's reason once it is aborted, and what the cache throws
 */
export async function findStsPolicy(domain: string, options: StsOptions): Promise<StsOutcome> {
  checkObject('The option', options, OPTION_NAMES);
  return findSharedStsPolicy(domain, { ...options, fetches: createPolicyFetches(options, systemClock) });
}

const OPTION_NAMES = namesOf<StsOptions>({
  resolver: true,
  fetchPolicy: true,
  cache: true,
  now: true,
  fetchTimeout: true,
  signal: true,
});

export interface SharedStsOptions extends Omit<StsOptions, 'fetchPolicy' | 'fetchTimeout'> {
  readonly fetches: PolicyFetches;
}

/**
 * A cache that outlives a restart may have been altered meanwhile: with another mode, or a time that is none, a policy would
 * enforce nothing.
 * @throws {TypeError} it is no policy that was stored here
 */
function checkStored(stored: CachedPolicy | undefined): CachedPolicy | undefined {
  if (stored === undefined || (stored !== null && isStored(stored))) return stored;
  throw new TypeError(
    'The cache of MTA-STS policies gave what was not stored in it: an entry has an id, a policy and expiresAt, a number',
  );
}

function isStored({ id, policy, expiresAt }: CachedPolicy): boolean {
  return (
    typeof id === 'string' &&
    Number.isFinite(expiresAt) &&
    ['enforce', 'testing', 'none'].includes(policy?.mode) &&
    Array.isArray(policy.mx) &&
    policy.mx.every((pattern) => typeof pattern === 'string') &&
    Number.isFinite(policy.maxAge)
  );
}

/** From when on it is to be fetched anew: a day, or half its life, after it was fetched. */
function refreshTime({ expiresAt, policy }: CachedPolicy): number {
  const life = policy.maxAge * 1000;
  return expiresAt - life + Math.min(DAY, life / 2);
}

/**
 * Fetches the policies of these domains anew that are more than a day old, one after the other. Call it daily, with all
 * domains that the cache holds: of a domain to which nothing is sent meanwhile the policy would expire otherwise.
 *
 * @param domains in ASCII and lower case
 * @throws {RangeError} `now` or `fetchTimeout` is out of its range
 * @throws {TypeError} `domains` is a text, or an option is not known
 * @throws the signal's reason once it is aborted, and what the cache throws
 */
export async function refreshStsPolicies(domains: Iterable<string>, options: StsOptions): Promise<void> {
  // A text would be taken letter by letter.
  if (typeof domains === 'string')
    throw new TypeError(`domains is ${JSON.stringify(domains)}; it takes a list`);
  for (const domain of [...domains]) await findStsPolicy(domain, options);
}

/** Like `findStsPolicy`, by fetches that are shared with others. */
export async function findSharedStsPolicy(domain: string, options: SharedStsOptions): Promise<StsOutcome> {
  const { resolver, fetches, cache, now, signal } = options;
  // By a time that is none, every policy would have expired.
  if (!Number.isFinite(now)) throw new RangeError(`now is ${now}; it takes milliseconds since 1970`);
  const answer = checkTxt(await resolver.resolveTxt(`_mta-sts.${domain}`, signal));
  // Behind DNS, which others may wait for longer: what they have fetched meanwhile is there.
  const stored = checkStored(await cache.get(domain));
  const cached = stored !== undefined && stored.expiresAt > now ? stored : undefined;
  const otherwise = (problem?: string): StsOutcome =>
    cached === undefined
      ? { kind: 'none', ...(problem !== undefined && { problem }) }
      : outcomeOf(cached.policy, problem);

  if (answer.kind === 'temporary') return otherwise(answer.problem);
  if (answer.kind !== 'found') return otherwise();
  const record = parseStsRecord(answer.records);
  if (record.kind === 'invalid') return otherwise(record.problem);
  if (cached !== undefined && record.id === cached.id && now < refreshTime(cached)) {
    return outcomeOf(cached.policy);
  }

  let policy: StsPolicy;
  try {
    policy = await fetches.policyOf(domain, record.id, signal);
  } catch (error) {
    signal?.throwIfAborted();
    return otherwise(messageOf(error));
  }
  await cache.set(domain, { id: record.id, policy, expiresAt: now + policy.maxAge * 1000 });
  return outcomeOf(policy);
}

/**
 * Fetches policies by the platform's `fetch`, which verifies certificates.
 *
 * @param fetch what to fetch by. @default the platform's
 */
export function createPolicyFetch(fetch: typeof globalThis.fetch = globalThis.fetch): FetchPolicy {
  return async (domain, signal) => {
    // 'manual' gives the redirect itself, whose status is not 200.
    const response = await fetch(`https://mta-sts.${domain}/.well-known/mta-sts.txt`, {
      redirect: 'manual',
      signal,
    });
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      // Leaving the loop cancels the response.
      if (length > MAXIMUM_POLICY_OCTETS) break;
    }
    return {
      status: response.status,
      contentType: response.headers.get('content-type') ?? '',
      body: Buffer.concat(chunks, length),
    };
  };
}
