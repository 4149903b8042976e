/**
 * CHUNKING (RFC 3030 §2): mail data in chunks whose size is told before, by the command BDAT. The sessions speak it;
 * there is nothing in it but the keyword.
 */
import type { ServiceExtension } from '../contract/extension.js';

export const chunking: ServiceExtension = { keyword: 'CHUNKING' };
