/** The connections of one case: opened in turn, written into one transcript, and ended with it. */
import type { ByteStream } from '@sansmtp/transport';
import { Dialogue, type DialogueTimes } from '../dialogue/dialogue.js';
import { CannotJudge } from '../dialogue/findings.js';
import { Transcript } from '../dialogue/transcript.js';
import type { KnownServer } from './server-to-test.js';

export interface Connections {
  open(kind: 'clear' | 'implicit TLS'): Promise<Dialogue>;
  /** Ends all of them. */
  finish(): Promise<void>;
  readonly transcript: readonly string[];
}

/** @param turn resolves when the next connection may be made */
export function connectionsTo(
  server: KnownServer,
  times: DialogueTimes,
  turn: () => Promise<void>,
): Connections {
  const opened: { readonly dialogue: Dialogue; readonly transcript: Transcript }[] = [];

  async function reach(kind: 'clear' | 'implicit TLS'): Promise<ByteStream> {
    const connect = kind === 'clear' ? server.connect : server.connectTls;
    if (connect === undefined) throw new CannotJudge('no port with implicit TLS was given');
    await turn();
    try {
      return await connect();
    } catch (error) {
      throw new CannotJudge(error instanceof Error ? error.message : String(error));
    }
  }

  return {
    async open(kind) {
      const stream = await reach(kind);
      const transcript = new Transcript();
      const dialogue = new Dialogue(stream, server.clock, times, transcript);
      opened.push({ dialogue, transcript });
      return dialogue;
    },
    async finish() {
      await Promise.all(opened.map(({ dialogue }) => dialogue.finish()));
    },
    get transcript() {
      if (opened.length < 2) return opened.flatMap(({ transcript }) => transcript.lines);
      return opened.flatMap(({ transcript }, index) => [`Connection ${index + 1}`, ...transcript.lines]);
    },
  };
}
