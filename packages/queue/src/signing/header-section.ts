/** A message taken apart at the end of its header section, and the fields of that as they are signed (RFC 6376 §3.4.2). */

/** Octets of a header section that are looked at; a message with a longer one is not signed. */
const LONGEST_HEADER = 1_048_576;

export interface Field {
  /** In lower case. */
  readonly name: string;
  /** As it stands in the message after the colon, each octet a character; folded where it is. */
  readonly value: string;
}

/** Cuts a message where its body begins. It is fed until it says so. */
export class HeaderSection {
  #chunks: Buffer[] = [];
  #length = 0;
  /** Nothing but an end of line since the last one. */
  #atLineStart = true;
  #ended = false;

  /** The body has begun. */
  get ended(): boolean {
    return this.#ended;
  }

  /** It is longer than may be. */
  get isTooLong(): boolean {
    return this.#length > LONGEST_HEADER;
  }

  /** @returns what of the chunk belongs to the body */
  update(chunk: Uint8Array): Uint8Array {
    for (let i = 0; i < chunk.length; i++) {
      const octet = chunk[i];
      if (octet === 0x0a) {
        if (this.#atLineStart) {
          this.#ended = true;
          this.#take(chunk.subarray(0, i + 1));
          return chunk.subarray(i + 1);
        }
        this.#atLineStart = true;
      } else if (octet !== 0x0d) this.#atLineStart = false;
    }
    this.#take(chunk);
    return new Uint8Array(0);
  }

  fields(): Field[] {
    const fields: Field[] = [];
    let field = '';
    const end = (): void => {
      const colon = field.indexOf(':');
      // A line that is none ends what can be signed with a name; it stays where it is.
      if (colon > 0) {
        fields.push({ name: field.slice(0, colon).trim().toLowerCase(), value: field.slice(colon + 1) });
      }
      field = '';
    };
    for (const line of Buffer.concat(this.#chunks).toString('latin1').split(/\r?\n/)) {
      if (/^[ \t]/.test(line)) field += line;
      else {
        end();
        field = line;
      }
    }
    end();
    return fields;
  }

  #take(octets: Uint8Array): void {
    this.#length += octets.length;
    if (!this.isTooLong) this.#chunks.push(Buffer.from(octets));
  }
}

/** The field as it is hashed, its end of line left out. */
export function relaxed({ name, value }: Field): string {
  return `${name}:${value
    .split(/[ \t]+/)
    .filter((word) => word !== '')
    .join(' ')}`;
}
