/** What the events of a session hold, as a trace has it: plain values, and words for people. */
import {
  type ClientProtocolEvent,
  type RecordedQuestion,
  type Reply,
  replyText,
  type ServerProtocolEvent,
  type TlsInformation,
} from '@sansmtp/core';
import type { TraceableSession } from '../events.js';
import type { Decision, TracedAddress, TracedReply, TracedTls } from '../records.js';

export function withheld(octets: number): string {
  return `[${octets} octets]`;
}

export function traced({ code, enhancedCode, lines }: Reply): TracedReply {
  return { code, ...(enhancedCode !== undefined && { enhanced_code: enhancedCode }), lines };
}

/** `xstate.after.idle.server.session.greeted`: the delay `idle` in `session.greeted`. */
export function timerOf(id: string): { readonly timer: string; readonly state: string } {
  const [xstate, after, timer = id, , ...state] = id.split('.');
  if (xstate !== 'xstate' || after !== 'after') return { timer: id, state: '' };
  return { timer, state: state.join('.') };
}

export function eventName(type: string): string {
  return type.startsWith('xstate.after.') ? `after ${timerOf(type).timer}` : type;
}

export function addressOf({ address, port }: NonNullable<TraceableSession['peer']>): TracedAddress {
  return { ...(address !== undefined && { address }), ...(port !== undefined && { port }) };
}

export function tracedTls({ protocol, cipher, serverName, peerCertificate }: TlsInformation): TracedTls {
  return {
    protocol,
    cipher,
    ...(serverName !== undefined && { server_name: serverName }),
    ...(peerCertificate && { authorized: peerCertificate.distrust === undefined }),
  };
}

/** On what is decided, for people. */
export function subjectOf(question: RecordedQuestion): string | undefined {
  switch (question.kind) {
    case 'hello':
      return question.hello.name;
    case 'mail':
      return question.reversePath === null ? '<>' : mailboxText(question.reversePath);
    case 'rcpt':
      return mailboxText(question.forwardPath);
    case 'credentials':
    case 'authenticate':
      return question.username;
    case 'verify':
    case 'expand':
    case 'help':
    case 'etrn':
    case 'extension':
      return question.argument === '' ? undefined : question.argument;
    default:
      return undefined;
  }
}

function mailboxText({ localPart, domain }: { readonly localPart: string; readonly domain: string }): string {
  return domain === '' ? localPart : `${localPart}@${domain}`;
}

export function messageDecision(
  event: Extract<ServerProtocolEvent | ClientProtocolEvent, { readonly type: 'message' }>,
): Decision {
  const { envelope, size: length } = event;
  if (!('verdicts' in event)) {
    const { outcome, reason } = event;
    return { about: 'message', outcome, length, ...(reason !== undefined && { reason }) };
  }
  const recipients = envelope.recipients.map((recipient, index) => ({
    address: mailboxText('forwardPath' in recipient ? recipient.forwardPath : recipient),
    verdict: event.verdicts[index]?.verdict ?? 'deferred',
  }));
  const verdicts = [...new Set(recipients.map(({ verdict }) => verdict))];
  return { about: 'message', outcome: verdicts.join(', '), length, recipients };
}

export function failureText(
  failure: Extract<ClientProtocolEvent, { readonly type: 'failed' }>['failure'],
): string {
  const { phase } = failure;
  switch (failure.kind) {
    case 'refused': {
      // What is said in an AUTH exchange may quote what the client has said.
      const { code, enhancedCode } = failure.reply;
      const reply = phase === 'auth' ? [code, enhancedCode].join(' ').trim() : replyText(failure.reply);
      return `the server refused (${phase}): ${reply}`;
    }
    case 'timeout':
      return `nothing came in time (${phase})`;
    case 'lost':
      return `the connection was lost (${phase})`;
    case 'protocol':
    case 'tls':
      return `${failure.error.message} (${phase})`;
    case 'notOffered':
      return `the server does not offer ${failure.keyword} as it is wanted (${phase})`;
    case 'withheld':
    case 'authentication':
      return `${failure.reason} (${phase})`;
  }
}

const HEX = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

export function hex(octets: Uint8Array): string {
  let text = '';
  for (const octet of octets) text += HEX[octet];
  return text;
}
