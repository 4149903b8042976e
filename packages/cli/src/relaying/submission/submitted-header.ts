/**
 * A message that is submitted, on its way into the queue. Its header section is looked at, octet by octet and never held; the
 * text after it passes as it is.
 *
 * A missing `Date` or `Message-ID` is added, at the end of the header section (RFC 6409 §8). `Bcc` and `Resent-Bcc` are taken
 * out (RFC 5322 §3.6.3, §3.6.6), with the lines that continue them. A message without a header section gets one.
 *
 * Lines end in CRLF: the server refuses others, or has made them so.
 */

/** What is added where it is missing. */
export interface Completion {
  /** RFC 5322 §3.3. */
  readonly date: string;
  /** With its angle brackets. */
  readonly messageId: string;
}

/** The fields that say who is not to be seen. */
const BLIND = ['bcc', 'resent-bcc'];

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** Octets of a line without its CRLF (RFC 5322 §2.1.1), and so of a name: with more before its colon it is no field. */
const MAXIMUM_HEAD = 998;

/** Yields the message. */
export async function* completeHeader(
  message: AsyncIterable<Uint8Array>,
  completion: Completion,
): AsyncGenerator<Uint8Array> {
  const header = new Header(completion);
  for await (const chunk of message) {
    const passed = header.isOver ? chunk : header.push(chunk);
    if (passed.length > 0) yield passed;
  }
  const rest = header.isOver ? undefined : header.end();
  if (rest !== undefined && rest.length > 0) yield rest;
}

class Header {
  readonly #completion: Completion;
  /** What passes of this chunk. */
  #passed: Uint8Array[] = [];
  /**
   * The beginning of a line, until it is known whether it begins a field; it waits here. Undefined: that is known, or the
   * line continues a field.
   */
  #head: number[] | undefined;
  #atLineStart = true;
  #isFirstLine = true;
  /** The field is left out, with the lines that continue it. */
  #isLeftOut = false;
  #hasDate = false;
  #hasMessageId = false;
  isOver = false;

  constructor(completion: Completion) {
    this.#completion = completion;
  }

  /** @returns what passes of it, and of what waited */
  push(chunk: Uint8Array): Uint8Array {
    /** Where that begins of which it is known that it passes, or is left out. */
    let from = 0;
    for (let i = 0; i < chunk.length && !this.isOver; i++) {
      const octet = chunk[i] as number;
      if (this.#atLineStart) {
        const continues = (octet === SPACE || octet === TAB) && !this.#isFirstLine;
        if (!continues) {
          this.#pass(chunk.subarray(from, i));
          this.#isLeftOut = false;
          this.#head = [];
          from = i;
        }
      }
      this.#atLineStart = octet === LF;
      if (this.#atLineStart) this.#isFirstLine = false;
      if (this.#head === undefined) continue;
      this.#head.push(octet);
      from = i + 1;
      this.#look(this.#head, octet);
    }
    this.#pass(chunk.subarray(from));
    const passed = this.#passed;
    this.#passed = [];
    return passed.length === 1 ? (passed[0] as Uint8Array) : Buffer.concat(passed);
  }

  /** The message ends within its header section. */
  end(): Uint8Array {
    this.#finish(this.#head ?? []);
    return Buffer.concat(this.#passed);
  }

  #pass(octets: Uint8Array): void {
    if (!this.#isLeftOut && octets.length > 0) this.#passed.push(octets);
  }

  /** Looks at the beginning of a line, to which `octet` was added. */
  #look(head: number[], octet: number): void {
    if (octet === COLON && head.length > 1) {
      this.#beginField(
        String.fromCharCode(...head.slice(0, -1))
          .trimEnd()
          .toLowerCase(),
        head,
      );
      return;
    }
    const isBlank = octet === SPACE || octet === TAB;
    // Blanks may stand in front of the colon (RFC 5322 §4.5), and nowhere else in a name.
    const before = head[head.length - 2];
    const isOfName = isBlank ? before !== undefined : octet > SPACE && octet < 0x7f && octet !== COLON;
    const isBehindBlank = !isBlank && (before === SPACE || before === TAB);
    if (isOfName && !isBehindBlank && head.length <= MAXIMUM_HEAD) return;
    if (this.#isFirstLine && /^>?From $/.test(String.fromCharCode(...head.slice(0, -1)))) {
      // The line by which a mailbox file begins a message (RFC 4155).
      this.#passHead(head);
      return;
    }
    this.#finish(head);
  }

  #beginField(name: string, head: readonly number[]): void {
    this.#hasDate ||= name === 'date';
    this.#hasMessageId ||= name === 'message-id';
    this.#isLeftOut = BLIND.includes(name);
    this.#passHead(head);
  }

  #passHead(head: readonly number[]): void {
    this.#pass(Uint8Array.from(head));
    this.#head = undefined;
  }

  /** The header section is over. Adds what is missing; after it comes what waits, an empty line or the text itself. */
  #finish(head: readonly number[]): void {
    const isSeparated = head.length === 0 || head[0] === CR || head[0] === LF;
    this.isOver = true;
    this.#isLeftOut = false;
    const { date, messageId } = this.#completion;
    const fields = [
      ...(this.#hasDate ? [] : [`Date: ${date}\r\n`]),
      ...(this.#hasMessageId ? [] : [`Message-ID: ${messageId}\r\n`]),
    ].join('');
    if (fields !== '') this.#pass(Buffer.from(isSeparated ? fields : `${fields}\r\n`));
    this.#passHead(head);
  }
}
