/**
 * 8BITMIME (RFC 6152): mail data may hold octets above 127. Our end always takes them, so `BODY` is information.
 */

import type { ServiceExtension } from '../contract/extension.js';
import { bodyRule } from './body.js';

export const eightBitMime: ServiceExtension = {
  keyword: '8BITMIME',
  additionalMailOctets: 17, // RFC 6152 §2
  mailParameters: [bodyRule(['7BIT', '8BITMIME'], ['7BIT', '8BITMIME'])],
};
