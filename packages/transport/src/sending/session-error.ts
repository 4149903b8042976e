/**
 * Why a client's session did not open or did not last, in the vocabulary that users of nodemailer know.
 */
import { type Phase, replyText, type SessionFailure } from '@sansmtp/core';

type Code = 'ETIMEDOUT' | 'ECONNECTION' | 'EPROTOCOL' | 'ETLS' | 'EAUTH';

const COMMANDS: Readonly<Record<Phase, string>> = {
  greeting: 'CONN',
  hello: 'EHLO',
  startTls: 'STARTTLS',
  auth: 'AUTH',
  xclient: 'XCLIENT',
  xforward: 'XFORWARD',
  ready: 'CONN',
  inquiry: 'INQUIRY',
  mail: 'MAIL FROM',
  rcpt: 'RCPT TO',
  data: 'DATA',
  message: 'DATA',
  reset: 'RSET',
  quit: 'QUIT',
};

/**
 * Rejects what was asked of a client's session: it could not be opened, or has failed since. Open another session, to
 * another server where `code` says that this one will not have us.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  /**
   * `ETIMEDOUT`, `ECONNECTION` (lost), `ETLS` (STARTTLS could not be had, or the handshake failed), `EAUTH` (it could
   * not be authenticated), or `EPROTOCOL` (the server refused anything else, or broke the protocol).
   */
  readonly code: Code;
  /** The command that was not answered as it should be, a refused AUTH with its mechanism; `CONN` for none. */
  readonly command: string;
  /** The code of the server's reply, if it gave one. */
  readonly responseCode: number | undefined;
  /** The server's reply, if it gave one, as one line. */
  readonly response: string | undefined;
  /** What the session reported. */
  readonly failure: SessionFailure;

  /** @param cause why the connection was lost, if the transport told */
  constructor(failure: SessionFailure, cause?: Error) {
    const reason = cause ?? (failure.kind === 'tls' ? failure.error : undefined);
    super(describe(failure, cause), reason && { cause: reason });
    this.failure = failure;
    this.command = commandOf(failure);
    this.code = codeOf(failure);
    if (failure.kind === 'refused') {
      this.responseCode = failure.reply.code;
      this.response = replyText(failure.reply);
    }
  }
}

function commandOf(failure: SessionFailure): string {
  const command = COMMANDS[failure.phase];
  const mechanism = failure.kind === 'refused' ? failure.mechanism : undefined;
  return mechanism === undefined ? command : `${command} ${mechanism}`;
}

function codeOf({ kind, phase }: SessionFailure): Code {
  switch (kind) {
    case 'timeout':
      return 'ETIMEDOUT';
    case 'lost':
      return 'ECONNECTION';
    case 'protocol':
      return 'EPROTOCOL';
    default:
      return phase === 'startTls' ? 'ETLS' : phase === 'auth' ? 'EAUTH' : 'EPROTOCOL';
  }
}

function describe(failure: SessionFailure, cause: Error | undefined): string {
  const where = commandOf(failure);
  switch (failure.kind) {
    case 'timeout':
      return `The server did not answer in time (${where})${begunReply(failure)}${tlsHint(failure)}`;
    case 'lost':
      return `The connection was lost (${where})${begunReply(failure)}${cause === undefined ? '' : `: ${cause.message}`}${tlsHint(failure)}`;
    case 'protocol':
      return `The server broke the protocol (${where}): ${failure.error.message}`;
    case 'refused':
      return `The server refused (${where}): ${failure.reply.code} ${failure.reply.lines.join(' ')}`;
    case 'tls':
      return `TLS could not be established (${where}): ${failure.error.message}`;
    case 'notOffered':
      return failure.keyword === 'AUTH'
        ? noMechanism(failure)
        : `The server does not offer ${failure.keyword}, which the options require`;
    case 'withheld':
      return `The credentials were not sent. ${failure.reason}`;
    case 'authentication':
      return `The authentication was given up (${where}): ${failure.reason}`;
  }
}

/** What the server had begun to say. */
function begunReply({ unfinishedReply }: { readonly unfinishedReply?: string }): string {
  return unfinishedReply === undefined ? '' : ` within the reply ${unfinishedReply}`;
}

/** What a silence in the clear may mean. */
function tlsHint({ mayAwaitTls }: { readonly mayAwaitTls?: true }): string {
  return mayAwaitTls
    ? '. It said nothing at all: it may expect TLS from the first octet on (implicit TLS, as on port 465; RFC 8314 §3)'
    : '';
}

function noMechanism({
  offered,
  switchedOff,
}: Extract<SessionFailure, { readonly keyword: 'AUTH' }>): string {
  const problem = 'The server offers no mechanism of authentication that the credentials and options allow';
  if (offered.length === 0) return `${problem}: it offers none`;
  const ours =
    switchedOff.length === 0
      ? ''
      : `; switched off here (authentication.mechanisms): ${switchedOff.join(', ')}`;
  return `${problem}: it offers ${offered.join(', ')}${ours}`;
}
