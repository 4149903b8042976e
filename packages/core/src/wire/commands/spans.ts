/**
 * Where the parts of a line stand, as the parsers find them: for whoever shows a line with its meaning. Of a line that
 * is not well-formed, the parts up to what is wrong with it.
 */

import { decodeText, encodeText, LF } from '../octets.js';
import { formatReply, type Reply } from '../replies/reply.js';
import { type CommandPart, parseCommand } from './parse-command.js';

/** A part of a line. */
export interface Span {
  /**
   * Of a command: its verb, the clause `FROM:` or `TO:`, the path, a name (the client's own, or of a mechanism), a
   * keyword and its value, the size of a chunk, any other argument. Of a reply: code, enhanced status code, text.
   */
  readonly part: CommandPart | 'code' | 'enhancedCode' | 'text';
  /** Its first octet, counted from 0. */
  readonly from: number;
  /** The octet after its last. */
  readonly to: number;
}

const NO_VERBS: ReadonlySet<string> = new Set();

/**
 * The parts of a command line, read as liberally as any server of ours may read it.
 * @param line without its CRLF
 */
export function commandSpans(line: Uint8Array): readonly Span[] {
  const found: Span[] = [];
  const text = decodeText(line) ?? '';
  // Characters are counted; where all of them are ASCII, these are the octets.
  const octetsTo =
    text.length === line.length ? (to: number) => to : (to: number) => encodeText(text.slice(0, to)).length;
  parseCommand(line, {
    utf8: true,
    lenient: true,
    extensionVerbs: NO_VERBS,
    mark: (part, from, to) => {
      if (to > from) found.push({ part, from: octetsTo(from), to: octetsTo(to) });
    },
  });
  return found;
}

/** The octets of a reply as a server of ours writes them, with all CRLFs, and the parts of its lines. */
export function replyOctets(reply: Reply): { readonly octets: Uint8Array; readonly spans: readonly Span[] } {
  const octets = formatReply(reply, { utf8: true });
  const spans: Span[] = [];
  const prefix = reply.enhancedCode?.length ?? 0;
  for (let begin = 0; begin < octets.length; ) {
    const end = octets.indexOf(LF, begin) + 1;
    let text = begin + 'ddd '.length;
    spans.push({ part: 'code', from: begin, to: begin + 3 });
    if (prefix > 0) {
      spans.push({ part: 'enhancedCode', from: text, to: text + prefix });
      text += prefix + 1;
    }
    if (end - 2 > text) spans.push({ part: 'text', from: text, to: end - 2 });
    begin = end;
  }
  return { octets, spans };
}
