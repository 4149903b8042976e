/**
 * A session as a test tells it: what came to it, step by step, and what is expected of it. What the trace does not have
 * (messages, secrets) has stand-ins of the same length or kind; where there can be none, the story ends before.
 */
import type { Reply } from '@sansmtp/core';
import type { ReplyLine, TracedReply, TraceRecord } from '../records.js';

/** A piece of what came: text with an octet a character; so many octets of a message; or a text in base64. */
export type Piece = { readonly text: string } | { readonly filler: number } | { readonly base64: string };

/** What happens, and when, in milliseconds since the session began. */
export interface Happening {
  readonly at: number;
  /** As the generated test calls it. */
  readonly kind: 'receive' | 'handle';
  /** To be received; for `handle`, an input of the session as JavaScript. */
  readonly pieces?: readonly Piece[];
  readonly input?: string;
}

export interface Step extends Happening {
  /** What the session is expected to say: at a server its replies by their codes, at a client its commands. */
  readonly says: string[];
  /** Where the session is expected to stand then. */
  state: string;
}

export interface Story {
  /** The options of the session, as JavaScript; each in a line. */
  readonly options: readonly string[];
  readonly steps: readonly Step[];
  /** What is decided, in the order of the questions: the kind of the question, and the answer as JavaScript. */
  readonly answers: readonly { readonly question: string; readonly answer: string }[];
  /** Why the story ends before the trace does. */
  readonly ends?: string;
  /** The extensions of the server, where they are not those that it has by default. */
  readonly keywords?: readonly string[];
}

/** `503 5.5.1`. */
export function codesOf({ code, enhanced_code: enhancedCode }: TracedReply): string {
  return enhancedCode === undefined ? `${code}` : `${code} ${enhancedCode}`;
}

export function replyOf({ code, enhanced_code: enhancedCode, lines }: TracedReply): Reply {
  return { code, ...(enhancedCode !== undefined && { enhancedCode }), lines };
}

/** What goes over the wire, from its hex: an octet a character. */
export function textOf(hex: string): string {
  return hex.replace(/../g, (octet) => String.fromCharCode(Number.parseInt(octet, 16)));
}

/** The EHLO keywords in a reply, each with what stands behind it. */
export function keywordsIn({ lines }: Pick<ReplyLine, 'lines'>): ReadonlyMap<string, string> {
  return new Map(
    lines.slice(1).map((line) => {
      const [keyword = '', ...rest] = line.split(' ');
      return [keyword.toUpperCase(), rest.join(' ')];
    }),
  );
}

/** What comes after the record at this index, without a copy: a session may have very many records. */
export function recordsAfter(records: readonly TraceRecord[], index: number): Iterable<TraceRecord> {
  return {
    *[Symbol.iterator]() {
      for (let at = index + 1; at < records.length; at += 1) yield records[at] as TraceRecord;
    },
  };
}

/** Puts steps together. */
export class Steps {
  readonly #steps: Step[] = [];
  #state = '';

  get all(): readonly Step[] {
    return this.#steps;
  }

  get last(): Step | undefined {
    return this.#steps.at(-1);
  }

  begin(happening: Happening): void {
    this.#steps.push({ ...happening, says: [], state: this.#state });
  }

  say(words: string): void {
    this.last?.says.push(words);
  }

  stand(state: string): void {
    this.#state = state;
    if (this.last !== undefined) this.last.state = state;
  }
}
