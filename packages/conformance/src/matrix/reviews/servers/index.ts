/** What a look at each finding about a server has shown, a file a server. */
import type { Review } from '../review.js';
import { AIOSMTPD } from './aiosmtpd.js';
import { EXIM } from './exim.js';
import { HARAKA } from './haraka.js';
import { OPENSMTPD } from './opensmtpd.js';
import { POSTFIX } from './postfix.js';
import { SMTP_SERVER } from './smtp-server.js';
import { SMTP_SINK } from './smtp-sink.js';

export const SERVER_REVIEWS: readonly Review[] = [
  ...POSTFIX,
  ...EXIM,
  ...OPENSMTPD,
  ...HARAKA,
  ...SMTP_SERVER,
  ...AIOSMTPD,
  ...SMTP_SINK,
];
