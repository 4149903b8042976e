/**
 * STARTTLS (RFC 3207): offered while the connection can still be upgraded, and never on one that is protected
 * already (RFC 3207 §4.2).
 */
import type { ServiceExtension } from '../contract/extension.js';

export const startTls: ServiceExtension = {
  keyword: 'STARTTLS',
  offer: (session) => (session.startTls ? '' : undefined),
};
