/** Whether a message loops: each host that it has passed has put a `Received` field in front of it (RFC 5321 §6.3). */

/** It has passed too many hosts. A server's `onMessage` that throws it answers 554 5.4.6. */
export class TooManyHopsError extends Error {
  override readonly name = 'TooManyHopsError';
  readonly responseCode = 554;
  readonly enhancedCode = '5.4.6';

  constructor(maximum: number) {
    super(`The message has more than ${maximum} Received fields: it loops`);
  }
}

const LF = 10;
const CR = 13;
const FIELD = Array.from('received', (character) => character.charCodeAt(0));

/**
 * The message as it is, read through.
 * @throws {TooManyHopsError} as soon as its header section has more such fields
 */
export async function* withHopsCounted(
  message: AsyncIterable<Uint8Array>,
  maximum: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let inHeader = true;
  let hops = 0;
  /** Octets of the line so far; only whether it is empty and how it begins counts. */
  let length = 0;
  let matches = true;
  let isName = false;
  for await (const chunk of message) {
    for (let i = 0; inHeader && i < chunk.length; i++) {
      const octet = chunk[i] as number;
      if (octet === LF) {
        if (length === 0) inHeader = false;
        length = 0;
        matches = true;
        isName = false;
        continue;
      }
      if (octet === CR) continue;
      if (matches) {
        if (isName) {
          // White space may stand between the name and the colon in old messages (RFC 5322 §4.5).
          if (octet === 58) {
            hops += 1;
            if (hops > maximum) throw new TooManyHopsError(maximum);
            matches = false;
          } else if (octet !== 32 && octet !== 9) matches = false;
        } else if ((octet | 32) !== FIELD[length]) matches = false;
        else if (length === FIELD.length - 1) isName = true;
      }
      length += 1;
    }
    yield chunk;
  }
}
