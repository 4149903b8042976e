/** What a line of a session means, and where the standards say so. */

export interface Meaning {
  readonly words: string;
  readonly reference: string;
}

const COMMANDS: Readonly<Record<string, Meaning>> = {
  EHLO: {
    words: 'The client says who it is, and asks which service extensions there are.',
    reference: 'RFC 5321 §4.1.1.1',
  },
  HELO: {
    words: 'The client says who it is, in the old way, without service extensions.',
    reference: 'RFC 5321 §4.1.1.1',
  },
  LHLO: { words: 'The client says who it is, and that LMTP is spoken.', reference: 'RFC 2033 §4.1' },
  MAIL: {
    words: 'Opens a mail transaction: whom to tell if the message cannot be delivered.',
    reference: 'RFC 5321 §4.1.1.2',
  },
  RCPT: { words: 'Names one recipient. Each has a reply of its own.', reference: 'RFC 5321 §4.1.1.3' },
  DATA: { words: 'Asks whether the message may come now.', reference: 'RFC 5321 §4.1.1.4' },
  BDAT: { words: 'Announces so many octets of the message, which follow at once.', reference: 'RFC 3030 §2' },
  RSET: { words: 'Drops the mail transaction; the session goes on.', reference: 'RFC 5321 §4.1.1.5' },
  NOOP: { words: 'Asks for nothing but a reply.', reference: 'RFC 5321 §4.1.1.9' },
  QUIT: {
    words: 'The client has nothing more to say; after the 221 both close.',
    reference: 'RFC 5321 §4.1.1.10',
  },
  VRFY: { words: 'Asks whether there is such a user.', reference: 'RFC 5321 §4.1.1.6' },
  EXPN: { words: 'Asks who is on a mailing list.', reference: 'RFC 5321 §4.1.1.7' },
  HELP: { words: 'Asks for help, meant for people.', reference: 'RFC 5321 §4.1.1.8' },
  STARTTLS: {
    words: 'Asks for TLS. Nothing may be sent behind it before the handshake.',
    reference: 'RFC 3207 §4',
  },
  AUTH: {
    words: 'Begins an exchange in which the client proves who it is. None of it is recorded.',
    reference: 'RFC 4954 §4',
  },
  ETRN: { words: 'Asks the server to deliver what waits for a host.', reference: 'RFC 1985 §5' },
  XCLIENT: { words: 'A trusted proxy says for whom it speaks.', reference: 'Postfix XCLIENT_README' },
  XFORWARD: { words: 'A trusted proxy says from whom the mail came.', reference: 'Postfix XFORWARD_README' },
};

const CODES: Readonly<Record<number, Meaning>> = {
  220: {
    words: 'The server is there: the client may begin, or the TLS handshake.',
    reference: 'RFC 5321 §3.1',
  },
  221: { words: 'The server closes the connection, as was asked.', reference: 'RFC 5321 §4.1.1.10' },
  235: { words: 'The client has proven who it is.', reference: 'RFC 4954 §6' },
  250: { words: 'Yes: what was asked is done.', reference: 'RFC 5321 §4.2.3' },
  334: {
    words: 'The exchange goes on: a challenge, for which a response is awaited.',
    reference: 'RFC 4954 §4',
  },
  354: { words: 'The message may come; a dot on a line of its own ends it.', reference: 'RFC 5321 §4.1.1.4' },
  421: { words: 'The server ends the session, whatever was asked.', reference: 'RFC 5321 §3.8' },
  503: { words: 'The command is one, but does not belong here.', reference: 'RFC 5321 §4.2.4' },
  535: { words: 'The proof is wrong, or the user is not let in.', reference: 'RFC 4954 §6' },
};

const CLASSES: Readonly<Record<string, Meaning>> = {
  '2': { words: 'Yes.', reference: 'RFC 5321 §4.2.1' },
  '3': { words: 'So far, so good: more is needed.', reference: 'RFC 5321 §4.2.1' },
  '4': { words: 'Not now; the client may try again later.', reference: 'RFC 5321 §4.2.1' },
  '5': { words: 'No, and another try would fail alike.', reference: 'RFC 5321 §4.2.1' },
};

/** What the parts of a line are called. */
const PARTS: Readonly<Record<string, string>> = {
  verb: 'the command',
  clause: 'what follows',
  path: 'an address',
  name: 'a name',
  keyword: 'a parameter',
  value: 'its value',
  size: 'how many octets follow',
  argument: 'what it is about',
  code: 'for programs',
  enhancedCode: 'for programs, in more detail (RFC 3463)',
  text: 'for people',
};

export function meaningOf(line: {
  readonly verb?: string;
  readonly code?: number;
  readonly isMailData: boolean;
  readonly octets?: Uint8Array;
}): Meaning | undefined {
  if (line.isMailData) {
    return {
      words: 'The message, of which SMTP looks at nothing but the end of each line and the dots.',
      reference: 'RFC 5321 §4.5.2',
    };
  }
  if (line.code !== undefined) return CODES[line.code] ?? CLASSES[String(line.code).charAt(0)];
  if (line.verb !== undefined) return COMMANDS[line.verb];
  if (line.octets === undefined) {
    return {
      words: 'A response in the AUTH exchange. It is a secret, so its length is all that is recorded.',
      reference: 'RFC 4954 §4',
    };
  }
  return undefined;
}

export function partWords(part: string): string {
  return PARTS[part] ?? part;
}

/** What ends a line and must not, octet by octet: a CR without LF, a LF without CR, and NUL (RFC 5321 §2.3.8). */
export function offendingOctets(octets: Uint8Array): ReadonlySet<number> {
  const found = new Set<number>();
  for (const [index, octet] of octets.entries()) {
    if (octet === 0) found.add(index);
    else if (octet === 10 && octets[index - 1] !== 13) found.add(index);
    else if (octet === 13 && octets[index + 1] !== 10) found.add(index);
  }
  return found;
}
