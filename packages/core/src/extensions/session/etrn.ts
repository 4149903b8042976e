/**
 * ETRN (RFC 1985): a client may ask for the mail that waits for it to be sent. The session speaks the command, the
 * application answers it.
 */
import type { ServiceExtension } from '../contract/extension.js';

/**
 * ETRN (RFC 1985 §5): a client may ask that the mail waiting for a host be sent. Who lists it promises to begin with
 * that when it accepts the question `etrn`, over connections of its own and never over the one that asks.
 */
export const etrn: ServiceExtension = { keyword: 'ETRN' };
