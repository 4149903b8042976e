/**
 * What the peer sent and nobody has read yet, handed out as lines (commands, replies) or raw (mail data).
 *
 * - A line ends in CRLF, full stop (RFC 5321 §2.3.8). Only where bare LFs are to be normalized one of these ends it, too.
 * - What comes out depends on the octets alone, never on how they were cut into chunks, limits included.
 * - Each line yields one result. A line that is too long or malformed is reported at the octet that makes it
 *   so, whether or not its end has come; what remains of it is then dropped unread.
 * - Chunks are kept as views: whoever pushes one must not write into it afterwards, unless `copyHeld()` was called.
 * - An unfinished line that reaches the end of its chunk is copied out of it, so that three octets do not keep
 *   64 KiB alive. That copy, the carry, is smaller than `maximumLength`, has been scanned, and holds no line
 *   end: nothing is scanned twice, not even when octets come one by one.
 */

import { type OrdinaryCommand, ordinaryCommand } from './commands/ordinary-command.js';
import { CR, concatenate, copyOctets, LF, NOTHING, NUL } from './octets.js';

/** What to do with a bare CR, a bare LF or a NUL. None of these ever ends a message. */
export type BareNewline =
  /** Refuse the line, or the message, in which it stands. */
  | 'reject'
  /** Take a bare LF for CRLF, and refuse a bare CR and a NUL. */
  | 'normalize'
  /** Let it be part of the line, verbatim. */
  | 'keep';

/** An octet that may not stand in a line: a CR without its LF, an LF without its CR, or a NUL. */
export type BareOctet = 'bareCarriageReturn' | 'bareLineFeed' | 'nul';

/** One line of the peer. */
export type InboundLine =
  /**
   * Well-formed. The octets do not include the line end; usually they are a view into what was pushed.
   * `endsInBareLineFeed`: that is an LF alone. Only with `bareNewline: 'normalize'`.
   */
  | { readonly kind: 'line'; readonly octets: Uint8Array; readonly endsInBareLineFeed?: true }
  /** `beginning`: its first nine octets, or those up to the one that condemns it, if that is one of them. */
  | { readonly kind: 'tooLong'; readonly beginning: Uint8Array }
  /** The octet that is met first stands in it. Not with `bareNewline: 'keep'`. */
  | { readonly kind: 'malformed'; readonly beginning: Uint8Array; readonly bare: BareOctet };

/** Longer than `maximumLength`, or what makes it malformed. */
type Verdict = 'tooLong' | BareOctet;

/** A chunk behind the one that is being read. Linked, since shifting an array of thousands is quadratic. */
interface Waiting {
  chunk: Uint8Array;
  next: Waiting | undefined;
}

/** By which one knows the verbs of commands and the methods of HTTP: the longest is STARTTLS, with what follows it. */
const BEGINNING_OCTETS = 9;

/** The least that is allocated for a carry: most commands fit. */
const CARRY_CAPACITY = 64;

export class InboundBuffer {
  readonly #bareNewline: BareNewline;
  #length = 0;
  /** The chunk that is being read, from `#offset` on; `NOTHING` when all chunks are read. */
  #chunk: Uint8Array = NOTHING;
  #offset = 0;
  #firstWaiting: Waiting | undefined;
  #lastWaiting: Waiting | undefined;
  /** The chunk is what was pushed, and no copy. */
  #isView = false;
  /** The first of those waiting that is no copy; nor is any after it. */
  #firstView: Waiting | undefined;
  /** Holds the carry in its first `#carried` octets. They come before those of `#chunk`. */
  #carry = NOTHING;
  #carried = 0;
  /** While the rest of a reported line is being dropped: the octet dropped last. */
  #lastSkipped: number | undefined;

  constructor(bareNewline: BareNewline) {
    this.#bareNewline = bareNewline;
  }

  /** How many octets are held unread. */
  get length(): number {
    return this.#length;
  }

  /** Takes what the peer sent, as a view. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#length += chunk.length;
    if (this.#chunk.length === 0) {
      this.#chunk = chunk;
      this.#isView = true;
      return;
    }
    const waiting: Waiting = { chunk, next: undefined };
    this.#firstView ??= waiting;
    if (this.#lastWaiting === undefined) this.#firstWaiting = waiting;
    else this.#lastWaiting.next = waiting;
    this.#lastWaiting = waiting;
  }

  /**
   * The next line, or `undefined` until more is pushed.
   *
   * @param maximumLength in octets with the CRLF, at least 2, possibly infinite: 512 for a command
   * (RFC 5321 §4.5.3.1.4). A line is too long as soon as that many octets of it are here and do not end it.
   */
  nextLine(maximumLength: number): InboundLine | undefined {
    if (this.#lastSkipped !== undefined && !this.#skip(this.#lastSkipped)) return undefined;
    const keep = this.#bareNewline === 'keep';
    // Only when the limit was lower this time than when the carry was made.
    if (this.#carried >= maximumLength) {
      const beginning = this.#carry.slice(0, Math.min(BEGINNING_OCTETS, maximumLength));
      this.#lastSkipped = this.#carry[this.#carried - 1] as number;
      this.#dropCarry();
      return { kind: 'tooLong', beginning };
    }
    while (this.#chunk.length > 0) {
      const chunk = this.#chunk;
      const start = this.#offset;
      const end = Math.min(chunk.length, start + maximumLength - this.#carried);
      if (this.#carried > 0 && this.#carry[this.#carried - 1] === CR) {
        if (chunk[start] === LF) return this.#take(start + 1, 2);
        if (!keep) return this.#refuse(start, 'bareCarriageReturn');
      }
      for (let i = start; i < end; i++) {
        const octet = chunk[i] as number;
        // Every octet of interest is at most CR, and few others are: one comparison for nearly all.
        if (octet > CR || (keep && octet !== CR)) continue;
        if (octet === CR) {
          if (i + 1 === end) break;
          if (chunk[i + 1] === LF) return this.#take(i + 2, 2);
          if (!keep) return this.#refuse(i + 1, 'bareCarriageReturn');
        } else if (octet === LF) {
          return this.#bareNewline === 'normalize' ? this.#take(i + 1, 1) : this.#refuse(i, 'bareLineFeed');
        } else if (octet === NUL) {
          return this.#refuse(i, 'nul');
        }
      }
      if (end - start === maximumLength - this.#carried) return this.#refuse(end - 1, 'tooLong');
      this.#carryOver(end);
      this.#readTo(end);
    }
    return undefined;
  }

  /**
   * The next line, read, if it lies in one chunk and is an ordinary command; else undefined, and nothing was read.
   * Equal to `ordinaryCommand()` of what `nextLine()` would give, but for the array that it would make.
   * @param maximumLength as for `nextLine()`
   */
  nextOrdinaryCommand(maximumLength: number): OrdinaryCommand | undefined {
    if (this.#carried > 0 || this.#lastSkipped !== undefined) return undefined;
    const chunk = this.#chunk;
    const from = this.#offset;
    const lineFeed = chunk.indexOf(LF, from);
    const end = lineFeed + 1;
    if (lineFeed <= from || chunk[lineFeed - 1] !== CR || end - from > maximumLength) return undefined;
    const command = ordinaryCommand(chunk, from, lineFeed - 1);
    if (command === undefined) return undefined;
    this.#length -= end - from;
    this.#readTo(end);
    return command;
  }

  /**
   * The next unread octets that lie together, without reading them: call `consume` with how many were used.
   * `undefined` when none are held. Meant for what follows a line: amid a line that was reported as too long
   * or malformed it would hand out the rest of that line.
   */
  nextChunk(): Uint8Array | undefined {
    if (this.#carried > 0) return this.#carry.subarray(0, this.#carried);
    if (this.#chunk.length === 0) return undefined;
    return this.#offset === 0 ? this.#chunk : this.#chunk.subarray(this.#offset);
  }

  /** Reads the first `count` octets of what `nextChunk` just gave. */
  consume(count: number): void {
    this.#length -= count;
    if (this.#carried > 0) {
      this.#carry = this.#carry.subarray(count);
      this.#carried -= count;
    } else {
      this.#readTo(this.#offset + count);
    }
  }

  /** Copies what is unread of the chunks: who pushed them may write into them from here on. Nothing is copied twice. */
  copyHeld(): void {
    if (this.#isView) {
      this.#chunk = new Uint8Array(this.#offset === 0 ? this.#chunk : this.#chunk.subarray(this.#offset));
      this.#offset = 0;
      this.#isView = false;
    }
    for (let each = this.#firstView; each !== undefined; each = each.next) {
      each.chunk = new Uint8Array(each.chunk);
    }
    this.#firstView = undefined;
  }

  /**
   * Forgets all that is held, a line under way included: a session that closes looks at nothing more, and need
   * not keep what it was sent.
   */
  clear(): void {
    this.#chunk = NOTHING;
    this.#offset = 0;
    this.#firstWaiting = undefined;
    this.#lastWaiting = undefined;
    this.#isView = false;
    this.#firstView = undefined;
    this.#dropCarry();
    this.#length = 0;
    this.#lastSkipped = undefined;
  }

  /** Hands out the line whose LF stands right before `end`. Its line end has so many octets: CRLF two, a bare LF one. */
  #take(end: number, lineEnd: 1 | 2): InboundLine {
    let octets: Uint8Array;
    if (this.#carried === 0) {
      octets = this.#chunk.subarray(this.#offset, end - lineEnd);
      this.#length -= end - this.#offset;
    } else {
      this.#carryOver(end);
      this.#length -= this.#carried;
      octets = this.#carry.subarray(0, this.#carried - lineEnd);
      // The line is the caller's now, and so is the array under it.
      this.#carry = NOTHING;
      this.#carried = 0;
    }
    this.#readTo(end);
    return lineEnd === 2 ? { kind: 'line', octets } : { kind: 'line', octets, endsInBareLineFeed: true };
  }

  /** Drops the line up to the octet that condemns it; `nextLine` will drop the rest. */
  #refuse(position: number, verdict: Verdict): InboundLine {
    const carried = this.#carry.subarray(0, Math.min(this.#carried, BEGINNING_OCTETS));
    const end = Math.min(position + 1, this.#offset + BEGINNING_OCTETS - carried.length);
    const beginning = concatenate([carried, this.#chunk.subarray(this.#offset, end)]);
    this.#lastSkipped = this.#chunk[position] as number;
    this.#length -= position + 1 - this.#offset;
    this.#dropCarry();
    this.#readTo(position + 1);
    return verdict === 'tooLong'
      ? { kind: 'tooLong', beginning }
      : { kind: 'malformed', beginning, bare: verdict };
  }

  /** Drops the rest of a reported line. Returns whether its end was found. */
  #skip(lastSkipped: number): boolean {
    let previous = lastSkipped;
    while (this.#chunk.length > 0) {
      const chunk = this.#chunk;
      const start = this.#offset;
      let lineFeed = chunk.indexOf(LF, start);
      while (
        this.#bareNewline !== 'normalize' &&
        lineFeed !== -1 &&
        (lineFeed > start ? chunk[lineFeed - 1] : previous) !== CR
      ) {
        lineFeed = chunk.indexOf(LF, lineFeed + 1);
      }
      const end = lineFeed === -1 ? chunk.length : lineFeed + 1;
      previous = chunk[end - 1] as number;
      this.#length -= end - start;
      this.#readTo(end);
      if (lineFeed !== -1) {
        this.#lastSkipped = undefined;
        return true;
      }
    }
    this.#lastSkipped = previous;
    return false;
  }

  /** Appends the unread octets of the chunk up to `end` to the carry. */
  #carryOver(end: number): void {
    const carried = this.#carried + end - this.#offset;
    if (carried > this.#carry.length) {
      const larger = new Uint8Array(Math.max(CARRY_CAPACITY, 2 * carried));
      copyOctets(this.#carry, 0, this.#carried, larger, 0);
      this.#carry = larger;
    }
    this.#carried = copyOctets(this.#chunk, this.#offset, end, this.#carry, this.#carried);
  }

  #dropCarry(): void {
    this.#length -= this.#carried;
    this.#carry = NOTHING;
    this.#carried = 0;
  }

  /** Moves on to `offset` of the chunk, and past the chunk at its end. */
  #readTo(offset: number): void {
    if (offset < this.#chunk.length) {
      this.#offset = offset;
      return;
    }
    const next = this.#firstWaiting;
    this.#chunk = next?.chunk ?? NOTHING;
    this.#offset = 0;
    this.#isView = next !== undefined && next === this.#firstView;
    if (this.#isView) this.#firstView = next?.next;
    this.#firstWaiting = next?.next;
    if (this.#firstWaiting === undefined) this.#lastWaiting = undefined;
  }
}
