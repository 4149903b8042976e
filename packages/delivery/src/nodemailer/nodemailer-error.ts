/**
 * Verdicts as nodemailer's errors: the fields that applications written for its SMTP transport look at.
 */
import { ExtensionNotOfferedError, type Reply } from '@sansmtp/core';
import { SessionError, TlsError } from '@sansmtp/transport';
import { CredentialsError } from '../sessions/session-credentials.js';
import type { DeliveryPhase, RecipientVerdict } from '../verdicts/recipient-verdict.js';

/** What an error of a transport has beside its message. */
export interface NodemailerErrorFields {
  /**
   * `EENVELOPE` (MAIL, RCPT or DATA refused, or what cannot be said in them), `EMESSAGE` (the message refused),
   * `ESOCKET` (no connection), `ECONNECTION` (connection lost), `ETIMEDOUT`, `EDNS` (no mail exchanger), `ETLS`,
   * `EREQUIRETLS`, `EAUTH`, `EPROTOCOL`, `ESTREAM` (the message could not be read) or `EABORT`.
   */
  readonly code: string;
  /** The system's word for it, such as `ECONNREFUSED`. */
  readonly originalCode?: string;
  /** The command that was answered; `CONN` for the connection, `API` for what never left this host. */
  readonly command?: string;
  /** The server's reply, its lines separated by LF. */
  readonly response?: string;
  readonly responseCode?: number;
  /** Beside `responseCode`: whether the same message would be refused again. */
  readonly permanent?: boolean;
  /** In `rejectedErrors`: whom it is about. */
  readonly recipient?: string;
  /** The recipients to whom nothing was delivered, as the envelope has them. */
  readonly rejected?: string[];
  /** One for each of `rejected`. */
  readonly rejectedErrors?: NodemailerError[];
  /** One for each recipient, in the envelope's order. */
  readonly verdicts?: readonly RecipientVerdict[];
}

export interface NodemailerError extends Error, NodemailerErrorFields {}

export function nodemailerError(
  message: string,
  fields: NodemailerErrorFields,
  options?: ErrorOptions,
): NodemailerError {
  return Object.assign(new Error(message, options), fields);
}

/** What nodemailer's SMTP transport says where a reply refuses. */
const REFUSALS: Readonly<
  Record<DeliveryPhase, { readonly code: string; readonly command: string; readonly problem: string }>
> = {
  routing: { code: 'EDNS', command: 'CONN', problem: 'No mail exchanger' },
  connect: { code: 'ESOCKET', command: 'CONN', problem: 'Cannot connect' },
  policy: { code: 'ETLS', command: 'CONN', problem: 'TLS is demanded' },
  greeting: { code: 'EPROTOCOL', command: 'CONN', problem: 'Invalid greeting' },
  hello: { code: 'EPROTOCOL', command: 'EHLO', problem: 'Invalid EHLO' },
  startTls: { code: 'ETLS', command: 'STARTTLS', problem: 'Error upgrading connection with STARTTLS' },
  auth: { code: 'EAUTH', command: 'AUTH', problem: 'Invalid login' },
  xclient: { code: 'EPROTOCOL', command: 'XCLIENT', problem: 'XCLIENT command failed' },
  xforward: { code: 'EPROTOCOL', command: 'XFORWARD', problem: 'XFORWARD command failed' },
  ready: { code: 'ECONNECTION', command: 'CONN', problem: 'Server closed the connection' },
  inquiry: { code: 'EPROTOCOL', command: 'CONN', problem: 'Unexpected response' },
  mail: { code: 'EENVELOPE', command: 'MAIL FROM', problem: 'Mail command failed' },
  rcpt: { code: 'EENVELOPE', command: 'RCPT TO', problem: 'Recipient command failed' },
  data: { code: 'EENVELOPE', command: 'DATA', problem: 'Data command failed' },
  message: { code: 'EMESSAGE', command: 'DATA', problem: 'Message failed' },
  reset: { code: 'EPROTOCOL', command: 'RSET', problem: 'RSET command failed' },
  quit: { code: 'EPROTOCOL', command: 'QUIT', problem: 'QUIT command failed' },
};

/** The reply as it came, its lines separated by LF. */
export function responseOf({ code, enhancedCode, lines }: Reply): string {
  return lines
    .map((line, index) => {
      const text = enhancedCode === undefined ? line : line === '' ? enhancedCode : `${enhancedCode} ${line}`;
      return `${code}${index < lines.length - 1 ? '-' : ' '}${text}`;
    })
    .join('\n');
}

/** Why nothing was delivered to this recipient. */
export function recipientError(verdict: RecipientVerdict, recipient: string): NodemailerError {
  const { message, fields } = explained(verdict);
  return nodemailerError(message, { ...fields, recipient }, verdict.error && { cause: verdict.error });
}

/** Why nothing was delivered to anybody. */
export function failedDelivery(
  verdicts: readonly RecipientVerdict[],
  to: readonly string[],
): NodemailerError {
  const decisive = decisiveOf(verdicts);
  const { message, fields } = explained(decisive);
  const refused = decisive.phase === 'rcpt' && decisive.reply !== undefined;
  return nodemailerError(
    refused ? `Can't send mail - all recipients were rejected: ${fields.response}` : message,
    {
      ...fields,
      rejected: [...to],
      rejectedErrors: verdicts.map((verdict, index) => recipientError(verdict, to[index] ?? '')),
      verdicts,
    },
    decisive.error && { cause: decisive.error },
  );
}

/** The verdict that got furthest; where there is still hope, one with hope: a retry is decided on it. */
function decisiveOf(verdicts: readonly RecipientVerdict[]): RecipientVerdict {
  const furthest = verdicts.filter(({ phase }) => phase !== 'rcpt');
  const candidates = furthest.length > 0 ? furthest : verdicts;
  const chosen = candidates.find(({ verdict }) => verdict !== 'rejected') ?? candidates.at(-1);
  if (chosen === undefined) throw new Error('There is no verdict');
  return chosen;
}

/** Why no session could be opened. */
export function failedOpening(thrown: unknown): NodemailerError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const failure = error instanceof SessionError ? error.failure : undefined;
  const { message, fields } = explained({
    phase: failure?.phase ?? (error instanceof CredentialsError ? 'auth' : 'connect'),
    ...(failure?.kind === 'refused' && { reply: failure.reply }),
    reason: error.message,
    error,
  });
  return nodemailerError(message, fields, { cause: error });
}

interface Explained {
  readonly message: string;
  readonly fields: NodemailerErrorFields;
}

function explained({
  phase,
  reply,
  error,
  reason,
}: Pick<RecipientVerdict, 'phase' | 'reply' | 'error' | 'reason'>): Explained {
  const { code, command, problem } = REFUSALS[phase];
  if (error instanceof ExtensionNotOfferedError) {
    const ownCode = error.keyword === 'REQUIRETLS' ? 'EREQUIRETLS' : 'EENVELOPE';
    return { message: reason, fields: { code: ownCode, command: 'MAIL FROM' } };
  }
  if (reply !== undefined) {
    const response = responseOf(reply);
    const responseCode = reply.code;
    // 503 speaks of the order of commands, not of this message: on another connection it may pass.
    const permanent = responseCode >= 500 && responseCode !== 503;
    const message = `${problem}: ${response}`;
    // It knows by which mechanism.
    const asked = phase === 'auth' && error instanceof SessionError ? error.command : command;
    return { message, fields: { code, command: asked, response, responseCode, permanent } };
  }
  const originalCode = error !== undefined && 'code' in error ? error.code : undefined;
  if (originalCode === 'ETIMEDOUT')
    return { message: reason, fields: { code: originalCode, command: 'CONN' } };
  if (error instanceof SessionError) {
    return { message: reason, fields: { code: error.code, command: error.command } };
  }
  const ownCode = error instanceof TlsError ? 'ETLS' : UNRESOLVED.has(originalCode) ? 'EDNS' : code;
  const original = typeof originalCode === 'string' && { originalCode };
  return { message: reason, fields: { code: ownCode, command, ...original } };
}

/** The system found no address of a host. */
const UNRESOLVED: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL']);
