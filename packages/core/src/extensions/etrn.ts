/**
 * ETRN (RFC 1985): a client may ask for the mail that waits for it to be sent. The session speaks the command, the
 * application answers it.
 */
import type { ServiceExtension } from './extension.js';

export const etrn: ServiceExtension = { keyword: 'ETRN' };
