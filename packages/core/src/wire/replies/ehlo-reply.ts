/**
 * The reply to EHLO (RFC 5321 §4.1.1.1 `ehlo-ok-rsp`): the server's domain, then a line for each service
 * extension. It carries no enhanced status code (RFC 2034 §3).
 */
import type { Reply } from './reply.js';

/** What a server says of itself in its reply to EHLO. */
export interface EhloReply {
  /** The domain or address literal that it gave, as it was given: unverified. */
  readonly domain: string;
  /** EHLO keywords in upper case, with the text of their parameters: `SIZE` → `1000`, or empty for none. */
  readonly keywords: ReadonlyMap<string, string>;
}

/**
 * What the 250 reply to EHLO says. Lines that are no `ehlo-line` are passed over, as is all but the first line
 * of a keyword. But all lines of AUTH count, each mechanism once: `AUTH=LOGIN PLAIN`, too, which some servers send for
 * the sake of very old clients, with other mechanisms than their AUTH has.
 */
export function parseEhloReply(reply: Reply): EhloReply {
  const [first = '', ...keywordLines] = reply.lines;
  const keywords = new Map<string, string>();
  const mechanisms = new Map<string, string>();
  for (const line of keywordLines) {
    const match = /^([\dA-Za-z][\dA-Za-z-]*)([ =]|$)([ -~]*)$/.exec(line);
    if (match === null) continue;
    const [, written = '', separator, parameters = ''] = match;
    const keyword = written.toUpperCase();
    if (keyword === 'AUTH') {
      for (const name of parameters.split(' ')) {
        const key = name.toUpperCase();
        if (name !== '' && !mechanisms.has(key)) mechanisms.set(key, name);
      }
      keywords.set('AUTH', [...mechanisms.values()].join(' '));
    } else if (separator !== '=' && !keywords.has(keyword)) {
      keywords.set(keyword, parameters.trim());
    }
  }
  return { domain: first.split(' ', 1)[0] ?? '', keywords };
}
