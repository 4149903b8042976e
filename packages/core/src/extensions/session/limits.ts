/**
 * LIMITS (RFC 9422): the server tells the client its limits beforehand. It adds no command and no parameter.
 */
import { checkLimit } from '../../option-checks.js';
import { checkNames } from '../../option-names.js';
import type { ServiceExtension } from '../contract/extension.js';

/** Limits of a server. */
export interface Limits {
  /** How many mail transactions a session may have, failed ones included: MAILMAX (RFC 9422 §4.1). */
  readonly mailMaximum?: number;
  /** How many RCPT commands a mail transaction may have: RCPTMAX (RFC 9422 §4.2). */
  readonly recipientMaximum?: number;
  /** How many domains the recipients of a session may have: RCPTDOMAINMAX (RFC 9422 §4.3). */
  readonly recipientDomainMaximum?: number;
}

/** RFC 9422 §4: six digits. */
const MAXIMUM_LIMIT = 999_999;

/**
 * Says each limit that is given; the recipients' is the session's own where none is, or a larger one. Without any limit
 * the extension is not offered. They are announced only: the session refuses what is over its own
 * `maximumRecipients`, and what is over the others the application refuses, if it wants to.
 *
 * @throws {RangeError} a limit is no integer of 1 to 999999
 */
export function limits(options: Limits = {}): ServiceExtension {
  checkNames('The option', options, ['mailMaximum', 'recipientMaximum', 'recipientDomainMaximum']);
  for (const [option, value] of Object.entries(options)) {
    if (value !== undefined) checkLimit(option, value, { most: MAXIMUM_LIMIT });
  }
  const { mailMaximum, recipientMaximum, recipientDomainMaximum } = options;
  return {
    keyword: 'LIMITS',
    offer({ maximumRecipients }) {
      const recipients = Math.min(recipientMaximum ?? maximumRecipients, maximumRecipients);
      const offered = [
        ...(mailMaximum === undefined ? [] : [`MAILMAX=${mailMaximum}`]),
        ...(recipients > MAXIMUM_LIMIT ? [] : [`RCPTMAX=${recipients}`]),
        ...(recipientDomainMaximum === undefined ? [] : [`RCPTDOMAINMAX=${recipientDomainMaximum}`]),
      ];
      return offered.length === 0 ? undefined : offered.join(' ');
    },
  };
}

/**
 * The limits that a server wrote behind LIMITS. A limit that is not known, or has no sensible value, counts as not
 * given; so do all of them where the text as a whole is malformed (RFC 9422 §3.7).
 */
export function parseLimits(value: string): Limits {
  if (!/^[\w-]+(?:=[!-:<-~]+)?(?: [\w-]+(?:=[!-:<-~]+)?)*$/.test(value)) return {};
  const given = new Map<string, number>();
  for (const limit of value.split(' ')) {
    const [, name = '', number] = /^([^=]+)=([1-9]\d{0,5})$/.exec(limit) ?? [];
    if (number !== undefined) given.set(name.toUpperCase(), Number(number));
  }
  const mailMaximum = given.get('MAILMAX');
  const recipientMaximum = given.get('RCPTMAX');
  const recipientDomainMaximum = given.get('RCPTDOMAINMAX');
  return {
    ...(mailMaximum === undefined ? {} : { mailMaximum }),
    ...(recipientMaximum === undefined ? {} : { recipientMaximum }),
    ...(recipientDomainMaximum === undefined ? {} : { recipientDomainMaximum }),
  };
}
