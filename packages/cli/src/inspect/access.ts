/**
 * Who may see what the page is served with: whoever knows the token, which stands in the fragment of the URL that was
 * printed, and is exchanged for a cookie. Fragments are sent to nobody, and stand in no log.
 *
 * `Host` and `Origin` are checked, so that no site can reach the page by a name of its own that leads here (DNS
 * rebinding), nor ask for anything in the name of who looks at it.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const HOSTS: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/** Whether the request was meant for this page, and comes from it, or opens it. */
export function isAtHome({ headers, method }: IncomingMessage, port: number): boolean {
  const { host = '', origin } = headers;
  const [, name = ''] = /^(.*?)(?::\d+)?$/.exec(host) ?? [];
  const isOurs = HOSTS.has(name) && (host === `${name}:${port}` || (port === 80 && host === name));
  if (!isOurs) return false;
  const { 'sec-fetch-site': site = 'same-origin', 'sec-fetch-mode': mode } = headers;
  // A link to it may stand anywhere; the cookie does not come along then.
  const isOpened = mode === 'navigate' && method === 'GET';
  if (site !== 'same-origin' && site !== 'none' && !isOpened) return false;
  return origin === undefined || origin === `http://${host}`;
}

export class Access {
  readonly token = randomBytes(32).toString('base64url');
  readonly #cookie = randomBytes(32).toString('base64url');
  readonly #name: string;

  /** @param port cookies do not tell ports apart: its name does */
  constructor(port: number) {
    this.#name = `sansmtp-${port}`;
  }

  /** The cookie, if the token is right. */
  cookieFor(token: unknown): string | undefined {
    if (typeof token !== 'string' || !isEqual(token, this.token)) return undefined;
    return `${this.#name}=${this.#cookie}; HttpOnly; SameSite=Strict; Path=/`;
  }

  isAllowed({ headers }: IncomingMessage): boolean {
    const cookies = (headers.cookie ?? '').split(';').map((each) => each.trim());
    const prefix = `${this.#name}=`;
    return cookies.some(
      (each) => each.startsWith(prefix) && isEqual(each.slice(prefix.length), this.#cookie),
    );
  }
}

function isEqual(given: string, secret: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
}
