/**
 * MTA-STS (RFC 8461): a domain's promise that its mail exchangers speak TLS with certificates that can be verified,
 * and which hosts they are.
 *
 * - A policy in the cache holds until it expires, whatever DNS and the web server say meanwhile, unless a new one
 *   was fetched: else whoever can suppress an answer could lift the policy.
 * - What is malformed is as if it were not there (RFC 8461 §3.1, §3.2); nothing is repaired.
 *
 * What a policy demands for one host: `tlsRequirement`.
 */
import type { Clock } from '@sansmtp/transport';
import { systemClock } from '@sansmtp/transport-node';
import { toAsciiDomain } from './internationalized-domain.js';
import type { MailResolver } from './mail-resolver.js';
import { PolicyFetches } from './policy-fetches.js';

export interface StsPolicy {
  /** `enforce`: no delivery but by it. `testing`: failures are only reported. `none`: no policy any more. */
  readonly mode: 'enforce' | 'testing' | 'none';
  /** Host names in lower case, or `*.` and a domain; one at least unless `mode` is `none`. */
  readonly mx: readonly string[];
  /** Seconds for which the policy may be kept. */
  readonly maxAge: number;
}

/** What a text is not; `problem` is for a person, and nothing in it comes from the text. */
export interface StsFailure {
  readonly kind: 'invalid';
  readonly problem: string;
}

/** The longest that a policy may be kept, in seconds: a year (RFC 8461 §3.2). */
const MAXIMUM_AGE = 31_557_600;

/** Octets of a policy that are read; RFC 8461 §3.3 lets a sender bound them. */
export const MAXIMUM_POLICY_OCTETS = 65_536;

const invalid = (problem: string): StsFailure => ({ kind: 'invalid', problem });

/**
 * The id of the policy that a domain announces, from the TXT records of `_mta-sts` in front of it. Records of other
 * kinds are passed over (RFC 8461 §3.1).
 */
export function parseStsRecord(
  records: readonly string[],
): { readonly kind: 'record'; readonly id: string } | StsFailure {
  const [record, ...others] = records.filter((text) => text.startsWith('v=STSv1;'));
  if (record === undefined) return invalid('No TXT record begins with "v=STSv1;"');
  if (others.length > 0) return invalid('More than one TXT record begins with "v=STSv1;"');
  const fields = record.split(/[ \t]*;[ \t]*/).slice(1);
  if (fields.at(-1) === '') fields.pop();
  if (!fields.every((field) => /^[\dA-Za-z][\w.-]{0,31}=[!-:<>-~]+$/.test(field))) {
    return invalid('The MTA-STS record has a malformed field');
  }
  const ids = fields.filter((field) => field.startsWith('id='));
  const id = ids[0]?.slice('id='.length) ?? '';
  if (ids.length !== 1 || !/^[\dA-Za-z]{1,32}$/.test(id)) {
    return invalid('The MTA-STS record must have one id, of 1 to 32 letters and digits');
  }
  return { kind: 'record', id };
}

/** A host name, or one with "*" for its first label; in ASCII (RFC 8461 §3.2 `sts-policy-mx-value`). */
function isPattern(text: string): boolean {
  return /^[!-~]+$/.test(text) && toAsciiDomain(text.replace(/^\*\./, '')).kind === 'domain';
}

/** The policy in the text of a policy file (RFC 8461 §3.2). */
export function parseStsPolicy(
  text: string,
): { readonly kind: 'policy'; readonly policy: StsPolicy } | StsFailure {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const values = new Map<string, string>();
  const mx: string[] = [];
  for (const line of lines) {
    const [, key = '', value = ''] = /^([\dA-Za-z][\w.-]{0,31}):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (key === '') return invalid('The policy has a line that is not "key: value"');
    if (key === 'mx') mx.push(value.toLowerCase());
    // RFC 8461 §3.2: but for mx, the first of several counts.
    else if (!values.has(key)) values.set(key, value);
  }

  if (values.get('version') !== 'STSv1') return invalid('The policy must have "version: STSv1"');
  const mode = values.get('mode');
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') {
    return invalid('The mode of the policy must be "enforce", "testing" or "none"');
  }
  const maxAge = values.get('max_age') ?? '';
  if (!/^\d{1,10}$/.test(maxAge) || Number(maxAge) > MAXIMUM_AGE) {
    return invalid(`The policy must have a max_age of 0 to ${MAXIMUM_AGE} seconds`);
  }
  if (!mx.every(isPattern)) {
    return invalid('Each mx of the policy must be a host name; its first label may be "*"');
  }
  if (mx.length === 0 && mode !== 'none') return invalid('The policy must name one mx at least');
  return { kind: 'policy', policy: { mode, mx, maxAge: Number(maxAge) } };
}

/**
 * Whether a host is one of the policy's mail exchangers. "*" stands for one label, the first, and not for part of
 * one (RFC 8461 §4.1).
 */
export function isPolicyExchanger(policy: StsPolicy, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  const wildcard = name.replace(/^[^.]+/, '*');
  return policy.mx.some((pattern) => pattern === name || pattern === wildcard);
}

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
 * @throws {RangeError} `fetchTimeout` is not above 0, or is infinite
 * @throws the signal's reason once it is aborted, and what the cache throws
 */
export async function findStsPolicy(domain: string, options: StsOptions): Promise<StsOutcome> {
  return findSharedStsPolicy(domain, { ...options, fetches: createPolicyFetches(options, systemClock) });
}

export interface SharedStsOptions extends Omit<StsOptions, 'fetchPolicy' | 'fetchTimeout'> {
  readonly fetches: PolicyFetches;
}

/** Like `findStsPolicy`, by fetches that are shared with others. */
export async function findSharedStsPolicy(domain: string, options: SharedStsOptions): Promise<StsOutcome> {
  const { resolver, fetches, cache, now, signal } = options;
  const answer = await resolver.resolveTxt(`_mta-sts.${domain}`, signal);
  // Behind DNS, which others may wait for longer: what they have fetched meanwhile is there.
  const kept = await cache.get(domain);
  const cached = kept !== undefined && kept.expiresAt > now ? kept : undefined;
  const otherwise = (problem?: string): StsOutcome =>
    cached === undefined
      ? { kind: 'none', ...(problem !== undefined && { problem }) }
      : outcomeOf(cached.policy, problem);

  if (answer.kind === 'temporary') return otherwise(answer.problem);
  if (answer.kind !== 'found') return otherwise();
  const record = parseStsRecord(answer.records);
  if (record.kind === 'invalid') return otherwise(record.problem);
  if (record.id === cached?.id) return outcomeOf(cached.policy);

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
