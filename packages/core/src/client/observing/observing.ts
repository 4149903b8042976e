/**
 * Makes the records of `protocol-events.ts`, as far as they are wanted. A session has one of these only where somebody
 * observes it: without, nothing is made or asked.
 */
import { decodeText, LF } from '../../wire/octets.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { ClientProtocolEvent } from './protocol-events.js';

/** An event without its time, which is the session's to tell. */
type Happening = ClientProtocolEvent extends infer Event
  ? Event extends ClientProtocolEvent
    ? Omit<Event, 'time'>
    : never
  : never;

/** Where records go, and what time it is. */
interface Session {
  readonly now: number;
  readonly outputs: {
    push(record: { readonly type: 'observed'; readonly event: ClientProtocolEvent }): unknown;
  };
}

export class Observing {
  readonly #wanted: ReadonlySet<ClientProtocolEvent['type']>;
  readonly #session: Session;

  constructor(wanted: ReadonlySet<ClientProtocolEvent['type']>, session: Session) {
    this.#wanted = wanted;
    this.#session = session;
  }

  wants(kind: ClientProtocolEvent['type']): boolean {
    return this.#wanted.has(kind);
  }

  /**
   * Commands were written, or a line of a SASL exchange.
   * @param shown what may be recorded of them
   * @param isExchange within a SASL exchange there are lines of it only, after the AUTH that begins it
   * @param length octets as they were written, where something else is shown
   */
  commands(shown: Uint8Array, isExchange: boolean, length?: number): void {
    if (!this.wants('command') && !this.wants('response')) return;
    for (const command of commandsIn(shown)) {
      const octets = length ?? command.length;
      if (isExchange && command.verb !== 'AUTH') this.tell({ type: 'response', length: octets });
      else this.tell({ type: 'command', ...command, length: octets });
    }
  }

  /** @param happening recorded if somebody wants to know; made for this, and nobody else's: it becomes the record */
  tell(happening: Happening): void {
    if (!this.wants(happening.type)) return;
    const { now: time, outputs } = this.#session;
    (happening as { time?: number }).time = time;
    outputs.push({ type: 'observed', event: happening as ClientProtocolEvent });
  }
}

/** The commands that these octets are, each with what may be recorded of it. */
function* commandsIn(
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

/** A reply within a SASL exchange: its text may hold what the client has said, so only its length stands there. */
export function withheldReply({ code, lines }: Reply): Reply {
  const characters = lines.reduce((sum, line) => sum + line.length, 0);
  return { code, lines: [`[${characters} characters]`] };
}
