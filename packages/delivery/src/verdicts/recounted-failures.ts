/**
 * Where several hosts have failed: which of the failures decides, and how its reason tells of the others.
 */
import type { Outcome } from './recipient-verdict.js';

/** Failures beside the one that decides, of which a reason tells; a domain may have very many hosts. */
const RECOUNTED_FAILURES = 3;

/** What is told of each of them; a reply may have very many lines. */
const BEGINNING = /^.{0,300}/su;

/** What came of other hosts, in brief: one part of a reason, none where there was no other. */
export function recounted(failures: readonly Outcome[], when = 'before'): string[] {
  const reasons = [...new Set(failures.map(({ reason }) => reason))];
  if (reasons.length === 0) return [];
  const told = reasons.slice(0, RECOUNTED_FAILURES).map((reason) => {
    const [beginning = ''] = BEGINNING.exec(reason) ?? [];
    return beginning.length < reason.length ? `${beginning}...` : reason;
  });
  const left = reasons.length - told.length;
  return [`${when}: ${told.join('; ')}${left > 0 ? `; and ${left} more` : ''}`];
}

/** Of all failures, the one that decides: a temporary one if there is any, and of several the last. */
function decisive(failures: readonly Outcome[]): Outcome {
  const failure = failures.findLast(({ verdict }) => verdict === 'deferred') ?? failures.at(-1);
  if (failure === undefined) throw new Error('A group of recipients has no destination');
  return failure;
}

/**
 * The failure that decides, which tells of the others: what is to be mended may be with any of the hosts.
 * @param given the one that decides, if that is known otherwise
 */
export function withOthers(failures: readonly Outcome[], given?: Outcome): Outcome {
  const decided = given ?? decisive(failures);
  const place = failures.indexOf(decided);
  // Several addresses of a host may have failed alike.
  const others = (some: readonly Outcome[]) => some.filter(({ reason }) => reason !== decided.reason);
  const reasons = [
    decided.reason,
    ...recounted(others(failures.slice(0, place))),
    ...recounted(others(failures.slice(place + 1)), 'then'),
  ];
  return { ...decided, reason: reasons.join('; ') };
}
