/**
 * REQUIRETLS (RFC 8689): the message goes on over verified TLS only, or not at all. It can be asked for only on a
 * connection that is protected itself (RFC 8689 §2), and is never dropped on the way (RFC 8689 §4.2.1).
 */
import type { ServiceExtension } from '../contract/extension.js';
import { malformedParameter } from '../values/malformed-parameter.js';

/**
 * REQUIRETLS (RFC 8689), offered under TLS. Who lists it promises that a message with `requireTls` is passed on over
 * TLS with a verified certificate to servers that offer REQUIRETLS, or is returned (RFC 8689 §4.2.1, §5).
 */
export const requireTls: ServiceExtension = {
  keyword: 'REQUIRETLS',
  offer: ({ secured }) => (secured ? '' : undefined),
  additionalMailOctets: 11, // RFC 8689 §2
  mailParameters: [
    {
      keyword: 'REQUIRETLS',
      parse: (value) =>
        value === undefined ? { requireTls: true } : malformedParameter('REQUIRETLS takes no value'),
      format: (parameters) => parameters.requireTls,
      isEssential: (parameters) => parameters.requireTls === true,
    },
  ],
};
