/** What a look at each finding about aiosmtpd has shown. */
import type { Review } from '../review.js';
import {
  AUTH_IN_A_TRANSACTION,
  CONTROL_CHARACTERS,
  ENDS_AFTER_ERRORS,
  FOR_SOMEBODY_ELSE,
  LF_ENDS_COMMANDS,
  LONG_REPLIES,
  ONE_REPLY_TO_SEVERAL,
  TLS_TWICE,
} from './common-causes.js';

export const AIOSMTPD: readonly Review[] = [
  { of: 'aiosmtpd', ...FOR_SOMEBODY_ELSE },
  { of: 'aiosmtpd', ...AUTH_IN_A_TRANSACTION },
  {
    of: 'aiosmtpd',
    ids: 'auth/long-response',
    judgement: 'true',
    cause: 'A response of 1024 octets is a line too long for it: 500.',
    section: 'RFC 4954 §4',
    note: 'Whatever a mechanism needs has to be read, independently of any limit for lines.',
  },
  {
    of: 'aiosmtpd',
    ids: 'auth/parameter-*',
    judgement: 'true',
    cause: 'AUTH is offered, and its parameter of MAIL refused by 555.',
  },
  {
    of: 'aiosmtpd',
    ...ONE_REPLY_TO_SEVERAL,
    cause: 'LMTP: a message to several recipients gets one reply.',
  },
  {
    of: 'aiosmtpd',
    ids: 'syntax/rcpt-null',
    judgement: 'true',
    cause: 'RCPT TO:<> is taken: a forward-path is never null.',
  },
  { of: 'aiosmtpd', ...ENDS_AFTER_ERRORS },
  { of: 'aiosmtpd', ...LF_ENDS_COMMANDS },
  { of: 'aiosmtpd', ...LONG_REPLIES },
  {
    of: 'aiosmtpd',
    ids: 'replies/control-characters-form',
    judgement: 'true',
    cause: 'A reply repeats control characters that the client sent.',
  },
  { of: 'aiosmtpd', ...CONTROL_CHARACTERS },
  { of: 'aiosmtpd', ...TLS_TWICE },
];
