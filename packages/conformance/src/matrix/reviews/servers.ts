/** What a look at each finding about a server has shown. */
import type { Review } from './review.js';

const LF_COMMANDS = 'smuggling/command-*,smuggling/recipient-after-lf-in-mail';
const LF_ENDS_COMMANDS = {
  ids: LF_COMMANDS,
  judgement: 'true',
  cause: 'A bare LF ends a command line.',
  note: 'No other character or sequence than CRLF may be recognized as the end of a line.',
} as const;

const CONTROL_CHARACTERS = {
  ids: 'syntax/rcpt-with-*',
  judgement: 'doubtful',
  cause: 'A forward-path may hold control characters.',
  note: 'The grammar lacks them, and the clause forbids to send them; it does not say that who gets them has to refuse.',
} as const;

const PARAMETERS = {
  ids: 'syntax/mail-parameter-*,syntax/rcpt-parameter-*',
  judgement: 'true',
  cause: 'Parameters that are not known are passed over, instead of a refusal by 555.',
} as const;

const LONG_REPLIES = {
  ids: 'replies/long-*',
  judgement: 'true',
  cause: 'A reply repeats what the client sent, and its line grows beyond 512 octets.',
  section: 'RFC 5321 §4.5.3.1.5',
} as const;

const TLS_TWICE = {
  ids: 'starttls/refused-under-tls',
  judgement: 'doubtful',
  cause: 'STARTTLS is taken under TLS.',
  note: 'The clause forbids it to the client; that the server has to refuse is our conclusion.',
} as const;

const NUL_ENDS_TEXT = {
  ids: 'refusals/nul-makes-no-command-of-what-precedes-it',
  judgement: 'doubtful',
  cause: 'A command is taken up to a NUL; what follows it is lost.',
  note: 'No command has a NUL in it; the clause speaks of mailboxes only.',
} as const;

const ENDS_AFTER_ERRORS = {
  ids: 'refusals/too-many-errors-end-in-421,generated/model',
  judgement: 'true',
  cause: 'After a few commands that it does not understand, it ends the connection, and says no 421.',
  section: 'RFC 5321 §3.8',
} as const;

export const SERVER_REVIEWS: readonly Review[] = [
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
    ids: 'pipelining/input-survives-data-out-of-order',
    judgement: 'doubtful',
    cause: 'It ends the connection where commands follow a refused DATA in the same packet.',
    note: 'DATA has to be the last of its group (§3.1): the client errs first.',
  },
  {
    of: 'Exim',
    ids: 'pipelining/60-commands',
    judgement: 'doubtful',
    cause: 'After ten commands that bring no mail forward it says 554, and ends the connection.',
    note: 'It is a limit (smtp_accept_max_nonmail), and RFC 5321 §7.8 lets servers defend themselves.',
  },
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
    note: 'Where more comes in the same packet it may end the connection instead: which cases see this depends on the pace.',
  },
  { of: 'OpenSMTPD', ...LF_ENDS_COMMANDS },
  { of: 'OpenSMTPD', ...NUL_ENDS_TEXT },
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
  {
    of: 'Haraka',
    ids: 'transparency/end-and-next-command,pipelining/after-the-message,pipelining/quit-after-the-message,generated/model',
    judgement: 'true',
    cause: 'A command in the same packet as the end of a message is refused: 503.',
    note: 'PIPELINING is offered, and the message may stand first in a group of commands.',
    section: 'RFC 2920 §3.1',
  },
  {
    of: 'Haraka',
    ids: 'syntax/rcpt-postmaster*',
    judgement: 'true',
    cause: 'RCPT TO:<Postmaster>, without a domain, is refused.',
  },
  { of: 'Haraka', ...PARAMETERS },
  { of: 'Haraka', ...LF_ENDS_COMMANDS },
  { of: 'Haraka', ...LONG_REPLIES },
  {
    of: 'Haraka',
    ids: 'limits/command-line-*,limits/command-after-a-long-line,pipelining/input-survives-a-long-line',
    judgement: 'true',
    cause:
      'A line of one octet too many gets 521, and the connection is ended with all that was sent after it.',
    section: 'RFC 5321 §3.8',
  },
  {
    of: 'Haraka',
    ids: 'size/20-digits',
    judgement: 'doubtful',
    cause: 'A size beyond the limit gets 550, not 552.',
    note: 'Either code says that it is refused for good.',
  },
  {
    of: 'Haraka',
    ids: 'starttls/argument-refused',
    judgement: 'doubtful',
    cause: 'STARTTLS is taken with an argument.',
    note: 'It has none, and 501 is there for it; no MUST says that it has to be refused.',
  },
  { of: 'Haraka', ...TLS_TWICE },
  { of: 'Haraka', ...CONTROL_CHARACTERS },
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
    ids: 'generated/model',
    judgement: 'true',
    cause: 'AUTH is taken with any mechanism.',
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
