/** What a look at each finding about Postfix smtpd has shown. */
import type { Review } from '../review.js';
import {
  CONTROL_CHARACTERS,
  LF_COMMANDS,
  LF_ENDS_COMMANDS,
  NO_BASE64_IS_501,
  NUL_ENDS_TEXT,
  SERVER_BEGINS,
} from './common-causes.js';

export const POSTFIX: readonly Review[] = [
  {
    of: 'Postfix smtpd',
    ids: 'smuggling/lf-*,smuggling/crlf-*,smuggling/first-*,smuggling/second-message-*,disconnects/message-cut-after-dot-lf',
    judgement: 'true',
    cause: 'A dot between bare LFs, or with superfluous CRs, ends a message: mail can be smuggled.',
    note: 'Known since 2023; smtpd_forbid_bare_newline = normalize mends it, the default from Postfix 3.9 on.',
  },
  { of: 'Postfix smtpd', ...LF_ENDS_COMMANDS, ids: `${LF_COMMANDS},generated/model` },
  { of: 'Postfix smtpd', ...NUL_ENDS_TEXT },
  {
    of: 'Postfix smtpd',
    ids: 'syntax/mail-local-part-*',
    judgement: 'true',
    cause: 'Some local-parts are refused as bad syntax that the grammar of an atom allows.',
    note: 'A hyphen at the beginning is refused on purpose (allow_min_user = no), as programs may take it for an option.',
  },
  { of: 'Postfix smtpd', ...CONTROL_CHARACTERS },
  {
    of: 'Postfix smtpd',
    ids: 'starttls/forgets-ehlo',
    judgement: 'doubtful',
    cause: 'After STARTTLS, MAIL is taken without a new EHLO.',
    note: 'It takes MAIL without any EHLO (smtpd_helo_required = no), so that this does not show that it remembers the first.',
  },
  {
    of: 'Postfix smtpd',
    ids: 'floods/endless-*',
    judgement: 'doubtful',
    cause: 'A command line of a mebioctet is cut at line_length_limit, and carried out.',
    note: 'Nothing is stored of it, which is what the clause is about; RFC 5321 §4.5.3.1.9 has 500 for it.',
  },
  { of: 'Postfix smtpd', ...NO_BASE64_IS_501, cause: 'A response that is no base64 gets 535, not 501.' },
  { of: 'Postfix smtpd', ...SERVER_BEGINS },
];
