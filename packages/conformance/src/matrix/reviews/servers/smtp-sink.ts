/** What a look at each finding about Postfix smtp-sink has shown. */
import type { Review } from '../review.js';
import { CONTROL_CHARACTERS, NUL_ENDS_TEXT, PARAMETERS } from './common-causes.js';

export const SMTP_SINK: readonly Review[] = [
  {
    of: 'Postfix smtp-sink',
    ids: 'syntax/rcpt-null',
    judgement: 'true',
    cause: 'RCPT TO:<> is taken: a forward-path is never null.',
  },
  { of: 'Postfix smtp-sink', ...PARAMETERS },
  { of: 'Postfix smtp-sink', ...NUL_ENDS_TEXT },
  {
    of: 'Postfix smtp-sink',
    ids: 'replies/ehlo-lines',
    judgement: 'true',
    cause: 'The last line of the reply to EHLO has no keyword.',
  },
  {
    of: 'Postfix smtp-sink',
    ids: 'replies/quit-enhanced-code',
    judgement: 'true',
    cause: 'ENHANCEDSTATUSCODES is offered, and the reply to QUIT has none.',
  },
  {
    of: 'Postfix smtp-sink',
    ids: 'limits/*',
    judgement: 'true',
    cause: 'A long command line ends the connection without a reply.',
    section: 'RFC 5321 §3.8',
  },
  {
    of: 'Postfix smtp-sink',
    ids: 'auth/*,generated/model',
    judgement: 'true',
    cause: 'AUTH is taken at any time with any mechanism and any password, by 250.',
    section: 'RFC 4954 §4',
    note: 'It is a sink for tests, and lets everybody in.',
  },
  { of: 'Postfix smtp-sink', ...CONTROL_CHARACTERS },
  {
    of: 'Postfix smtp-sink',
    ids: 'pipelining/*',
    judgement: 'doubtful',
    cause: 'What is malformed is taken, so that nothing is refused among the commands of a group.',
    note: 'To take more than the grammar breaks no rule of pipelining.',
  },
];
