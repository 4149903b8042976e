/** What happens to one session: the form in which the fuzzer makes it up, and in which a file tells it. */

/** Something that happens to a session: octets of the peer in one chunk, or what its host does. */
export type Move =
  | { readonly by: 'peer'; readonly octets: Uint8Array }
  | { readonly by: 'host'; readonly act: string };

export type End = 'server' | 'client';

/** How the host answers by itself what the session asks. With `waits`, only the moves answer. */
export const HOSTS = ['accepts', 'refuses', 'waits'] as const;
export type Host = (typeof HOSTS)[number];

export interface Story {
  readonly end: End;
  /** The options of the session, by their name in `server-modes.ts` or `client-modes.ts`. */
  readonly mode: string;
  /** Where the session stands at first. */
  readonly state: string;
  readonly host: Host;
  readonly moves: readonly Move[];
}

export const octetsOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
export const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');
export const peer = (text: string): Move => ({ by: 'peer', octets: octetsOf(text) });
export const host = (act: string): Move => ({ by: 'host', act });

/**
 * A file that can be read and edited: a head, and a move a line. In the peer's octets `\r`, `\n`, `\t`, `\\` and `\xHH` stand
 * for what they do in JavaScript; ` × 1000` behind a move has it happen so often.
 */
export function formatStory({ end, mode, state, host, moves }: Story, remark: string): string {
  const lines = moves.map((move) =>
    move.by === 'host' ? `host ${move.act}` : `peer ${escaped(move.octets)}`,
  );
  const counted: string[] = [];
  for (let index = 0; index < lines.length; ) {
    let times = 1;
    while (lines[index + times] === lines[index]) times++;
    counted.push(times === 1 ? `${lines[index]}` : `${lines[index]} × ${times}`);
    index += times;
  }
  return `${[`# ${remark}`, `session ${end}`, `mode ${mode}`, `state ${state}`, `application ${host}`, '', ...counted].join('\n')}\n`;
}

/** @throws {SyntaxError} naming the line that is none */
export function parseStory(text: string): Story {
  const head = new Map<string, string>();
  const moves: Move[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const [, word = '', rest = '', times = '1'] = /^(\w+) (.*?)(?: × (\d+))?$/.exec(line) ?? [];
    if (line === '' || line.startsWith('#')) continue;
    if (word === 'session' || word === 'mode' || word === 'state' || word === 'application')
      head.set(word, rest);
    else if (word === 'peer' || word === 'host') {
      const move: Move =
        word === 'host' ? { by: 'host', act: rest } : { by: 'peer', octets: unescaped(rest) };
      for (let time = 0; time < Number(times); time++) moves.push(move);
    } else throw new SyntaxError(`Line ${index + 1} is neither part of the head nor a move: ${line}`);
  }
  const end = head.get('session');
  const answering = HOSTS.find((each) => each === head.get('application'));
  if (end !== 'server' && end !== 'client')
    throw new SyntaxError('The head has no "session server" or "session client"');
  if (answering === undefined) throw new SyntaxError(`The head has no "application" ${HOSTS.join(', ')}`);
  return { end, mode: head.get('mode') ?? '', state: head.get('state') ?? '', host: answering, moves };
}

const NAMED: Readonly<Record<string, string>> = { '\r': '\\r', '\n': '\\n', '\t': '\\t', '\\': '\\\\' };

/** A blank at the end would be lost in an editor, and `×` is how often. */
function escaped(octets: Uint8Array): string {
  return textOf(octets).replace(/[^ -[\]-~]| $/g, (character) => {
    return NAMED[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

function unescaped(text: string): Uint8Array {
  const named = Object.fromEntries(Object.entries(NAMED).map(([character, name]) => [name, character]));
  return octetsOf(
    text.replace(
      /\\x[\da-f]{2}|\\./g,
      (written) => named[written] ?? String.fromCharCode(Number.parseInt(written.slice(2), 16)),
    ),
  );
}
