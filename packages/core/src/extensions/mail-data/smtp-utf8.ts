/**
 * SMTPUTF8 (RFC 6531): addresses and headers may hold UTF-8. The parameter has no value, with MAIL as with VRFY and
 * EXPN; there the session reads it, and it lengthens no limit (RFC 6531 §3.1).
 *
 * A message that needs it must not go to a server without it (RFC 6531 §3.2): nobody but its author can rewrite it.
 */
import type { ServiceExtension } from '../contract/extension.js';
import { malformedParameter } from '../values/malformed-parameter.js';

export const smtpUtf8: ServiceExtension = {
  keyword: 'SMTPUTF8',
  requires: '8BITMIME', // RFC 6531 §3.1
  additionalMailOctets: 10, // RFC 6531 §3.1
  mailParameters: [
    {
      keyword: 'SMTPUTF8',
      parse: (value) =>
        value === undefined ? { smtpUtf8: true } : malformedParameter('SMTPUTF8 takes no value'),
      format: (parameters) => parameters.smtpUtf8,
      isEssential: (parameters) => parameters.smtpUtf8 === true,
    },
  ],
};
