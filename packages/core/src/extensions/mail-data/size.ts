/**
 * SIZE (RFC 1870): the server says how large a message may be, the client how large its message is.
 */
import type { ServiceExtension } from '../contract/extension.js';
import { malformedParameter } from '../values/malformed-parameter.js';

export const size: ServiceExtension = {
  keyword: 'SIZE',
  additionalMailOctets: 26, // RFC 1870 §3
  // RFC 1870 §4: 0 means that no fixed maximum is in force.
  offer: ({ maximumMessageSize }) => (Number.isFinite(maximumMessageSize) ? String(maximumMessageSize) : '0'),
  mailParameters: [
    {
      keyword: 'SIZE',
      parse(value, { maximumMessageSize }) {
        if (value === undefined || !/^\d{1,20}$/.test(value)) {
          return malformedParameter('SIZE takes a number of 1 to 20 digits');
        }
        // RFC 1870 §6.1
        if (Number(value) > maximumMessageSize) {
          const text = `The message exceeds the size limit of ${maximumMessageSize} octets`;
          return { code: 552, enhancedCode: '5.3.4', lines: [text] };
        }
        return { size: Number(value) };
      },
      format({ size: octets }) {
        if (octets === undefined) return undefined;
        if (Number.isSafeInteger(octets) && octets >= 0) return String(octets);
        throw new RangeError(`The size ${octets} is no number of octets: an integer of 0 or more`);
      },
    },
  ],
};
