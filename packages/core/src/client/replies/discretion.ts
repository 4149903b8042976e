/**
 * What of a server's words must not be shown once credentials were sent to it: a server may quote them, in the SASL
 * exchange (RFC 4954 §4) or in any later reply, and replies go into verdicts, errors and logs.
 *
 * A text that quotes them is withheld as a whole, so that nothing gives away where in it they stood.
 */
import { encodeBase64 } from '../../sasl/exchange/base64.js';
import type { ClientCredentials } from '../../sasl/exchange/exchange.js';
import { Secret } from '../../secret.js';
import { decodeText } from '../../wire/octets.js';
import type { Reply } from '../../wire/replies/reply.js';

/** What is shorter stands in many a text by chance, and to withhold that text would give it away. */
const LEAST_SECRET_OCTETS = 4;

export class Discretion {
  /** The password or token, as it is and as it may be written; the responses of the exchange in base64. */
  readonly #secrets: Secret[] = [];

  constructor(credentials: ClientCredentials) {
    if (credentials.kind === 'external') return;
    const secret = credentials.kind === 'password' ? credentials.password : credentials.token;
    const octets = secret.reveal();
    const hex = Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
    this.add(secret);
    for (const form of [encodeBase64(octets).replace(/={1,2}$/, ''), hex, hex.toUpperCase()]) {
      this.add(new Secret(form));
    }
  }

  add(secret: Secret): void {
    if (secret.reveal().length >= LEAST_SECRET_OCTETS) this.#secrets.push(secret);
  }

  /** The reply, without its text if that quotes a secret. */
  reply(reply: Reply): Reply {
    const text = reply.lines.join('\n');
    const quotes = this.#secrets.some((secret) => {
      const secretText = decodeText(secret.reveal());
      return secretText !== undefined && text.includes(secretText);
    });
    return quotes ? { ...reply, lines: ['(its text quotes the credentials)'] } : reply;
  }

  /** @param line of a reply or of anything else, as it was received */
  isQuotedIn(line: Uint8Array): boolean {
    const text = characters(line);
    return this.#secrets
      .map((secret) => secret.reveal())
      .some((octets) => octets.length <= line.length && text.includes(characters(octets)));
  }
}

/** One for each octet, whatever they spell. */
function characters(octets: Uint8Array): string {
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join('');
}
