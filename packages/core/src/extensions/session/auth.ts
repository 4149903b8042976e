/**
 * AUTH (RFC 4954): offered with the mechanisms that may be used now. The exchange is the session's; the parameter
 * of MAIL says who submitted the message first. Whether to believe it is the application's to decide: from a client
 * that it does not trust, it counts as null (RFC 4954 §5).
 */
import { formatMailbox, parseMailbox } from '../../wire/commands/path.js';
import type { ServiceExtension } from '../contract/extension.js';
import { malformedParameter } from '../values/malformed-parameter.js';
import { decodeXtext, encodeXtext } from '../values/xtext.js';

/** An error in an address, as one in the reverse-path is: of who submitted the message. */
export const malformedSubmitter = malformedParameter('AUTH takes <> or a mailbox as xtext');

export const auth: ServiceExtension = {
  keyword: 'AUTH',
  offer: ({ mechanisms }) => (mechanisms.length === 0 ? undefined : mechanisms.join(' ')),
  additionalMailOctets: 500, // RFC 4954 §3
  mailParameters: [
    {
      keyword: 'AUTH',
      parse(value = '') {
        // In brackets it is no xtext mailbox, but curl writes `<ann@example.org>`: a claim, and nothing that was verified.
        if (/^<.*>$/.test(value)) return { auth: null };
        const text = value === '' ? undefined : decodeXtext(value);
        if (text === undefined) return malformedSubmitter;
        // Internationalized ones too: octets above 127 are ASCII in xtext, and need no SMTPUTF8.
        const mailbox = parseMailbox(text, true);
        return { auth: 'failure' in mailbox ? null : mailbox };
      },
      format(parameters) {
        if (parameters.auth === undefined) return undefined;
        return parameters.auth === null ? '<>' : encodeXtext(formatMailbox(parameters.auth));
      },
    },
  ],
};
