/**
 * The two texts of MTA-STS (RFC 8461): the TXT record that announces a policy, and the policy file.
 *
 * What is malformed is as if it were not there (RFC 8461 §3.1, §3.2); nothing is repaired.
 */
import { toAsciiDomain } from '../routing/internationalized-domain.js';

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

export const invalid = (problem: string): StsFailure => ({ kind: 'invalid', problem });

/** Without the blanks around it. Not by a regular expression: on many blanks that would take quadratic time. */
function withoutBlanks(text: string): string {
  const isBlank = (at: number): boolean => text[at] === ' ' || text[at] === '\t';
  let begin = 0;
  let end = text.length;
  while (begin < end && isBlank(begin)) begin += 1;
  while (end > begin && isBlank(end - 1)) end -= 1;
  return text.slice(begin, end);
}

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
  const fields = record.split(';').map(withoutBlanks).slice(1);
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
    const key = line.slice(0, Math.max(line.indexOf(':'), 0));
    if (!/^[\dA-Za-z][\w.-]{0,31}$/.test(key) || line.includes('\r')) {
      return invalid('The policy has a line that is not "key: value"');
    }
    const value = withoutBlanks(line.slice(key.length + 1));
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
