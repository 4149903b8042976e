/**
 * Single faults that can be planted in the small server: what it then does, and the clause that this breaks. All of them have
 * been seen in servers at work, or are the slip that is made where they stand.
 */

export interface PlantedFault {
  /** What the server does with it. */
  readonly does: string;
  readonly clause: string;
}

const fault = (does: string, clause: string): PlantedFault => ({ does, clause });

/** Where lines, mail data and chunks begin and end. */
const framing = {
  'lf-ends-line': fault('takes a bare LF for the end of a command', 'RFC 5321 §2.3.8'),
  'cr-ends-line': fault('takes a bare CR for the end of a command', 'RFC 5321 §2.3.8'),
  'nul-ends-line': fault('reads a command up to its first NUL', 'RFC 5321 §4.1.2'),
  'chunk-ends-line': fault('takes the end of a TCP segment for the end of a command', 'RFC 5321 §2.3.8'),
  'split-crlf-lost': fault('does not see a CRLF that two segments share', 'RFC 5321 §2.3.8'),
  'split-dot-lost': fault('does not see a final dot that two segments share', 'RFC 5321 §4.1.1.4'),
  'lf-dot-lf-ends-data': fault('ends mail data at LF.LF', 'RFC 5321 §4.1.1.4'),
  'lf-dot-crlf-ends-data': fault('ends mail data at LF.CRLF', 'RFC 5321 §4.1.1.4'),
  'crlf-dot-lf-ends-data': fault('ends mail data at CRLF.LF', 'RFC 5321 §4.1.1.4'),
  'cr-dot-cr-ends-data': fault('ends mail data at CR.CR', 'RFC 5321 §4.1.1.4'),
  'dot-at-end-of-line-ends-data': fault('ends mail data at a dot before any CRLF', 'RFC 5321 §4.1.1.4'),
  'empty-message-never-ends': fault('does not see the final dot of an empty message', 'RFC 5321 §4.1.1.4'),
  'line-of-512-refused': fault('refuses a command of 512 octets', 'RFC 5321 §4.5.3.1.4'),
  'line-of-500-refused': fault('refuses commands of 500 octets and more', 'RFC 5321 §4.5.3.1.4'),
  'rest-of-long-line-runs': fault('runs what follows the 512th octet of a line', 'RFC 5321 §4.5.3.1.4'),
  'input-after-rset-lost': fault('drops what was pipelined behind RSET', 'RFC 2920 §3.2'),
  'input-after-message-lost': fault('drops what was sent behind the final dot', 'RFC 2920 §3.2'),
  'input-after-mail-lost': fault('drops what was pipelined behind MAIL', 'RFC 2920 §3.2'),
  'input-after-error-lost': fault(
    'drops what was pipelined behind a command that it refuses',
    'RFC 2920 §3.2',
  ),
} as const;

/** What becomes of the octets of a message. */
const transparency = {
  'dots-stay': fault('leaves the dots of transparency in the message', 'RFC 5321 §4.5.2'),
  'all-dots-removed': fault('removes all dots at the beginning of a line', 'RFC 5321 §4.5.2'),
  'dot-of-first-line-stays': fault('does not unstuff the first line', 'RFC 5321 §4.5.2'),
  'dot-before-text-stays': fault('unstuffs lines of nothing but dots only', 'RFC 5321 §4.5.2'),
  'dots-in-chunks-removed': fault('unstuffs what comes by BDAT', 'RFC 3030 §2'),
  'eighth-bit-cleared': fault('clears the eighth bit', 'RFC 6152 §3'),
  'blanks-trimmed': fault('drops blanks at the end of lines', 'RFC 5321 §4.1.1.4'),
  'empty-lines-at-end-lost': fault('drops empty lines at the end', 'RFC 5321 §4.1.1.4'),
  'lines-cut-at-512': fault('cuts lines of mail data after 512 octets', 'RFC 5321 §4.5.3.1.6'),
  'line-of-1000-refused': fault('refuses a message with a line of 1000 octets', 'RFC 5321 §4.5.3.1.6'),
  'tabs-become-blanks': fault('makes blanks of TABs', 'RFC 5321 §4.1.1.4'),
  'bare-lf-mended': fault('takes a message with a bare LF', 'RFC 5321 §2.3.8'),
  'nul-dropped': fault('takes a message with a NUL, without it', 'RFC 5321 §4.5.2'),
} as const;

/** What is legal when. */
const sequence = {
  'mail-before-hello': fault('takes MAIL before EHLO', 'RFC 5321 §4.1.4'),
  'mail-twice': fault('takes MAIL in a mail transaction', 'RFC 5321 §4.1.4'),
  'second-mail-resets': fault('drops the mail transaction when it refuses a second MAIL', 'RFC 5321 §4.1.4'),
  'rcpt-before-mail': fault('takes RCPT before MAIL', 'RFC 5321 §3.3'),
  'data-before-mail': fault('takes a message without MAIL', 'RFC 5321 §3.3'),
  'data-before-rcpt': fault('takes a message without a recipient', 'RFC 5321 §3.3'),
  'rset-keeps-sender': fault('keeps the mail transaction at RSET', 'RFC 5321 §4.1.1.5'),
  'rset-keeps-recipients': fault('keeps the recipients at RSET', 'RFC 5321 §4.1.1.5'),
  'rset-loses-hello': fault('wants EHLO again after RSET', 'RFC 5321 §4.1.1.5'),
  'ehlo-keeps-transaction': fault('keeps the mail transaction at EHLO', 'RFC 5321 §4.1.4'),
  'helo-keeps-transaction': fault('keeps the mail transaction at HELO', 'RFC 5321 §4.1.4'),
  'helo-keeps-extensions': fault('takes parameters after HELO as after EHLO', 'RFC 5321 §2.2.1'),
  'refused-ehlo-resets': fault('drops the mail transaction at an EHLO that it refuses', 'RFC 5321 §4.1.4'),
  'message-keeps-transaction': fault('keeps the mail transaction after its message', 'RFC 5321 §4.1.1.4'),
  'message-keeps-recipients': fault(
    'has the recipients of the last message in the next one',
    'RFC 5321 §4.1.1.4',
  ),
  'refused-message-keeps-transaction': fault(
    'keeps the mail transaction after a message that it refuses',
    'RFC 5321 §4.1.1.4',
  ),
  'noop-resets': fault('drops the mail transaction at NOOP', 'RFC 5321 §4.1.1.9'),
  'vrfy-resets': fault('drops the mail transaction at VRFY', 'RFC 5321 §3.5, §4.1.1.6'),
  'unknown-command-resets': fault('drops the mail transaction at an unknown command', 'RFC 5321 §4.1.1.5'),
  'unknown-command-closes': fault('closes at an unknown command', 'RFC 5321 §3.8'),
  'unknown-command-accepted': fault('says 250 to an unknown command', 'RFC 5321 §4.2.4'),
  'refused-rcpt-resets': fault('drops the mail transaction at a recipient that it refuses', 'RFC 5321 §3.3'),
  'refused-rcpt-kept': fault('delivers to recipients that it refuses', 'RFC 5321 §3.3'),
  'third-transaction-needs-hello': fault(
    'wants EHLO again before the third mail transaction',
    'RFC 5321 §4.1.4',
  ),
  'quit-stays-open': fault('leaves the connection open after QUIT', 'RFC 5321 §4.1.1.10'),
  'quit-is-silent': fault('closes at QUIT without a reply', 'RFC 5321 §4.1.1.10'),
  'quit-says-250': fault('replies 250 to QUIT', 'RFC 5321 §4.1.1.10'),
  'quit-stores-message': fault('takes an unfinished chunked message at QUIT', 'RFC 5321 §4.1.1.10'),
  'lost-connection-stores-message': fault('takes a message whose final dot never came', 'RFC 5321 §4.1.1.4'),
  'greeting-waits': fault('greets when the client has spoken', 'RFC 5321 §3.1'),
  'greeting-says-250': fault('greets with 250', 'RFC 5321 §4.3.2'),
  'data-says-250': fault('replies 250 to DATA', 'RFC 5321 §4.1.1.4'),
  'message-says-354': fault('replies 354 to the final dot', 'RFC 5321 §4.1.1.4'),
  'errors-421-stays-open': fault('says 421 after too many errors, and goes on', 'RFC 5321 §3.8'),
  'errors-close-silently': fault('closes after too many errors without 421', 'RFC 5321 §3.8'),
} as const;

/** How a line is read. */
const syntax = {
  'verbs-need-capitals': fault('knows verbs in capitals only', 'RFC 5321 §2.4'),
  'from-needs-capitals': fault('knows FROM: and TO: in capitals only', 'RFC 5321 §2.4'),
  'keywords-need-capitals': fault('knows the keywords of parameters in capitals only', 'RFC 5321 §4.1.1'),
  'null-path-refused': fault('refuses the null reverse-path', 'RFC 5321 §4.5.5'),
  'postmaster-refused': fault('refuses RCPT TO:<Postmaster>', 'RFC 5321 §4.5.1'),
  'postmaster-needs-capital': fault('refuses RCPT TO:<postmaster>', 'RFC 5321 §4.5.1'),
  'source-route-refused': fault('refuses a source route', 'RFC 5321 §3.6.1, Appendix C'),
  'quoted-local-part-refused': fault('refuses a quoted local-part', 'RFC 5321 §4.1.2'),
  'quoted-bracket-ends-path': fault('ends a path at a quoted >', 'RFC 5321 §4.1.2'),
  'address-literal-refused': fault('refuses an address literal', 'RFC 5321 §4.1.3'),
  'ipv6-literal-refused': fault('refuses an IPv6 literal', 'RFC 5321 §4.1.3'),
  'local-part-of-64-refused': fault('refuses a local-part of 64 octets', 'RFC 5321 §4.5.3.1.1'),
  'label-of-63-refused': fault('refuses a label of 63 octets', 'RFC 1035 §2.3.4'),
  'special-atext-refused': fault('refuses atext that is neither a letter nor a digit', 'RFC 5321 §4.1.2'),
  'local-part-in-lower-case': fault('delivers to the local-part in lower case', 'RFC 5321 §2.4'),
  'unclosed-path-taken': fault('takes a path without its >', 'RFC 5321 §4.1.2'),
  'text-behind-path-taken': fault('takes whatever stands right behind a path', 'RFC 5321 §4.1.1.2'),
  'recipient-without-domain-taken': fault('takes a recipient without a domain', 'RFC 5321 §2.3.5'),
  'null-recipient-taken': fault('takes RCPT TO:<>', 'RFC 5321 §4.1.1.3'),
  'unknown-parameter-ignored': fault('ignores parameters that it does not know', 'RFC 5321 §4.1.1.11'),
  'argument-of-data-ignored': fault('ignores an argument of DATA', 'RFC 5321 §4.3.2'),
  'controls-taken': fault('takes control characters in commands', 'RFC 5321 §4.1.2'),
  'noop-argument-refused': fault('refuses an argument of NOOP', 'RFC 5321 §4.1.1.9'),
} as const;

/** The form of replies. */
const replies = {
  'reply-ends-in-lf': fault('ends the reply to NOOP with a bare LF', 'RFC 5321 §4.2'),
  'reply-twice': fault('replies twice to RSET', 'RFC 5321 §4.2'),
  'reply-missing': fault('does not reply to NOOP with an argument', 'RFC 5321 §4.2'),
  'batch-replies-reversed': fault('replies to a group of commands in the wrong order', 'RFC 2920 §3.2'),
  'batch-same-reply-once': fault(
    'replies once to commands of a group whose replies are the same',
    'RFC 2920 §3.2',
  ),
  'long-reply': fault('repeats an unknown command in the reply, however long it is', 'RFC 5321 §4.5.3.1.5'),
  'ehlo-codes-differ': fault('has different codes on the lines of the reply to EHLO', 'RFC 5321 §4.2.1'),
  'ehlo-never-ends': fault('has a hyphen on the last line of the reply to EHLO', 'RFC 5321 §4.2.1'),
  'ehlo-keyword-malformed': fault('lists an EHLO keyword that is none', 'RFC 5321 §4.1.1.1'),
  'enhanced-class-differs': fault(
    'has an enhanced status code of another class than the reply',
    'RFC 2034 §4',
  ),
  'enhanced-code-missing': fault('leaves out the enhanced status code of RCPT', 'RFC 2034 §4'),
  'noop-fails-after-12-commands': fault('refuses NOOP after twelve commands', 'RFC 5321 §4.1.1.9'),
  'rcpt-class-flips-later': fault(
    'says 550 to whom it takes from the second mail transaction on',
    'RFC 5321 §4.2.1',
  ),
} as const;

/** Limits, and what is counted. */
const limits = {
  'size-off-by-one': fault('refuses a message of just the size that it offers', 'RFC 1870 §6'),
  'size-counts-dots': fault('counts the dots of transparency', 'RFC 1870 §3'),
  'size-counts-final-dot': fault('counts the final dot', 'RFC 1870 §3'),
  'size-not-enforced': fault('cuts a message that is too large, and takes it', 'RFC 1870 §6.3'),
  'declared-size-off-by-one': fault('refuses SIZE= of just what it offers', 'RFC 1870 §6.1'),
  'declared-size-malformed-taken': fault('takes a SIZE= that is no number', 'RFC 1870 §5'),
  'large-message-closes': fault('closes when a message is too large', 'RFC 5321 §3.8, §4.5.3.1.9'),
  'recipients-off-by-one': fault('refuses the hundredth recipient', 'RFC 5321 §4.5.3.1.8'),
  'recipients-beyond-limit-lost': fault(
    'takes recipients beyond a hundred, and forgets them',
    'RFC 5321 §4.5.3.1.10',
  ),
  'recipients-limit-resets': fault(
    'drops the mail transaction at the recipient that is too many',
    'RFC 5321 §4.5.3.1.10',
  ),
  'second-recipient-lost': fault('delivers to the first recipient only', 'RFC 5321 §3.3'),
  'second-message-lost': fault('takes the second message of a session, and forgets it', 'RFC 5321 §4.2.5'),
  'message-stored-twice': fault('stores a message twice', 'RFC 5321 §4.2.5'),
} as const;

/** Service extensions. */
const extensions = {
  'body-8bitmime-refused': fault('refuses BODY=8BITMIME', 'RFC 6152 §2'),
  'body-unknown-taken': fault('takes a BODY= that nobody has defined', 'RFC 6152 §2'),
  'utf8-refused': fault('refuses an internationalized mailbox in spite of SMTPUTF8', 'RFC 6531 §3.3'),
  'utf8-without-parameter-taken': fault(
    'takes an internationalized mailbox without SMTPUTF8',
    'RFC 6531 §3.3',
  ),
  'ret-unknown-taken': fault('takes a RET= that nobody has defined', 'RFC 3461 §4.3'),
  'notify-never-and-more-taken': fault('takes NOTIFY=NEVER,SUCCESS', 'RFC 3461 §4.1'),
  'notify-unknown-taken': fault('takes a NOTIFY= that nobody has defined', 'RFC 3461 §4.1'),
  'orcpt-without-type-taken': fault('takes an ORCPT= without an address type', 'RFC 3461 §4.2'),
  'envid-malformed-taken': fault('takes an ENVID= that is no xtext', 'RFC 3461 §4.4'),
  'ret-refused': fault('refuses RET=HDRS', 'RFC 3461 §4.3'),
  'starttls-keeps-buffer': fault(
    'runs after the handshake what was sent in the clear',
    'RFC 3207 §4.2, CVE-2011-0411',
  ),
  'starttls-keeps-hello': fault('takes MAIL after the handshake without EHLO', 'RFC 3207 §4.2'),
  'starttls-keeps-login': fault('keeps the client logged in across the handshake', 'RFC 3207 §4.2'),
  'starttls-offered-again': fault('offers STARTTLS under TLS', 'RFC 3207 §4.2'),
  'starttls-twice': fault('says 220 to STARTTLS under TLS', 'RFC 3207 §4.2'),
  'starttls-takes-argument': fault('takes an argument of STARTTLS', 'RFC 3207 §4'),
  'starttls-says-250': fault('replies 250 to STARTTLS', 'RFC 3207 §4'),
  'auth-twice': fault('takes AUTH when the client is logged in', 'RFC 4954 §4'),
  'auth-in-transaction': fault('takes AUTH in a mail transaction', 'RFC 4954 §4'),
  'auth-wrong-password': fault('lets in whoever has a name that it knows', 'RFC 4954 §4'),
  'auth-password-prefix': fault('compares the first letters of a password', 'RFC 4616 §2'),
  'auth-for-others': fault('lets users act for others', 'RFC 4616 §2'),
  'auth-cancel-ignored': fault('takes * for a response', 'RFC 4954 §4'),
  'auth-base64-ignored': fault('takes a response that is no base64', 'RFC 4954 §4'),
  'auth-unknown-mechanism-goes-on': fault('says 334 to a mechanism that it does not offer', 'RFC 4954 §4'),
  'auth-empty-response-refused': fault('does not know = for an empty initial response', 'RFC 4954 §4'),
  'auth-parameter-refused': fault('refuses AUTH=<> of MAIL', 'RFC 4954 §5'),
  'auth-success-says-250': fault('replies 250 to a login', 'RFC 4954 §6'),
  'auth-before-ehlo': fault('takes AUTH before EHLO', 'RFC 4954 §3'),
  'auth-runs-commands': fault('runs MAIL amid an AUTH exchange', 'RFC 4954 §4'),
  'auth-response-of-512-refused': fault('refuses responses of more than 512 octets', 'RFC 4954 §4'),
  'auth-challenge-has-words': fault('has words in the challenge of PLAIN', 'RFC 4954 §4'),
  'auth-mailbox-refused': fault('refuses a mailbox in AUTH= of MAIL', 'RFC 4954 §5'),
  'auth-empty-password-taken': fault('lets in whoever has a name and no password', 'RFC 4616 §2'),
  'auth-unknown-user-taken': fault('lets in names that it does not know', 'RFC 4954 §4'),
  'bdat-last-ignored': fault('takes the last chunk for one of several', 'RFC 3030 §2'),
  'bdat-one-octet-short': fault('reads a chunk one octet short', 'RFC 3030 §2'),
  'bdat-refused-runs': fault('runs the octets of a chunk that it refuses', 'RFC 3030 §2'),
  'bdat-then-data': fault('takes DATA between chunks', 'RFC 3030 §2'),
  'bdat-ends-at-dot': fault('ends a chunk at CRLF.CRLF', 'RFC 3030 §2'),
  'bdat-empty-last-refused': fault('refuses BDAT 0 LAST', 'RFC 3030 §2'),
  'bdat-rset-keeps-chunks': fault('keeps the chunks at RSET', 'RFC 3030 §2, RFC 5321 §4.1.1.5'),
  'bdat-first-chunk-lost': fault('keeps only the last chunk', 'RFC 3030 §2'),
  'bdat-without-recipient': fault('takes chunks without a recipient', 'RFC 3030 §2, RFC 5321 §3.3'),
  'bdat-size-malformed-taken': fault('takes a size that is no number for 0', 'RFC 3030 §2'),
  'binarymime-then-data': fault('takes DATA after BODY=BINARYMIME', 'RFC 3030 §3'),
} as const;

/** Mechanisms of AUTH, each with its own proof of who the client is. */
const mechanisms = {
  'plain-name-alone-taken': fault('lets in whoever says a name, without a NUL', 'RFC 4616 §2'),
  'plain-rest-ignored': fault('ignores what stands after a NUL in the password of PLAIN', 'RFC 4616 §2'),
  'login-challenges-differ': fault('has words of its own for the challenges of LOGIN', 'RFC 4954 §4'),
  'login-name-at-once-refused': fault('refuses an initial response of LOGIN', 'RFC 4954 §4'),
  'login-without-a-name-taken': fault('lets in whoever answers LOGIN by nothing', 'RFC 4954 §4'),
  'cram-md5-challenge-repeats': fault('has the same challenge of CRAM-MD5 each time', 'RFC 2195 §2'),
  'cram-md5-challenge-is-no-msg-id': fault('has a challenge of CRAM-MD5 that is no msg-id', 'RFC 2195 §2'),
  'cram-md5-any-digest-taken': fault('takes any digest of CRAM-MD5', 'RFC 2195 §2'),
  'cram-md5-empty-digest-taken': fault('takes a name without a digest', 'RFC 2195 §2'),
  'cram-md5-digest-needs-capitals': fault('knows the digest of CRAM-MD5 in capitals only', 'RFC 2195 §2'),
  'cram-md5-initial-response-taken': fault('takes an initial response of CRAM-MD5', 'RFC 4954 §4'),
  'scram-any-proof-taken': fault('takes any proof of SCRAM', 'RFC 5802 §3'),
  'scram-signature-of-nothing': fault('shows a signature that is not of the exchange', 'RFC 5802 §3'),
  'scram-signature-missing': fault('lets the client in before it has shown its signature', 'RFC 5802 §3'),
  'scram-nonce-lacks-ours': fault('adds nothing to the nonce of the client', 'RFC 5802 §5.1'),
  'scram-nonce-repeats': fault('adds the same to the nonce each time', 'RFC 5802 §5.1'),
  'scram-other-nonce-taken': fault('does not compare the nonce of the final message', 'RFC 5802 §5.1'),
  'scram-other-binding-taken': fault('does not compare the header of the final message', 'RFC 5802 §6'),
  'scram-hidden-plus-ignored': fault('does not notice that -PLUS was hidden from the client', 'RFC 5802 §6'),
  'scram-salt-changes': fault('has another salt for a user each time', 'RFC 5802 §5.1'),
  'scram-few-iterations': fault('derives keys by 1000 iterations', 'RFC 7677 §4'),
  'scram-malformed-taken': fault('goes on after a first message that is none', 'RFC 5802 §7'),
  'scram-unknown-user-told': fault('tells by its first message that a user is unknown', 'RFC 5802 §9'),
  'external-without-certificate-taken': fault(
    'lets in by EXTERNAL whoever has no certificate',
    'RFC 4422 §A',
  ),
  'external-for-somebody-taken': fault('takes the name that EXTERNAL gives for true', 'RFC 4422 §A'),
} as const;

/** LMTP (RFC 2033). */
const lmtp = {
  'lmtp-one-reply': fault('replies once to a message, however many recipients it has', 'RFC 2033 §4.2'),
  'lmtp-reply-for-refused': fault('replies to a message for refused recipients, too', 'RFC 2033 §4.2'),
  'lmtp-replies-reversed': fault('replies in the reverse order of the recipients', 'RFC 2033 §4.2'),
  'lmtp-takes-ehlo': fault('takes EHLO in the place of LHLO', 'RFC 2033 §4.1'),
  'lmtp-same-verdict-for-all': fault('has the verdict on the first recipient for all', 'RFC 2033 §4.2'),
  'lmtp-data-without-recipient': fault('says 354 where every recipient was refused', 'RFC 2033 §4.2'),
} as const;

export const serverFaults = {
  ...framing,
  ...transparency,
  ...sequence,
  ...syntax,
  ...replies,
  ...limits,
  ...extensions,
  ...mechanisms,
  ...lmtp,
} satisfies Readonly<Record<string, PlantedFault>>;

export type ServerFault = keyof typeof serverFaults;

/** Whether a fault is planted. */
export type Flags = (fault: ServerFault) => boolean;

export const serverFaultNames = Object.keys(serverFaults) as readonly ServerFault[];

/** Whether a fault shows in LMTP alone. */
export const isOfLmtp = (name: ServerFault): boolean => name.startsWith('lmtp-');
