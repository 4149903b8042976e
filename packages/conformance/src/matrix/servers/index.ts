/** The servers of the matrix, in the order of its columns. */
import { aiosmtpd } from './aiosmtpd.js';
import { exim } from './exim.js';
import { haraka, smtpServer } from './node-servers.js';
import { opensmtpd } from './opensmtpd.js';
import { own } from './own.js';
import { postfix, smtpSink } from './postfix.js';
import type { MatrixServer } from './server.js';

export const MATRIX_SERVERS: readonly MatrixServer[] = [
  own,
  postfix,
  exim,
  opensmtpd,
  haraka,
  smtpServer,
  aiosmtpd,
  smtpSink,
];
