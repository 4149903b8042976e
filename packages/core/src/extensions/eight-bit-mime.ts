/**
 * 8BITMIME (RFC 6152): mail data may hold octets above 127. Our end always takes them, so `BODY` is information.
 */
import type { ServiceExtension } from './extension.js';

export const eightBitMime: ServiceExtension = {
  keyword: '8BITMIME',
  additionalMailOctets: 17, // RFC 6152 §2
  mailParameter: {
    keyword: 'BODY',
    parse(value) {
      const body = value?.toUpperCase();
      if (body === '7BIT' || body === '8BITMIME') return { body };
      const code = value === undefined ? 501 : 504; // RFC 5321 §4.2.2
      return { code, enhancedCode: '5.5.4', lines: ['BODY takes 7BIT or 8BITMIME'] };
    },
    format: (parameters) => parameters.body,
  },
};
