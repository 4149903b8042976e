/**
 * Recipients grouped by where they go: those whose domains have equal mail exchangers, under equal demands on TLS,
 * share their mail transactions.
 *
 * - A domain that is slow to look up holds up the others for a moment only: groups come as they are found.
 */
import type { ClientRecipient } from '@sansmtp/core';
import type { Clock } from '@sansmtp/transport';
import { type DaneOutcome, findDane, type TlsaResolver } from '../policies/dane.js';
import { findSharedStsPolicy, type SharedStsOptions, type StsOutcome } from '../policies/mta-sts.js';
import { type TlsRequirement, tlsRequirement } from '../policies/tls-requirement.js';
import type { MailResolver } from '../routing/mail-resolver.js';
import { type Attempt, findRoute, type Route, type RoutingOptions } from '../routing/routing.js';
import {
  createDestination,
  type Destination,
  type HostAddresses,
  type SessionSettings,
  type TlsPlan,
} from '../sessions/destination.js';
import { settledOrAborted } from '../signals/settled-or-aborted.js';
import { type Outcome, outcomeOfReply } from '../verdicts/recipient-verdict.js';

/** What to try: a destination, or why one is passed over. */
export type Step = Destination | Outcome;

export interface RecipientGroup {
  /** The places of the recipients in the envelope. */
  readonly recipients: readonly number[];
  /** One at least, best first. */
  readonly steps: readonly Step[];
  /** Of the steps: equal where the exchangers are equally good. */
  readonly preferences: readonly number[];
}

/** Where some of the recipients go. Who is in no grouping: the signal came first. */
export interface Grouping {
  readonly groups: readonly RecipientGroup[];
  /** By recipient, where routing has decided already. */
  readonly decided: ReadonlyMap<number, Outcome>;
  /** There are domains left that are being looked up; another grouping follows. */
  readonly more: boolean;
}

export interface GroupingOptions {
  readonly resolver: MailResolver;
  readonly routing: RoutingOptions;
  readonly tls: 'opportunistic' | 'none' | 'required';
  readonly verify: boolean;
  readonly sts: Pick<SharedStsOptions, 'fetches' | 'cache'> | undefined;
  readonly tlsa: TlsaResolver | undefined;
  readonly settings: SessionSettings;
}

/** Domains that are looked up at the same time, but for those that take longer than `GATHERING_TIME`. */
const DOMAINS_AT_ONCE = 16;

/**
 * Milliseconds for which groups wait for each other's look-ups: domains with a common exchanger are to share a mail
 * transaction, and DNS answers faster than this unless something is wrong.
 */
const GATHERING_TIME = 1_000;

/**
 * Looks up where the recipients go. What is found within `GATHERING_TIME` comes together, and so on until nothing is
 * left; for the most part there is one grouping.
 *
 * @param requireTls the message must go over TLS that is verified (RFC 8689)
 */
export async function* groupRecipients(
  recipients: readonly ClientRecipient[],
  requireTls: boolean,
  options: GroupingOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Grouping, void, undefined> {
  let decided = new Map<number, Outcome>();
  let groups = new Map<string, Omit<RecipientGroup, 'recipients'> & { readonly recipients: number[] }>();
  const { clock } = options.settings.options;
  const lookUps = forEachDomain(byDomain(recipients), clock, async (domain, places) => {
    const found = await findSteps(domain, requireTls, options, signal);
    if (found === undefined) return;
    if (found.kind === 'decided') {
      for (const place of places) decided.set(place, found.outcome);
      return;
    }
    const group = groups.get(found.key);
    if (group === undefined) {
      const { steps, preferences } = found;
      groups.set(found.key, { recipients: [...places], steps, preferences });
    } else group.recipients.push(...places);
  });
  for (let more = true; more; ) {
    more = !(await settlesWithin(GATHERING_TIME, lookUps, clock));
    const found = { groups: [...groups.values()], decided, more };
    decided = new Map();
    groups = new Map();
    for (const { recipients: places } of found.groups) places.sort((a, b) => a - b);
    yield found;
  }
}

async function settlesWithin(milliseconds: number, work: Promise<void>, clock: Clock): Promise<boolean> {
  let cancelTimer: () => void = () => {};
  const timeUp = new Promise<false>((resolve) => {
    cancelTimer = clock.set(clock.now() + milliseconds, () => resolve(false));
  });
  try {
    return await Promise.race([work.then(() => true), timeUp]);
  } finally {
    cancelTimer();
  }
}

function byDomain(recipients: readonly ClientRecipient[]): Map<string, number[]> {
  const domains = new Map<string, number[]>();
  recipients.forEach(({ domain }, place) => {
    const name = domain.toLowerCase();
    const places = domains.get(name);
    if (places === undefined) domains.set(name, [place]);
    else places.push(place);
  });
  return domains;
}

/** `DOMAINS_AT_ONCE`; a slow one gives its place to the next, else as many silent ones would hold up all others. */
async function forEachDomain(
  domains: ReadonlyMap<string, number[]>,
  clock: Clock,
  lookUp: (domain: string, places: readonly number[]) => Promise<void>,
): Promise<void> {
  const left = [...domains].reverse();
  const slow: Promise<void>[] = [];
  const workOn = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const lookingUp = lookUp(...next);
      if (!(await settlesWithin(GATHERING_TIME, lookingUp, clock))) slow.push(lookingUp);
    }
  };
  await Promise.all(Array.from({ length: Math.min(DOMAINS_AT_ONCE, left.length) }, workOn));
  await Promise.all(slow);
}

type Found =
  | { readonly kind: 'decided'; readonly outcome: Outcome }
  | ({ readonly kind: 'steps'; readonly key: string } & Pick<RecipientGroup, 'steps' | 'preferences'>);

/** Undefined: the signal came first. */
async function findSteps(
  domain: string,
  requireTls: boolean,
  options: GroupingOptions,
  signal: AbortSignal | undefined,
): Promise<Found | undefined> {
  if (domain === '') return { kind: 'decided', outcome: NO_DOMAIN };
  try {
    const lookUps = findRoute(domain, options.resolver, { ...options.routing, ...(signal && { signal }) });
    const route = await settledOrAborted(lookUps, signal);
    if (route.kind !== 'attempts') {
      return { kind: 'decided', outcome: outcomeOfReply(route.kind, 'routing', route.reply) };
    }
    const requirements = await settledOrAborted(findRequirements(route, options, signal), signal);
    const hosts = addressesByHost(route.attempts);
    const steps = requirements.map(({ attempt, requirement }) =>
      stepOf(attempt, requirement, route.domain, requireTls, options, hosts.get(attempt.host)),
    );
    const preferences = route.attempts.map(({ preference }) => preference);
    return { kind: 'steps', steps, preferences, key: groupKey(route.attempts, steps) };
  } catch (thrown) {
    if (signal?.aborted) return undefined;
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const reason = `Where the mail for ${domain} goes could not be found out: ${error.message}`;
    const outcome = { verdict: 'deferred', phase: 'routing', enhancedCode: '4.4.3', reason, error } as const;
    return { kind: 'decided', outcome };
  }
}

function addressesByHost(attempts: readonly Attempt[]): Map<string, HostAddresses> {
  const hosts = new Map<string, HostAddresses>();
  for (const { host } of attempts) {
    if (hosts.has(host)) continue;
    hosts.set(host, { endpoints: attempts.filter((other) => other.host === host), tried: new Map() });
  }
  return hosts;
}

/** RFC 5321 §4.1.1.3: the only recipient without a domain is the postmaster of the server that is spoken to. */
const NO_DOMAIN: Outcome = outcomeOfReply('rejected', 'routing', {
  code: 550,
  enhancedCode: '5.1.3',
  lines: ['The address has no domain, so nobody can tell which server is meant; add one, or use a relay'],
});

async function findRequirements(
  route: Extract<Route, { kind: 'attempts' }>,
  { sts, tlsa, resolver, settings }: GroupingOptions,
  signal: AbortSignal | undefined,
): Promise<{ readonly attempt: Attempt; readonly requirement: TlsRequirement }[]> {
  const policy: StsOutcome =
    sts === undefined || route.domain.startsWith('[')
      ? { kind: 'none' }
      : await findSharedStsPolicy(route.domain, {
          ...sts,
          resolver,
          now: settings.now(),
          ...(signal && { signal }),
        });
  const hosts = new Map<string, Promise<DaneOutcome>>();
  const daneOf = (attempt: Attempt): Promise<DaneOutcome> | DaneOutcome => {
    if (tlsa === undefined) return { kind: 'opportunistic' };
    let outcome = hosts.get(attempt.host);
    if (outcome === undefined) {
      outcome = findDane(attempt, tlsa, signal);
      hosts.set(attempt.host, outcome);
    }
    return outcome;
  };
  return Promise.all(
    route.attempts.map(async (attempt) => {
      const requirement = tlsRequirement(attempt.host, await daneOf(attempt), policy);
      return { attempt, requirement };
    }),
  );
}

function stepOf(
  attempt: Attempt,
  requirement: TlsRequirement,
  domain: string,
  requireTls: boolean,
  options: GroupingOptions,
  addresses: HostAddresses | undefined,
): Step {
  const plan = planOf(requirement, domain, requireTls && attempt.secure, options);
  if (requireTls && !(plan.kind === 'plan' && (plan.plan.verify || plan.plan.dane !== undefined))) {
    // RFC 8689 §4.2.1
    return refusal(
      attempt.host,
      `That ${attempt.host} is the mail exchanger is proven neither by DNSSEC nor by MTA-STS, as REQUIRETLS demands`,
    );
  }
  if (plan.kind === 'refused') return refusal(attempt.host, plan.problem);
  return createDestination(attempt, plan.plan, options.settings, addresses);
}

function refusal(host: string, reason: string): Outcome {
  return { verdict: 'deferred', phase: 'policy', host, enhancedCode: '4.7.0', reason };
}

/** @param verified nothing but a verified certificate will do */
function planOf(
  requirement: TlsRequirement,
  domain: string,
  verified: boolean,
  { tls, verify }: GroupingOptions,
):
  | { readonly kind: 'plan'; readonly plan: TlsPlan }
  | { readonly kind: 'refused'; readonly problem: string } {
  switch (requirement.kind) {
    case 'refused':
      return requirement;
    case 'dane': {
      const dane = { records: requirement.records, domain };
      return { kind: 'plan', plan: { mode: 'required', verify: false, dane, demandedBy: 'DANE' } };
    }
    case 'verified':
      return { kind: 'plan', plan: { mode: 'required', verify: true, demandedBy: 'MTA-STS' } };
    case 'encrypted': {
      const demandedBy = verified ? 'REQUIRETLS' : 'DANE';
      return { kind: 'plan', plan: { mode: 'required', verify: verify || verified, demandedBy } };
    }
    case 'opportunistic':
    case 'reported':
      return {
        kind: 'plan',
        plan: verified ? { mode: 'required', verify: true, demandedBy: 'REQUIRETLS' } : { mode: tls, verify },
      };
  }
}

/** Equal for equal steps, but for the order of those with equal preference: that is left to chance anyway. */
function groupKey(attempts: readonly Attempt[], steps: readonly Step[]): string {
  const preferences = [...new Set(attempts.map(({ preference }) => preference))];
  return steps
    .map((step, index) => {
      const rank = preferences.indexOf(attempts[index]?.preference ?? 0);
      return `${rank} ${'key' in step ? `${step.key} ${step.demandedBy}` : step.reason}`;
    })
    .sort()
    .join('\n');
}
