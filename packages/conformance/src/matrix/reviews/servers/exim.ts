/** What a look at each finding about Exim has shown. */
import type { Review } from '../review.js';
import {
  CONTROL_CHARACTERS,
  ENDS_AFTER_ERRORS,
  LF_ENDS_COMMANDS,
  LONG_REPLIES,
  MORE_AFTER_THE_PASSWORD,
  SERVER_BEGINS,
} from './common-causes.js';

export const EXIM: readonly Review[] = [
  { of: 'Exim', ...MORE_AFTER_THE_PASSWORD },
  { of: 'Exim', ...SERVER_BEGINS },
  {
    of: 'Exim',
    ids: 'smuggling/first-dot-*',
    judgement: 'true',
    cause: 'A dot and a bare LF right after DATA end the message.',
  },
  { of: 'Exim', ...LF_ENDS_COMMANDS },
  { of: 'Exim', ...LONG_REPLIES },
  { of: 'Exim', ...ENDS_AFTER_ERRORS },
  { of: 'Exim', ...CONTROL_CHARACTERS },
  {
    of: 'Exim',
    ids: 'syntax/mail-domain-*',
    judgement: 'doubtful',
    cause: 'Address literals are refused by 501.',
    note: 'That is a setting (allow_domain_literals), and a policy is allowed; the code is that of bad syntax.',
  },
  {
    of: 'Exim',
    ids: 'pipelining/60-commands',
    judgement: 'doubtful',
    cause: 'After ten commands that bring no mail forward it says 554, and ends the connection.',
    note: 'It is a limit (smtp_accept_max_nonmail), and RFC 5321 §7.8 lets servers defend themselves.',
  },
];
