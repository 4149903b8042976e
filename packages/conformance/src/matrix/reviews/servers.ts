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

const NO_BASE64_IS_501 = {
  ids: 'auth/no-base64,auth/padding-amid-base64,auth/base64-cut-short,auth/initial-response-without-base64',
  judgement: 'true',
  cause: 'A response that is no base64 gets another code than 501.',
  note: '“If the server cannot [BASE64] decode any client response, it MUST reject the AUTH command with a 501 reply.”',
} as const;

const WITHOUT_PADDING = {
  ids: 'auth/base64-cut-short',
  judgement: 'doubtful',
  cause: 'A response that lacks the padding of base64 is decoded.',
  note: 'Base64 has its padding (RFC 4648 §3.2), but the clause is about what cannot be decoded.',
} as const;

const SERVER_BEGINS = {
  ids: 'auth/cram-md5-server-begins',
  judgement: 'true',
  cause: 'An initial response to CRAM-MD5 does not get 501.',
  note: 'The server begins that mechanism; it MUST reject a response that comes before its challenge, by 501.',
} as const;

const MORE_AFTER_THE_PASSWORD = {
  ids: 'auth/plain-with-more',
  judgement: 'doubtful',
  cause: 'A response of PLAIN with a NUL and more after the right password is taken.',
  note: 'The grammar has no NUL in a password; no clause says what a server makes of it, and nobody gets in without the password.',
} as const;

const FOR_SOMEBODY_ELSE = {
  ids: 'auth/for-somebody-else',
  judgement: 'true',
  cause: 'PLAIN with the name of somebody else to act for is taken, and that name passed over.',
  note: 'A server that does not let the one act for the other has to fail the exchange.',
} as const;

const AUTH_IN_A_TRANSACTION = {
  ids: 'auth/in-a-transaction',
  judgement: 'true',
  cause: 'AUTH is taken in a mail transaction.',
  note: '“An AUTH command issued during a mail transaction MUST be rejected with a 503 reply.”',
} as const;

const ONE_REPLY_TO_SEVERAL = {
  ids: 'lmtp/reply-for-each-recipient*',
  judgement: 'true',
  note: '“Even if there were multiple successful RCPT commands giving the same forward-path, there must be one reply for each successful RCPT command.”',
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
  { of: 'Postfix smtpd', ...NO_BASE64_IS_501, cause: 'A response that is no base64 gets 535, not 501.' },
  { of: 'Postfix smtpd', ...SERVER_BEGINS },
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
  {
    of: 'Haraka',
    ids: 'transparency/end-and-next-command,pipelining/after-the-message,pipelining/quit-after-the-message,generated/model',
    judgement: 'true',
    cause: 'A command in the same packet as the end of a message is refused: 503.',
    note: 'PIPELINING is offered: “The actual transfer of message content is explicitly allowed to be the first "command" in a group.”',
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
  {
    of: 'Haraka',
    ids: 'auth/no-base64,auth/padding-amid-base64,auth/initial-response-without-base64',
    judgement: 'true',
    cause: 'A response that is no base64 gets 504, not 501.',
    note: NO_BASE64_IS_501.note,
  },
  { of: 'Haraka', ...WITHOUT_PADDING },
  {
    of: 'Haraka',
    ids: 'auth/cancelled,auth/login-cancelled',
    judgement: 'true',
    cause: 'A client that cancels by * gets 504, not 501.',
    note: '“If the server receives such a response, it MUST reject the AUTH command by sending a 501 reply.”',
  },
  {
    of: 'Haraka',
    ids: 'auth/challenge-without-data',
    judgement: 'true',
    cause: 'The empty challenge of PLAIN is 334 with two blanks: the second one is no base64.',
  },
  {
    of: 'Haraka',
    ids: 'auth/commands-are-responses',
    judgement: 'true',
    cause: 'A command within an exchange is carried out.',
    note: 'A line there is a response or *, and what is no base64 gets 501.',
  },
  {
    of: 'Haraka',
    ids: 'auth/long-response',
    judgement: 'true',
    cause: 'A response of 1024 octets is a line too long for it, and ends the connection.',
    section: 'RFC 4954 §4',
    note: 'Whatever a mechanism needs has to be read, independently of any limit for lines.',
  },
  {
    of: 'Haraka',
    ids: 'auth/twice',
    judgement: 'true',
    cause: 'AUTH after a login gets 521 and ends the connection; 503 is due.',
  },
  { of: 'Haraka', ...AUTH_IN_A_TRANSACTION },
  { of: 'Haraka', ...SERVER_BEGINS },
  { of: 'Haraka', ...MORE_AFTER_THE_PASSWORD },
  { of: 'Haraka', ...FOR_SOMEBODY_ELSE },
  {
    of: 'Haraka',
    ids: 'starttls/forgets-the-login',
    judgement: 'true',
    cause:
      'A login in the clear counts after STARTTLS: mail for other domains is taken then, and another AUTH gets 521.',
    note: 'All that was learnt in the clear has to be forgotten.',
  },
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
