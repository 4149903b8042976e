/**
 * ENHANCEDSTATUSCODES (RFC 2034): the texts of replies begin with the codes of RFC 3463. They always do here,
 * but for a greeting and a reply to HELO or EHLO that accept, which may not (RFC 2034 §3), and for 354.
 */
import type { ServiceExtension } from '../contract/extension.js';

export const enhancedStatusCodes: ServiceExtension = { keyword: 'ENHANCEDSTATUSCODES' };
