/**
 * BINARYMIME (RFC 3030 §3): mail data may be any octets, without lines. They can only be sent by BDAT, so it goes
 * with CHUNKING. To a server without it binary data must not be sent "under any circumstances".
 */

import type { ServiceExtension } from '../contract/extension.js';
import { bodyRule } from './body.js';

export const binaryMime: ServiceExtension = {
  keyword: 'BINARYMIME',
  requires: 'CHUNKING',
  additionalMailOctets: 16, // RFC 3030 §3
  mailParameters: [bodyRule(['7BIT', '8BITMIME', 'BINARYMIME'], ['BINARYMIME'])],
};
