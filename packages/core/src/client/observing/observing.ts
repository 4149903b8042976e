/** What the records of `protocol-events.ts` show of the lines of a session. */
import { decodeText, LF } from '../../wire/octets.js';
import type { Reply } from '../../wire/replies/reply.js';

/** The commands that these octets are, each with what may be recorded of it. */
export function* commandsIn(
  octets: Uint8Array,
): Generator<{ readonly verb: string; readonly line: string; readonly length: number }> {
  for (let begin = 0; begin < octets.length; ) {
    const end = octets.indexOf(LF, begin) + 1;
    const line = decodeText(octets.subarray(begin, end - 2)) ?? '';
    const [verb = ''] = line.split(' ', 1);
    yield { verb: verb.toUpperCase(), line, length: end - begin };
    begin = end;
  }
}

/** A reply within an AUTH exchange: its text may hold what the client has said. */
export function withheldReply({ code, lines }: Reply): Reply {
  const characters = lines.reduce((sum, line) => sum + line.length, 0);
  return { code, lines: [`[${characters} characters]`] };
}
