/**
 * PIPELINING (RFC 2920): commands sent without waiting for their replies. The server session always copes with
 * them, and its replies to a batch leave together; the client session sends MAIL, RCPT… and DATA in one write.
 */
import type { ServiceExtension } from '../contract/extension.js';

export const pipelining: ServiceExtension = { keyword: 'PIPELINING' };
