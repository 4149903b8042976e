/**
 * The values that options take: from text, or an `InvalidArgumentError` that says what is allowed. Commander puts
 * the option and the text in front of it.
 */
import { isIPv6 } from 'node:net';
import { hostname as machineName } from 'node:os';
import { type Address, isHostName, type Mailbox, parseMailbox, readForwardPath } from '@sansmtp/core';
import { comparableDomain } from '@sansmtp/delivery';
import { trustedPeers } from '@sansmtp/transport-node';
import { InvalidArgumentError } from 'commander';

/** The longest time that a timer can wait for, in seconds: 2^31 − 1 milliseconds. */
const MAXIMUM_SECONDS = 2_147_483;

function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = maximum === Number.MAX_SAFE_INTEGER ? `${minimum} or more` : `from ${minimum} to ${maximum}`;
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`Give a whole number, ${range}.`);
    }
    return value;
  };
}

export const count = wholeNumber(1);

/** A limit; 0 is none. */
export const countOrNone = wholeNumber(0);

/** The longest line of a text in octets, its CRLF included. */
export const lineLength = wholeNumber(2);

/** A port to connect to. */
export const port = wholeNumber(1, 65_535);

/** A port to listen on; 0 is any free one. */
export const listeningPort = wholeNumber(0, 65_535);

/** A time in seconds, with decimals if need be. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(?:\.\d+)?$/.test(text) || value > MAXIMUM_SECONDS) {
    throw new InvalidArgumentError(`Give a number of seconds from 0 to ${MAXIMUM_SECONDS}.`);
  }
  return value;
}

/** A time in seconds that is more than none. */
export function deadline(text: string): number {
  const value = seconds(text);
  if (value === 0) throw new InvalidArgumentError('Give more than 0 seconds.');
  return value;
}

/** A domain or an address literal. */
export function hostName(text: string): string {
  if (isHostName(text)) return text;
  throw new InvalidArgumentError('Give a domain name, or an address literal such as [192.0.2.1].');
}

/** The machine's name if SMTP can say it, else undefined: some have names that are no domain. */
export function machineHostName(): string | undefined {
  const name = machineName();
  return isHostName(name) ? name : undefined;
}

/**
 * Where to connect to or to listen: looked up by the system, so it is not for us to say what a name looks like. An IPv6
 * address may stand in brackets, as where a port follows. Empty it is none: Node would listen on every address.
 */
export function host(text: string): string {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined && isIPv6(bracketed)) return bracketed;
  if (/^[!-Z\\^-~]+$/.test(text)) return text;
  throw new InvalidArgumentError('Give a host name or an IP address.');
}

/** A file, a folder or a socket. Empty it is none: Node would take it for the working directory, or for no socket. */
export function path(text: string): string {
  if (text !== '') return text;
  throw new InvalidArgumentError('Give a path; it cannot be empty.');
}

/** Whom to authenticate as: any text, but none that would end a line or a field for somebody. */
export function userName(text: string): string {
  if (/^\P{Cc}+$/u.test(text)) return text;
  throw new InvalidArgumentError('Give a name without control characters; it cannot be empty.');
}

/** A mailbox, without angle brackets. */
export function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text, true);
  if (!('failure' in parsed)) return parsed;
  throw new InvalidArgumentError(`${parsed.problem}.`);
}

/** A mailbox, or `<>` for the null reverse-path: not null, which commander would take for no value. */
export function sender(text: string): Mailbox | '<>' {
  return text === '<>' ? text : mailbox(text);
}

/**
 * Whom to deliver to. Only what no line can carry is refused here: what cannot be sent otherwise concerns this one
 * recipient, and the others get their mail. It stays the text that it is: of `a@b@c` nobody can say whom it means.
 */
function recipient(text: string): Address {
  if (text === '') throw new InvalidArgumentError('Give an address; it cannot be empty.');
  if (!text.includes('@')) throw new InvalidArgumentError('Give an address with its domain.');
  if (/[\r\n\0]/.test(text)) throw new InvalidArgumentError('An address holds no line end and no NUL.');
  try {
    return readForwardPath(text);
  } catch {
    return text;
  }
}

/** For an option that may be repeated. */
export function recipients(text: string, previous: readonly Address[] = []): readonly Address[] {
  return [...previous, recipient(text)];
}

/** For an option that may be repeated: addresses, networks such as 192.0.2.0/24, or `unix`. */
export function networks(text: string, previous: readonly string[] = []): readonly string[] {
  try {
    trustedPeers([text]);
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
  return [...previous, text];
}

/** For an option that may be repeated. In ASCII and lower case, which says the same (RFC 5321 §2.4, RFC 5890). */
export function domains(text: string, previous: ReadonlySet<string> = new Set()): ReadonlySet<string> {
  const domain = comparableDomain(text);
  if (domain !== undefined) return new Set([...previous, domain]);
  throw new InvalidArgumentError('Give a domain name, or an address literal such as [192.0.2.1].');
}
