/** A message as a test looks at it. */
import { type Envelope, formatMailbox } from '@sansmtp/core';

export interface ReceivedMessage<Parsed = undefined> {
  /** The reverse-path, such as `ann@example.org`; `<>` for the null reverse-path. */
  readonly from: string;
  /** The forward-paths, in the order of RCPT. */
  readonly to: readonly string[];
  /** With all parameters of MAIL and RCPT. */
  readonly envelope: Envelope;
  /** The mail data to the octet, transparency undone. */
  readonly raw: Uint8Array;
  /** The mail data as text, read as UTF-8. */
  readonly text: string;
  /** What the option `parse` has made of it. */
  readonly parsed: Parsed;
  /** The session that brought it. */
  readonly sessionId: string;
  /** Who had authenticated themselves. */
  readonly user?: string;
  /** Whether TLS protected it. */
  readonly secure: boolean;
}

interface Decoder {
  decode(octets: Uint8Array): string;
}

/** The host's; none is known to the compiler here. */
export function utf8(): Decoder {
  return new (Reflect.get(globalThis, 'TextDecoder') as new () => Decoder)();
}

export function receivedMessage<Parsed>(
  envelope: Envelope,
  raw: Uint8Array,
  parsed: Parsed,
  session: Pick<ReceivedMessage, 'sessionId' | 'user' | 'secure'>,
): ReceivedMessage<Parsed> {
  return {
    from: formatMailbox(envelope.reversePath),
    to: envelope.recipients.map(({ forwardPath }) => formatMailbox(forwardPath)),
    envelope,
    raw,
    text: utf8().decode(raw),
    parsed,
    ...session,
  };
}

const SHOWN_RECIPIENTS = 5;

/** In a line, for the errors of tests: `ann@example.org to bob@example.com: "Subject: hello"`. */
export function describeMessage({ from, to, text }: ReceivedMessage<unknown>): string {
  const more = to.length > SHOWN_RECIPIENTS ? ` and ${to.length - SHOWN_RECIPIENTS} more` : '';
  const headerSection = text.split(/\r?\n\r?\n/, 1)[0] ?? '';
  const subject = headerSection.split(/\r?\n/).find((line) => /^subject:/i.test(line)) ?? 'without a subject';
  return `${from} to ${to.slice(0, SHOWN_RECIPIENTS).join(', ')}${more}: ${JSON.stringify(subject.slice(0, 100))}`;
}

export function describeMessages(messages: readonly ReceivedMessage<unknown>[]): string {
  if (messages.length === 0) return 'No message has arrived.';
  return [
    messages.length === 1 ? 'One message has arrived:' : `${messages.length} messages have arrived:`,
    ...messages.map((message) => `  ${describeMessage(message)}`),
  ].join('\n');
}
