/** What a scripted server says where its script says nothing: it takes everything. */
import type { Moment, ReplyText, Script } from './script.js';

interface Server {
  readonly script: Script;
  readonly protocol: 'smtp' | 'lmtp';
  readonly hostname: string;
}

export function defaultReply(moment: Moment, { script, protocol, hostname }: Server): ReplyText {
  switch (moment) {
    case 'greeting':
      return `220 ${hostname} ${protocol === 'lmtp' ? 'LMTP' : 'ESMTP'}`;
    case 'EHLO':
    case 'LHLO': {
      const lines = [hostname, ...(script.offers ?? [])];
      return lines.map((text, index) => `250${index === lines.length - 1 ? ' ' : '-'}${text}`).join('\n');
    }
    case 'HELO':
      return `250 ${hostname}`;
    case 'STARTTLS':
      return '220 2.0.0 Begin TLS';
    case 'MAIL':
      return '250 2.1.0 OK';
    case 'RCPT':
      return '250 2.1.5 OK';
    case 'DATA':
      return '354 Go on, and end with a dot';
    case 'BDAT':
      return '250 2.0.0 Next chunk';
    case 'message':
      return '250 2.0.0 Stored';
    case 'VRFY':
      return '252 2.5.0 Try it';
    case 'QUIT':
      return `221 2.0.0 ${hostname} closes`;
    case 'HELP':
      return '214 2.0.0 This server follows a script';
    case 'RSET':
    case 'NOOP':
      return '250 2.0.0 OK';
    default:
      return '502 5.5.1 Not in the script';
  }
}

/**
 * Likewise in an AUTH exchange: whoever comes is let in, by LOGIN after two questions, else with the first response.
 * @param responses what the client has said so far, an initial response included
 */
export function defaultChallenge(mechanism: string, responses: number): ReplyText {
  if (mechanism !== 'LOGIN') return responses === 0 ? '334 ' : '235 2.7.0 Welcome';
  return ['334 VXNlcm5hbWU6', '334 UGFzc3dvcmQ6'][responses] ?? '235 2.7.0 Welcome';
}
