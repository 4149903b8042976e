/** `_parseAddressCommand()` of smtp-server, which programs and tests call by hand; sessions read commands by themselves. */
import { parseMailbox } from '@sansmtp/core';
import type { SMTPServerAddress, SMTPServerAddressArgs } from '../types.js';
import { addressOf, decodeXtext, hasStrayDots, isUnsafe, shownDomain } from './address.js';

/** @returns `false` where the command is another, or its address or a parameter is none */
export function parseAddressCommand(
  name: string,
  command: string,
  lenient: boolean,
): SMTPServerAddress | false {
  const colon = command.indexOf(':');
  if (colon < 0 || command.slice(0, colon).trim().toUpperCase() !== name.trim().toUpperCase()) return false;
  const [path = '', ...parameters] = command
    .slice(colon + 1)
    .trim()
    .split(/ +/);
  const address = readPath(path, lenient, /^rcpt to$/i.test(name.trim()));
  const args = readParameters(parameters);
  return address === undefined || args === undefined ? false : { address, args };
}

function readPath(path: string, lenient: boolean, isRecipient: boolean): string | undefined {
  const text = /^<(?:@[^\s:]+:)?([^<>]*)>$/.exec(path)?.[1];
  if (text === undefined || isUnsafe(text)) return undefined;
  if (text === '' || (isRecipient && text.toLowerCase() === 'postmaster')) return text;
  if (lenient) {
    const [, localPart, domain] = /^([^@]+)@([^@]+)$/.exec(text) ?? [];
    return domain === undefined ? undefined : `${localPart}@${shownDomain(domain) ?? domain}`;
  }
  if (text.endsWith('.')) return undefined;
  const mailbox = parseMailbox(text, true);
  if ('failure' in mailbox || hasStrayDots(mailbox)) return undefined;
  const isLiteral = mailbox.domain.startsWith('[');
  return isLiteral && shownDomain(mailbox.domain) === undefined ? undefined : addressOf(mailbox);
}

function readParameters(parameters: readonly string[]): SMTPServerAddressArgs | false | undefined {
  const args: SMTPServerAddressArgs = {};
  for (const parameter of parameters) {
    const equals = parameter.indexOf('=');
    const keyword = (equals < 0 ? parameter : parameter.slice(0, equals)).toUpperCase();
    const value = equals < 0 ? '' : decodeXtext(parameter.slice(equals + 1));
    if (/\p{Cc}/u.test(value)) return undefined;
    if (keyword !== '') args[keyword] = value || true;
  }
  return Object.keys(args).length > 0 ? args : false;
}
