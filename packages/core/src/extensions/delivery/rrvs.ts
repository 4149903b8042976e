/**
 * RRVS (RFC 7293): deliver only if the recipient's mailbox has had the same owner since then. A relay must reject
 * where the next server does not know it, unless the sender said to go on (RFC 7293 §5.1.1; §3.1 makes rejecting
 * the default).
 */

import type { ServiceExtension } from '../contract/extension.js';
import type { RcptParameters } from '../contract/parameters.js';
import { instantOf } from '../values/date-time.js';
import { malformedParameter } from '../values/malformed-parameter.js';

/** RFC 7293 §3.1: a date-time without fractions of a second. */
function isTimestamp(text: string): boolean {
  return !text.includes('.') && instantOf(text) !== undefined;
}

function actionLetter(otherwise: NonNullable<RcptParameters['rrvs']>['otherwise']): string {
  if (otherwise === undefined) return '';
  return otherwise === 'continue' ? ';C' : ';R';
}

/**
 * RRVS (RFC 7293): RCPT may say since when the mailbox must have had its owner. Who lists it promises to refuse a
 * recipient whose owner is a later one, by 550 5.7.17 (RFC 7293 §5.1).
 */
export const rrvs: ServiceExtension = {
  keyword: 'RRVS',
  additionalRcptOctets: 33, // RFC 7293 §3.1
  rcptParameters: [
    {
      keyword: 'RRVS',
      parse(value = '') {
        const [, since = '', action] = /^([^;]*)(?:;([CR]))?$/i.exec(value) ?? [];
        if (!isTimestamp(since)) {
          return malformedParameter(
            'RRVS takes a date-time of RFC 3339 without fractions of a second, and possibly ";C" or ";R"',
          );
        }
        if (action === undefined) return { rrvs: { since } };
        return { rrvs: { since, otherwise: action.toUpperCase() === 'C' ? 'continue' : 'reject' } };
      },
      format(parameters) {
        if (parameters.rrvs === undefined) return undefined;
        const { since, otherwise } = parameters.rrvs;
        if (isTimestamp(since)) return since + actionLetter(otherwise);
        throw new RangeError(
          `${JSON.stringify(since)} is no date-time of RFC 3339 without fractions of a second, such as ` +
            '2024-02-29T12:00:00Z (RFC 7293 §3.1)',
        );
      },
      isEssential: (parameters) => parameters.rrvs !== undefined && parameters.rrvs.otherwise !== 'continue',
    },
  ],
};
