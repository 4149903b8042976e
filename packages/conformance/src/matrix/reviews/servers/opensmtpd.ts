/** What a look at each finding about OpenSMTPD has shown. */
import type { Review } from '../review.js';
import { LF_ENDS_COMMANDS } from './common-causes.js';

export const OPENSMTPD: readonly Review[] = [
  {
    of: 'OpenSMTPD',
    ids: 'smuggling/*-dot-nul,smuggling/*-dot-nul-*',
    judgement: 'true',
    cause: 'A dot and a NUL on a line end the message: the line is taken up to the NUL.',
  },
  {
    of: 'OpenSMTPD',
    ids: 'smuggling/lf-*,smuggling/crlf-*,smuggling/first-*,smuggling/second-message-*,disconnects/message-cut-after-dot-lf',
    judgement: 'true',
    cause: 'A dot on a line between bare LFs ends a message: mail can be smuggled.',
    note: 'A command in the same packet is refused, as there is no PIPELINING; one that comes later is carried out.',
  },
  { of: 'OpenSMTPD', ...LF_ENDS_COMMANDS },
  {
    of: 'OpenSMTPD',
    ids: 'sequence/ehlo-again-*,syntax/lower-case-ehlo',
    judgement: 'true',
    cause: 'A second EHLO is refused; it has to be taken, and to reset the session.',
    section: 'RFC 5321 §4.1.4',
  },
  {
    of: 'OpenSMTPD',
    ids: 'sequence/rset-before-ehlo',
    judgement: 'true',
    cause: 'RSET is refused before EHLO.',
    note: '“The receiver MUST send a "250 OK" reply to a RSET command with no arguments.”',
  },
  {
    of: 'OpenSMTPD',
    ids: 'syntax/lower-case-vrfy',
    judgement: 'true',
    cause: 'VRFY is an unknown command, in upper case as well.',
    section: 'RFC 5321 §4.5.1',
    note: 'It belongs to the commands that every server has; one that tells nobody says 252.',
  },
  {
    of: 'OpenSMTPD',
    ids: 'limits/command-line-of-511-octets,limits/command-line-of-512-octets,generated/model',
    judgement: 'doubtful',
    cause: 'NOOP with an argument is refused.',
    section: 'RFC 5321 §4.1.1.9',
    note: 'That it be ignored is a SHOULD; the length of the line is not the reason.',
  },
  {
    of: 'OpenSMTPD',
    ids: 'limits/command-line-*',
    judgement: 'doubtful',
    cause: 'It ends the connection after the 500 to a line of some thousand octets.',
    section: 'RFC 5321 §3.8',
    note: 'Without 421 it may so only in self-defence (§7.8), and such a line may be taken for an attack.',
  },
];
