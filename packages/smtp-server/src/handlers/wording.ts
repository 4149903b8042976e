/**
 * smtp-server's words for the replies of a session. Programs look into replies, and the tests of mailers do; so the
 * texts are the same, and codes as far as they mean the same (RFC 5321 §4.2.1).
 */
import type { Reply, ReplyOccasion, ReplyTitle } from '@sansmtp/core';
import type { SMTPServerOptions } from '../types.js';

/** What the words depend on. */
export interface Speaker {
  readonly options: SMTPServerOptions;
  /** The server's name. */
  readonly name: string;
  readonly clientHostname: string | false;
}

const TEXTS: { readonly [Title in ReplyTitle]?: string } = {
  closing: 'Bye',
  mailFirst: 'Error: need MAIL command',
  rcptFirst: 'Error: need RCPT command',
  transactionOpen: 'Error: nested MAIL command',
  tlsActive: 'Error: TLS already active',
  authenticatedAlready: 'Error: No identity changes permitted',
  authenticationCancelled: 'Authentication aborted',
  malformedResponse: 'Error: invalid userdata',
  malformedBase64: 'Error: invalid userdata',
  mechanismUnknown: 'Error: Unrecognized authentication type',
  mechanismNeedsTls: 'Error: Must issue a STARTTLS command first',
  unrecognized: 'Error: command not recognized',
  notOffered: 'Error: command not recognized',
  notTrusted: 'Error: Not allowed',
  noValidRecipients: 'Error: need RCPT command',
  noValidRecipientsInLmtp: 'Error: need RCPT command',
  tooManyRecipients: 'Error: too many recipients',
  lineTooLong: 'Error: Command line too long',
  authenticationLineTooLong: 'Error: Command line too long',
  tooManyErrors: 'Error: too many unrecognized commands',
  idleTimeout: 'Timeout - closing connection',
  mailDataTimeout: 'Timeout - closing connection',
  httpRequest: 'HTTP requests not allowed',
  shuttingDown: 'Server shutting down',
  'mail.accept': 'Accepted',
  'rcpt.accept': 'Accepted',
  'data.accept': 'End data with <CR><LF>.<CR><LF>',
  'message.accept': 'OK: message queued',
  'startTls.accept': 'Ready to start TLS',
  'authenticate.accept': 'Authentication successful',
  'authenticate.reject': 'Error: Authentication credentials invalid',
  'verify.accept': 'Try to send something. No promises though',
  'help.accept': 'See https://tools.ietf.org/html/rfc5321 for details',
};

/** Of arguments that cannot be read. */
export const SYNTAX = {
  EHLO: 'Error: syntax: EHLO hostname',
  LHLO: 'Error: syntax: LHLO hostname',
  HELO: 'Error: Syntax: HELO hostname',
  STARTTLS: 'Error: syntax: STARTTLS',
  VRFY: 'Error: Syntax: VRFY address',
  XCLIENT: 'Error: Bad command parameter syntax',
  XFORWARD: 'Error: Bad command parameter syntax',
} as const;

/** The reply as smtp-server gives it. */
export function inTheirWords(reply: Reply, { title, verb }: ReplyOccasion, speaker: Speaker): Reply {
  const { options } = speaker;
  const said = { ...reply, ...wording(reply, title, verb, speaker) };
  if (!options.hideENHANCEDSTATUSCODES) return said;
  const { enhancedCode: _, ...bare } = said;
  return bare;
}

function wording(
  reply: Reply,
  title: ReplyTitle | undefined,
  verb: ReplyOccasion['verb'],
  speaker: Speaker,
): Partial<Reply> {
  const { options } = speaker;
  const { code, enhancedCode, lines } = reply;
  const isProxyCommand = verb === 'XCLIENT' || verb === 'XFORWARD';
  switch (title) {
    case 'connect.accept':
      return { lines: [greeting(speaker)] };
    case 'hello.accept':
      return { lines: [welcome(speaker), ...lines.slice(1)] };
    case 'helloFirst':
    case 'extendedHelloFirst':
      return { lines: [`Error: send ${options.lmtp ? 'LHLO' : 'HELO/EHLO'} first`] };
    case 'lmtpSpoken':
      return { lines: [`Error: ${verb ?? 'EHLO'} not allowed in LMTP server`] };
    case 'ok':
      return { lines: [verb === 'RSET' ? 'Flushed' : 'OK'] };
    case 'notOffered':
      if (isProxyCommand) return { code: 550, enhancedCode: '5.7.0', lines: ['Error: Not allowed'] };
      return { code: 500, enhancedCode: '5.5.1', lines: ['Error: command not recognized'] };
    case 'expand.reject':
      return { code: 500, enhancedCode: '5.5.1', lines: ['Error: command not recognized'] };
    case 'message.accept':
      return { lines: [options.lmtp ? 'OK: message accepted' : 'OK: message queued'] };
    case undefined:
      break;
    default: {
      const text = TEXTS[title];
      if (text !== undefined) return { lines: [text] };
    }
  }
  if (title !== undefined) return {};
  if (code === 500 || code === 502) {
    return {
      code: 500,
      lines: [verb === undefined || code === 502 ? 'Error: command not recognized' : lines.join(' ')],
    };
  }
  if (code !== 501) return {};
  if (enhancedCode === '5.1.7') return { lines: ['Error: Bad sender address syntax'] };
  if (enhancedCode === '5.1.3') return { lines: ['Error: Bad recipient address syntax'] };
  const text = verb && verb in SYNTAX ? SYNTAX[verb as keyof typeof SYNTAX] : undefined;
  return text === undefined ? {} : { lines: [text] };
}

function greeting({ name, options }: Speaker): string {
  return [name, options.lmtp ? 'LMTP' : 'ESMTP', ...(options.banner ? [options.banner] : [])].join(' ');
}

function welcome({ name, clientHostname, options }: Speaker): string {
  const values = [name, clientHostname || ''];
  return (options.heloResponse || '%s Nice to meet you, %s').replace(/%s/g, () => values.shift() ?? '');
}
