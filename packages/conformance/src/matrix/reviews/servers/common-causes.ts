/** What several servers have in common. */

export const LF_COMMANDS = 'smuggling/command-*,smuggling/recipient-after-lf-in-mail';
export const LF_ENDS_COMMANDS = {
  ids: LF_COMMANDS,
  judgement: 'true',
  cause: 'A bare LF ends a command line.',
  note: 'No other character or sequence than CRLF may be recognized as the end of a line.',
} as const;

export const CONTROL_CHARACTERS = {
  ids: 'syntax/rcpt-with-*',
  judgement: 'doubtful',
  cause: 'A forward-path may hold control characters.',
  note: 'The grammar lacks them, and the clause forbids to send them; it does not say that who gets them has to refuse.',
} as const;

export const PARAMETERS = {
  ids: 'syntax/mail-parameter-*,syntax/rcpt-parameter-*',
  judgement: 'true',
  cause: 'Parameters that are not known are passed over, instead of a refusal by 555.',
} as const;

export const LONG_REPLIES = {
  ids: 'replies/long-*',
  judgement: 'true',
  cause: 'A reply repeats what the client sent, and its line grows beyond 512 octets.',
  section: 'RFC 5321 §4.5.3.1.5',
} as const;

export const TLS_TWICE = {
  ids: 'starttls/refused-under-tls',
  judgement: 'doubtful',
  cause: 'STARTTLS is taken under TLS.',
  note: 'The clause forbids it to the client; that the server has to refuse is our conclusion.',
} as const;

export const NUL_ENDS_TEXT = {
  ids: 'refusals/nul-makes-no-command-of-what-precedes-it',
  judgement: 'doubtful',
  cause: 'A command is taken up to a NUL; what follows it is lost.',
  note: 'No command has a NUL in it; the clause speaks of mailboxes only.',
} as const;

export const ENDS_AFTER_ERRORS = {
  ids: 'refusals/too-many-errors-end-in-421,generated/model',
  judgement: 'true',
  cause: 'After a few commands that it does not understand, it ends the connection, and says no 421.',
  section: 'RFC 5321 §3.8',
} as const;

export const NO_BASE64_IS_501 = {
  ids: 'auth/no-base64,auth/padding-amid-base64,auth/base64-cut-short,auth/initial-response-without-base64',
  judgement: 'true',
  cause: 'A response that is no base64 gets another code than 501.',
  note: '“If the server cannot [BASE64] decode any client response, it MUST reject the AUTH command with a 501 reply.”',
} as const;

export const WITHOUT_PADDING = {
  ids: 'auth/base64-cut-short',
  judgement: 'doubtful',
  cause: 'A response that lacks the padding of base64 is decoded.',
  note: 'Base64 has its padding (RFC 4648 §3.2), but the clause is about what cannot be decoded.',
} as const;

export const SERVER_BEGINS = {
  ids: 'auth/cram-md5-server-begins',
  judgement: 'true',
  cause: 'An initial response to CRAM-MD5 does not get 501.',
  note: 'The server begins that mechanism; it MUST reject a response that comes before its challenge, by 501.',
} as const;

export const MORE_AFTER_THE_PASSWORD = {
  ids: 'auth/plain-with-more',
  judgement: 'doubtful',
  cause: 'A response of PLAIN with a NUL and more after the right password is taken.',
  note: 'The grammar has no NUL in a password; no clause says what a server makes of it, and nobody gets in without the password.',
} as const;

export const FOR_SOMEBODY_ELSE = {
  ids: 'auth/for-somebody-else',
  judgement: 'true',
  cause: 'PLAIN with the name of somebody else to act for is taken, and that name passed over.',
  note: 'A server that does not let the one act for the other has to fail the exchange.',
} as const;

export const AUTH_IN_A_TRANSACTION = {
  ids: 'auth/in-a-transaction',
  judgement: 'true',
  cause: 'AUTH is taken in a mail transaction.',
  note: '“An AUTH command issued during a mail transaction MUST be rejected with a 503 reply.”',
} as const;

export const ONE_REPLY_TO_SEVERAL = {
  ids: 'lmtp/reply-for-each-recipient*',
  judgement: 'true',
  note: '“Even if there were multiple successful RCPT commands giving the same forward-path, there must be one reply for each successful RCPT command.”',
} as const;
