/**
 * Why a client's session did not open or did not last, in the vocabulary that users of nodemailer know.
 */
import { type Phase, replyText, type SessionFailure } from '@sansmtp/core';

const COMMANDS: Readonly<Record<Phase, string>> = {
  greeting: 'CONN',
  hello: 'EHLO',
  ready: 'CONN',
  mail: 'MAIL FROM',
  rcpt: 'RCPT TO',
  data: 'DATA',
  message: 'DATA',
  reset: 'RSET',
  quit: 'QUIT',
};

export class SessionError extends Error {
  override readonly name = 'SessionError';
  /** `ETIMEDOUT`, `ECONNECTION` (lost), or `EPROTOCOL` (the server refused, or broke the protocol). */
  readonly code: 'ETIMEDOUT' | 'ECONNECTION' | 'EPROTOCOL';
  /** The command that was not answered as it should be; `CONN` for none. */
  readonly command: string;
  /** The code of the server's reply, if it gave one. */
  readonly responseCode: number | undefined;
  /** The server's reply, if it gave one, as one line. */
  readonly response: string | undefined;
  /** What the session reported. */
  readonly failure: SessionFailure;

  /** @param cause why the connection was lost, if the transport told */
  constructor(failure: SessionFailure, cause?: Error) {
    super(describe(failure), cause && { cause });
    this.failure = failure;
    this.command = COMMANDS[failure.phase];
    this.code =
      failure.kind === 'timeout' ? 'ETIMEDOUT' : failure.kind === 'lost' ? 'ECONNECTION' : 'EPROTOCOL';
    if (failure.kind === 'refused') {
      this.responseCode = failure.reply.code;
      this.response = replyText(failure.reply);
    }
  }
}

function describe(failure: SessionFailure): string {
  const where = COMMANDS[failure.phase];
  switch (failure.kind) {
    case 'timeout':
      return `The server did not answer in time (${where})`;
    case 'lost':
      return `The connection was lost (${where})`;
    case 'protocol':
      return `The server broke the protocol (${where}): ${failure.error.message}`;
    case 'refused':
      return `The server refused (${where}): ${failure.reply.code} ${failure.reply.lines.join(' ')}`;
  }
}
