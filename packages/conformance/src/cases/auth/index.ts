/** Logging in: AUTH (RFC 4954). Whoever logs in wrongly waits for their turn. */
import type { CaseGroup } from '../../contract/case.js';
import { exchange } from './exchange.js';
import { passwords } from './passwords.js';
import { proofs } from './proofs.js';

export const auth: CaseGroup = {
  name: 'auth',
  title: 'AUTH',
  introduction:
    'Logging in by PLAIN, LOGIN, CRAM-MD5, SCRAM-SHA-256 and EXTERNAL: rightly, wrongly, twice, and amid a mail transaction (RFC 4954).',
  remedy:
    'Keep AUTH to a session without a login and without a mail transaction, read every response as base64, and compare passwords whole.',
  cases: [...passwords, ...exchange, ...proofs],
};
