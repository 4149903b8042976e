/**
 * The envelope of one mail transaction, as the server that it is for can take it.
 */
import {
  type ClientEnvelope,
  type ClientRecipient,
  ExtensionNotOfferedError,
  type Mailbox,
  type ReversePath,
} from '@sansmtp/core';
import { toAsciiDomain } from '../routing/internationalized-domain.js';
import { isAscii } from '../text/ascii.js';

function inAscii<Path extends Mailbox>(path: Path): Path {
  const converted = toAsciiDomain(path.domain);
  return converted.kind === 'domain' ? { ...path, domain: converted.domain } : path;
}

function hasAsciiDomain(path: ReversePath): boolean {
  return path === null || isAscii(path.domain);
}

/**
 * The envelope as this server can take it: without SMTPUTF8, domains are written in ASCII (RFC 6531 §3.2).
 * @throws {ExtensionNotOfferedError} the message holds octets above 127, which this server does not take, and encoding
 *   it anew is not a transport's work (RFC 6152 §3)
 */
export function fitting(envelope: ClientEnvelope, keywords: ReadonlyMap<string, string>): ClientEnvelope {
  if (envelope.parameters?.body === '8BITMIME' && !keywords.has('8BITMIME')) {
    throw new ExtensionNotOfferedError('8BITMIME');
  }
  if (keywords.has('SMTPUTF8')) return envelope;
  const { reversePath, recipients } = envelope;
  if (hasAsciiDomain(reversePath) && recipients.every(hasAsciiDomain)) return envelope;
  return {
    ...envelope,
    reversePath: reversePath && inAscii(reversePath),
    recipients: recipients.map(inAscii),
  };
}

/**
 * The envelope for some of its recipients.
 * @param batch their places in it, in the order in which they are sent: what was left over by one server comes last
 * @param size octets of the message, as far as they are known; what the envelope says of itself goes before it
 */
export function transactionOf(
  { reversePath, parameters, recipients }: ClientEnvelope,
  batch: readonly number[],
  size: number | undefined,
): ClientEnvelope {
  return {
    reversePath,
    recipients: batch.map((place) => recipients[place] as ClientRecipient),
    ...(size !== undefined ? { parameters: { size, ...parameters } } : parameters && { parameters }),
  };
}
