/**
 * The extension table: every service extension that both ends speak, in the order in which EHLO lists them, and
 * how a session asks it. A new extension is a file of its own and a row here.
 */

import type { Parameter } from '../wire/command.js';
import type { Reply } from '../wire/reply.js';
import { eightBitMime } from './eight-bit-mime.js';
import { enhancedStatusCodes } from './enhanced-status-codes.js';
import type { OfferOptions, ServiceExtension } from './extension.js';
import { help } from './help.js';
import type { MailParameters } from './parameters.js';
import { pipelining } from './pipelining.js';
import { size } from './size.js';

const extensions: readonly ServiceExtension[] = [pipelining, size, eightBitMime, enhancedStatusCodes, help];

/** Octets that a MAIL command line may be longer than any other, all extensions together. */
export const ADDITIONAL_MAIL_OCTETS = extensions.reduce(
  (sum, { additionalMailOctets = 0 }) => sum + additionalMailOctets,
  0,
);

/** The lines of the reply to EHLO after the first. */
export function offeredKeywords(options: OfferOptions): string[] {
  return extensions.map(({ keyword, offer }) =>
    offer === undefined ? keyword : `${keyword} ${offer(options)}`,
  );
}

/** The parameters of a MAIL command in typed form, or the reply that refuses them. */
export function readMailParameters(
  parameters: readonly Parameter[],
  options: OfferOptions,
): { readonly parameters: MailParameters } | { readonly refusal: Reply } {
  let typed: MailParameters = {};
  for (const { keyword, value } of parameters) {
    const rule = extensions.find(({ mailParameter }) => mailParameter?.keyword === keyword)?.mailParameter;
    if (rule === undefined) return { refusal: unknownParameter(keyword, 'MAIL') };
    const read = rule.parse(value, options);
    if ('code' in read) return { refusal: read };
    typed = { ...typed, ...read };
  }
  return { parameters: typed };
}

/** RFC 5321 §4.1.1.11: a parameter that no offered extension defines. */
export function unknownParameter(keyword: string, verb: 'MAIL' | 'RCPT'): Reply {
  const text = `${keyword.slice(0, 64)} is not a parameter of ${verb} that was offered`;
  return { code: 555, enhancedCode: '5.5.4', lines: [text] };
}

/** The parameters that a client sends with MAIL to a server that offered `keywords`. */
export function writeMailParameters(
  parameters: MailParameters,
  keywords: ReadonlyMap<string, string>,
): Parameter[] {
  return extensions.flatMap(({ keyword, mailParameter }) => {
    if (mailParameter === undefined || !keywords.has(keyword)) return [];
    const value = mailParameter.format(parameters);
    return value === undefined ? [] : [{ keyword: mailParameter.keyword, value }];
  });
}
