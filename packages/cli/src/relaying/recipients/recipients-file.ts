/**
 * The file of `--recipients`: who exists in routed domains, an address a line; `@DOMAIN` is everybody there. Blank lines and
 * those that begin with `#` are skipped. It is taken whole or not at all.
 *
 * Local-parts have no case here: the next hop may tell cases apart, but hardly any does, and it decides again anyway.
 */
import type { ForwardPath } from '@sansmtp/core';
import { parseMailbox } from '@sansmtp/core';
import { comparableDomain } from '@sansmtp/delivery';
import { linesOf, readOptionFile } from '../../option-file.js';

/** Of addresses, as `keyOf` writes them. */
export type KnownRecipients = ReadonlySet<string>;

function keyOf(localPart: string, domain: string): string {
  return `${localPart.toLowerCase()}@${domain}`;
}

/** @param domain as `comparableDomain` gives it */
export function isKnown(known: KnownRecipients, { localPart }: ForwardPath, domain: string): boolean {
  return known.has(keyOf(localPart, domain)) || known.has(`@${domain}`);
}

/** @throws {RangeError} it is no such file; the message names the line */
export function parseRecipients(octets: Uint8Array): KnownRecipients {
  const known = new Set<string>();
  for (const [number, line] of linesOf(octets)) {
    const key = line.startsWith('@') ? everybodyAt(line.slice(1)) : oneOf(line);
    if (key === undefined) {
      throw new RangeError(`line ${number} is neither an address nor @DOMAIN`);
    }
    known.add(key);
  }
  return known;
}

function everybodyAt(text: string): string | undefined {
  const domain = comparableDomain(text);
  return domain === undefined ? undefined : `@${domain}`;
}

function oneOf(text: string): string | undefined {
  const mailbox = parseMailbox(text, true);
  if ('failure' in mailbox) return undefined;
  const domain = comparableDomain(mailbox.domain);
  return domain === undefined ? undefined : keyOf(mailbox.localPart, domain);
}

/** @throws {RangeError} it cannot be read, or is malformed: the message names the option and the file */
export async function readRecipientsFile(path: string): Promise<KnownRecipients> {
  const octets = await readOptionFile('--recipients', path);
  try {
    return parseRecipients(octets);
  } catch (error) {
    throw new RangeError(`--recipients: ${path}: ${(error as Error).message}`);
  }
}
