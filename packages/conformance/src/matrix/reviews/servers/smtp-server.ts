/** What a look at each finding about smtp-server has shown. */
import type { Review } from '../review.js';
import {
  AUTH_IN_A_TRANSACTION,
  FOR_SOMEBODY_ELSE,
  LF_ENDS_COMMANDS,
  ONE_REPLY_TO_SEVERAL,
  PARAMETERS,
  WITHOUT_PADDING,
} from './common-causes.js';

export const SMTP_SERVER: readonly Review[] = [
  {
    of: 'smtp-server',
    ids: 'stored/dot-that-nobody-doubled',
    judgement: 'true',
    cause: 'A dot before a line that nobody had doubled stays.',
    note: '“If the first character is a period and there are other characters on the line, the first character is deleted.”',
  },
  {
    of: 'smtp-server',
    ...ONE_REPLY_TO_SEVERAL,
    cause: 'LMTP: a recipient who is named twice gets one reply.',
  },
  { of: 'smtp-server', ...FOR_SOMEBODY_ELSE },
  { of: 'smtp-server', ...AUTH_IN_A_TRANSACTION },
  { of: 'smtp-server', ...WITHOUT_PADDING },
  {
    of: 'smtp-server',
    ids: 'syntax/mail-local-part-quoted-*',
    judgement: 'true',
    cause:
      'Quoted local-parts are refused as bad syntax where they hold a blank, @, angle brackets, dots in a row or a comma.',
  },
  { of: 'smtp-server', ...PARAMETERS },
  {
    of: 'smtp-server',
    ids: 'limits/path-of-256-octets,limits/domain-of-250-octets',
    judgement: 'true',
    cause: 'Long paths are refused as bad syntax that are within the limits which every server has to take.',
  },
  { of: 'smtp-server', ...LF_ENDS_COMMANDS },
  {
    of: 'smtp-server',
    ids: 'generated/model',
    judgement: 'doubtful',
    cause: 'It offers AUTH in the clear, and refuses it by 538.',
    note: 'RFC 4954 §6 has 538 for what was done formerly; a server SHOULD NOT offer what it refuses.',
  },
];
