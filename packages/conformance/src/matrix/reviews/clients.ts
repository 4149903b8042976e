/** What a look at each finding about a client has shown. */
import type { Review } from './review.js';

const NO_QUIT = {
  ids: 'client-closing/quit-after-*,client-auth/535-quit',
  judgement: 'true',
  cause: 'After a refusal it closes the connection without QUIT.',
  note: '“The sender MUST NOT intentionally close the transmission channel until it sends a QUIT command”, after an error, too.',
} as const;

const GOES_ON_AFTER_421 = {
  ids: 'client-hello/421-ends',
  judgement: 'true',
  cause: 'After 421 to EHLO it says HELO, as after any refusal.',
  note: '421 says that the server closes the connection, and that what is asked for may be had later.',
} as const;

const EIGHT_BIT = {
  ids: 'client-offers/8-bit-*',
  judgement: 'true',
  cause:
    'Octets beyond ASCII go out whatever the server offers, and without BODY=8BITMIME where it offers that.',
} as const;

const UTF8_ADDRESSES = {
  ids: 'client-offers/address-needs-smtputf8,client-offers/smtputf8-*',
  judgement: 'true',
  cause: 'An address beyond ASCII goes out without SMTPUTF8, offered or not.',
} as const;

const KNOWN_CODES_ONLY = {
  ids: 'client-data/message-299,client-envelope/mail-299,client-envelope/rcpt-252',
  judgement: 'true',
  cause: 'Only 250 and 251 are successes to it.',
  note: 'A client has to understand a code that it does not know by its first digit.',
} as const;

const BARE_LINE_ENDS = {
  judgement: 'true',
  note: 'Most servers take it for what it is. Those that take it for a line end can be made to read a second message: SMTP smuggling.',
} as const;

const EARLY_REPLY = {
  ids: 'client-data/reply-before-the-message',
  judgement: 'doubtful',
  cause: 'A reply that came together with 354, before the message, is taken for the reply to the message.',
  note: 'The server errs first, and no clause says how a client is to notice.',
} as const;

const MAIL_WITHOUT_LOGIN = {
  ids: 'client-auth/only-in-the-clear,client-auth/nothing-offered,client-auth/no-mechanism',
  judgement: 'doubtful',
  cause:
    'It was given a name and a password; where no mechanism is offered it sends the mail without a login.',
  note: 'Nothing is told to anybody by it. That whoever asks for a login does not want mail sent without one is our conclusion.',
} as const;

export const CLIENT_REVIEWS: readonly Review[] = [
  {
    of: 'curl',
    ids: 'client-content/*',
    cause: 'Bare CRs and LFs of a message go out as they are.',
    ...BARE_LINE_ENDS,
  },
  {
    of: 'curl',
    ids: 'client-tls/keywords-forgotten',
    judgement: 'true',
    cause: 'SIZE, offered in the clear, is used under TLS, where it is not offered.',
  },
  { of: 'curl', ...GOES_ON_AFTER_421 },
  { of: 'curl', ...NO_QUIT },
  {
    of: 'curl',
    ids: 'client-hello/first-line-is-no-keyword',
    judgement: 'true',
    cause: 'A keyword in the first line of the reply to EHLO, which names the server, counts as offered.',
  },
  { of: 'curl', ...EIGHT_BIT },
  { of: 'curl', ...UTF8_ADDRESSES },
  { of: 'curl', ...KNOWN_CODES_ONLY, cause: 'Of the codes after the final dot only 250 is a success to it.' },
  { of: 'curl', ...EARLY_REPLY },
  { of: 'curl', ...MAIL_WITHOUT_LOGIN },
  {
    of: 'msmtp',
    ids: 'client-content/*',
    cause: 'Bare CRs of a message go out as they are.',
    ...BARE_LINE_ENDS,
  },
  { of: 'msmtp', ...GOES_ON_AFTER_421 },
  { of: 'msmtp', ...NO_QUIT },
  { of: 'msmtp', ...EIGHT_BIT },
  { of: 'msmtp', ...UTF8_ADDRESSES },
  { of: 'msmtp', ...KNOWN_CODES_ONLY },
  {
    of: 'msmtp',
    ids: 'client-replies/bare-code',
    judgement: 'true',
    cause: 'A code without a blank and text after it is no reply to it.',
    note: 'A client has to be prepared for the blank to be omitted.',
  },
  {
    of: 'msmtp',
    ids: 'client-auth/mechanism-name-is-whole',
    judgement: 'true',
    cause: 'PLAIN counts as offered where the name of another mechanism has it in it.',
  },
  {
    of: 'msmtp',
    ids: 'client-envelope/quoted-local-part',
    judgement: 'doubtful',
    cause: 'The local part of a recipient with quotation marks is lost: RCPT TO:<@example.com>.',
    note: 'It reads recipients on its command line as an address of RFC 5322, where quotation marks may be a name.',
  },
  { of: 'msmtp', ...EARLY_REPLY },
  {
    of: 'nodemailer',
    ids: 'client-envelope/reverse-path-kept',
    judgement: 'true',
    cause: 'The domain of an address goes out in lower case.',
    note: 'A domain is the same in any case, so that the mail is not lost by it.',
  },
  {
    of: 'nodemailer',
    ids: 'client-envelope/rcpt-421-ends',
    judgement: 'true',
    cause: 'After 421 to one recipient the next one is named.',
  },
  { of: 'nodemailer', ...EIGHT_BIT },
  { of: 'nodemailer', ...UTF8_ADDRESSES },
  { of: 'nodemailer', ...NO_QUIT },
  { of: 'nodemailer', ...EARLY_REPLY },
  { of: 'nodemailer', ...MAIL_WITHOUT_LOGIN },
  {
    of: 'swaks',
    ids: 'client-content/cr-*,client-content/crlf-*,client-content/bare-cr',
    cause: 'Bare CRs of a message go out as they are.',
    ...BARE_LINE_ENDS,
  },
  {
    of: 'swaks',
    ids: 'client-content/dot-last,client-content/dots-at-buffer-ends,client-content/last-dot-without-end',
    judgement: 'doubtful',
    section: 'RFC 5321 §4.5.2',
    cause: 'A last line that is a dot is taken for the final dot, and lost.',
    note: 'It is a tool for tests, and its --data may bring the final dot along; --no-data-fixup sends what it is given.',
  },
  {
    of: 'swaks',
    ids: 'client-content/empty-body',
    judgement: 'doubtful',
    section: 'RFC 5321 §4.1.1.4',
    cause: 'A message that ends with its header section gets an empty line more.',
    note: 'It parts the header section from what follows, and puts both together again; no reader sees a difference.',
  },
  {
    of: 'swaks',
    ids: 'client-envelope/one-refused-is-told',
    judgement: 'doubtful',
    cause: 'It exits by 0 if one recipient of several was accepted.',
    note: 'Its output says which were refused; no clause speaks of exit codes.',
  },
  {
    of: 'swaks',
    ids: 'client-envelope/rcpt-421-ends',
    judgement: 'true',
    cause: 'After 421 to one recipient the next one is named.',
  },
  { of: 'swaks', ...GOES_ON_AFTER_421 },
  { of: 'swaks', ...EIGHT_BIT },
  { of: 'swaks', ...UTF8_ADDRESSES },
  {
    of: 'swaks',
    ...KNOWN_CODES_ONLY,
    ids: `${KNOWN_CODES_ONLY.ids},client-envelope/rcpt-251`,
    cause: 'Only 250 is a success to it.',
  },
  { of: 'swaks', ...EARLY_REPLY },
  {
    of: "Python's smtplib",
    ids: 'client-content/*',
    cause: 'Bare CRs and LFs of a message that is given as bytes go out as they are.',
    ...BARE_LINE_ENDS,
  },
  {
    of: "Python's smtplib",
    ids: 'client-data/code-without-line-end',
    judgement: 'true',
    cause: 'A code without a line end is taken for a reply where the connection ends.',
  },
  {
    of: "Python's smtplib",
    ...EIGHT_BIT,
    judgement: 'doubtful',
    note: 'Whoever calls sendmail() has to say so, by mail_options; send_message() does.',
  },
  { of: "Python's smtplib", ...GOES_ON_AFTER_421 },
  { of: "Python's smtplib", ...KNOWN_CODES_ONLY },
  { of: "Python's smtplib", ...EARLY_REPLY },
  {
    of: 'nodemailer',
    ids: 'client-data/250-is-no-go-ahead',
    judgement: 'true',
    cause: 'Mail data follow any 2yz to DATA, and are read as commands.',
  },
  {
    of: 'nodemailer',
    ids: 'client-replies/two-digits,client-replies/four-digits,client-replies/no-digits',
    judgement: 'true',
    cause: 'What begins with a 2 is a success to it, though it is no code.',
  },
  {
    of: 'nodemailer',
    ids: 'client-closing/quit,client-tls/quit-under-tls,client-lmtp/quit',
    judgement: 'true',
    cause: 'sendMail() closes the connection without QUIT, after a success, too.',
  },
  {
    of: 'nodemailer',
    ids: 'client-auth/unknown-mechanisms,client-auth/mechanism-name-is-whole',
    judgement: 'true',
    cause: 'PLAIN is tried where it is not offered.',
  },
  {
    of: 'nodemailer',
    ids: 'client-auth/334-without-end',
    judgement: 'doubtful',
    cause: 'It answers each 334 by an empty line, as long as the server goes on.',
    note: 'No clause says how many challenges are too many.',
  },
  {
    of: 'swaks',
    ids: 'client-data/ends-after-the-reply,client-closing/quit-breaks,client-closing/quit-ends,client-closing/quit-nonsense',
    judgement: 'doubtful',
    cause: 'It fails where the connection breaks at QUIT, after the message was taken.',
    note: 'It is a tool for tests, and tells of any trouble; whoever sends again by its exit code doubles the message.',
  },
  {
    of: 'swaks',
    ids: 'client-replies/bare-code',
    judgement: 'true',
    cause: 'A code without a blank and text after it is no reply to it.',
    note: 'A client has to be prepared for the blank to be omitted.',
  },
  {
    of: 'swaks',
    ids: 'client-tls/injected-reply',
    judgement: 'true',
    cause: 'A reply that came in the clear after the 220 to STARTTLS is read under TLS.',
  },
  {
    of: 'swaks',
    ids: 'client-auth/secret-not-printed',
    judgement: 'doubtful',
    cause: 'It prints the password, as a part of the dialogue.',
    note: 'It is a tool for tests; --protect-prompt and --auth-hide-password are there for it.',
  },
  {
    of: "Python's smtplib",
    ids: 'client-replies/four-digits',
    judgement: 'true',
    cause: 'The first three digits are the code, whatever follows them.',
  },
  {
    of: "Python's smtplib",
    ids: 'client-lmtp/no-helo',
    judgement: 'true',
    cause: 'Where LHLO is refused it says HELO.',
  },
  {
    of: "Python's smtplib",
    ids: 'client-lmtp/*',
    judgement: 'true',
    cause:
      'LMTP has one reply to the message for it: those for further recipients are not read, and count for nobody.',
  },
];
