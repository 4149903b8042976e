/** Ways of the chart that no word of the client leads into: silence, lost connections, a shutdown, a refusal at the door. */
import {
  type ServeOptions,
  type ServerConnection,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import { expect } from 'vitest';
import { Dialogue } from '../dialogue/dialogue.js';
import { Transcript } from '../dialogue/transcript.js';
import { createIdleClock } from '../running/idle-clock.js';

/** The longest of the server's deadlines is an hour. */
const TIMES = { reply: 7_200_000, quiet: 60_000 };

interface Side {
  readonly connection: ServerConnection;
  readonly dialogue: Dialogue;
}

function begin(
  taken: Set<string>,
  session: Partial<ServeOptions> = {},
  handlers: Partial<ServerHandlers> = {},
  failHandshake = false,
): Side {
  const clock = createIdleClock();
  const [near, far] = createMemoryPair({ tls: { mode: 'startTls', failHandshake } });
  const connection = serveSession(
    far,
    { onMessage: () => {}, ...handlers },
    {
      hostname: 'mail.test',
      clock,
      startTls: 'offered',
      authentication: { allowInsecure: true, mechanisms: ['PLAIN'] },
      ...session,
      observer: (event) => {
        if (event.type === 'transition') taken.add(event.transition);
      },
    },
  );
  return { connection, dialogue: new Dialogue(near, clock, TIMES, new Transcript()) };
}

const EHLO = 'EHLO probe.test';
const MAIL = 'MAIL FROM:<>';
const RCPT = 'RCPT TO:<bob@mail.test>';

/** The lines after which the client says nothing more, and the reply that ends the session then. */
const SILENCES: readonly (readonly string[])[] = [
  [],
  [EHLO],
  [EHLO, MAIL],
  [EHLO, MAIL, RCPT],
  [EHLO, MAIL, RCPT, 'BDAT 0'],
  [EHLO, MAIL, RCPT, 'DATA'],
  [EHLO, 'AUTH PLAIN'],
];

/** 554 at the door (RFC 5321 §3.1). */
const refusing = {
  onConnect: () => ({ code: 554, enhancedCode: '5.7.1', lines: ['Not you'] }) as const,
};

/** Each asks or judges by itself; what of the chart it takes is noted. */
export async function takeEndings(taken: Set<string>): Promise<void> {
  for (const lines of SILENCES) {
    // Else the least rate of mail data ends it first.
    const { dialogue, connection } = begin(taken, { minimumMailDataRate: 0 });
    await dialogue.reply('220');
    for (const line of lines) await dialogue.ask(line, '250 or 354 or 334');
    await dialogue.reply('421');
    await connection.closed;
  }
  await silenceAmidAChunk(taken);
  await withoutTls(taken);
  await endings(taken);
  await atTheDoor(taken);
}

async function silenceAmidAChunk(taken: Set<string>): Promise<void> {
  const { dialogue } = begin(taken, { minimumMailDataRate: 0 });
  await dialogue.reply('220');
  for (const line of [EHLO, MAIL, RCPT]) await dialogue.ask(line, '250');
  dialogue.send('BDAT 10\r\n12345');
  await dialogue.reply('421');

  const other = begin(taken);
  await other.dialogue.reply('220');
  for (const line of [EHLO, MAIL, RCPT]) await other.dialogue.ask(line, '250');
  other.dialogue.send('BDAT 10\r\n12345');
  other.dialogue.endSending();
  await other.dialogue.closes();
}

async function withoutTls(taken: Set<string>): Promise<void> {
  for (const begins of [false, true]) {
    const { dialogue, connection } = begin(taken, {}, {}, true);
    await dialogue.reply('220');
    await dialogue.ask(EHLO, '250');
    await dialogue.ask('STARTTLS', '220');
    if (begins) await expect(dialogue.startTls()).rejects.toThrow('handshake failed');
    await connection.closed;
  }
}

async function endings(taken: Set<string>): Promise<void> {
  const lost = begin(taken);
  await lost.dialogue.reply('220');
  lost.dialogue.abort();
  await lost.connection.closed;

  const shut = begin(taken);
  await shut.dialogue.reply('220');
  shut.connection.shutdown();
  await shut.dialogue.reply('421');

  const foreign = begin(taken);
  await foreign.dialogue.reply('220');
  await foreign.dialogue.ask('GET / HTTP/1.1', '421 or 5yz');

  const busy = { code: 421, lines: ['Too many'] };
  for (const onConnect of [() => busy, () => new Promise<undefined>(() => {})]) {
    await begin(taken, {}, { onConnect }).dialogue.reply('421');
  }
  for (const [reply, expected] of [
    [busy, '421'],
    [{ code: 550, lines: ['Not by this name'] }, '550'],
  ] as const) {
    const { dialogue } = begin(taken, {}, { onHello: () => reply });
    await dialogue.reply('220');
    await dialogue.ask(EHLO, expected);
  }
}

async function atTheDoor(taken: Set<string>): Promise<void> {
  const toRefused = async (session: Partial<ServeOptions>, line: string, expected: string) => {
    const side = begin(taken, session, refusing);
    await side.dialogue.reply('554');
    if (line !== '') side.dialogue.say(line);
    if (expected !== '') await side.dialogue.reply(expected);
    return side;
  };
  await toRefused({}, 'NOOP', '503');
  await toRefused({ maximumErrors: 1 }, 'NOOP', '421');
  await toRefused({}, 'XYZZY', '5yz');
  await toRefused({ maximumErrors: 1 }, 'XYZZY', '421');
  await toRefused({}, 'BDAT x', '5yz');
  await toRefused({}, 'GET / HTTP/1.1', '421 or 5yz');
  await toRefused({}, '', '421');
  const shut = await toRefused({}, '', '');
  shut.connection.shutdown();
  await shut.dialogue.reply('421');
  const left = await toRefused({}, '', '');
  left.dialogue.endSending();
  await left.connection.closed;
  const polite = await toRefused({}, 'QUIT', '221');
  expect(await polite.dialogue.rest()).toEqual([]);
}
