import { formatMailbox, parseMailbox, readForwardPath, readReversePath } from '@sansmtp/core';
import { openSession, SessionError } from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openInbox } from '../inbox/inbox.js';
import type { InboxOptions } from '../inbox/inbox-options.js';
import { openScriptedServer } from '../script/scripted-server.js';
import {
  addressLiteral,
  type Chunking,
  type ClientDialogue,
  chunking,
  clientDialogue,
  command,
  domain,
  forwardPath,
  internationalMailbox,
  link,
  mailbox,
  malformedReply,
  message,
  nearCommand,
  nearMailbox,
  reply,
  reversePath,
  serverBehaviour,
} from './index.js';
import { play } from './raw-client.test-support.js';

const refused = (text: string, utf8 = false): boolean => 'failure' in parseMailbox(text, utf8);

describe('mailboxes', () => {
  it('are taken by the core', () => {
    fc.assert(fc.property(mailbox(), (text) => !refused(text)));
    fc.assert(fc.property(fc.oneof(domain(), addressLiteral()), (text) => !refused(`a@${text}`)));
  });

  it('need SMTPUTF8 when they are international', () => {
    fc.assert(fc.property(internationalMailbox(), (text) => refused(text) && !refused(text, true)));
  });

  it('stand in paths', () => {
    fc.assert(
      fc.property(reversePath(), (text) => text.includes(':') || formatMailbox(readReversePath(text)) !== ''),
    );
    fc.assert(
      fc.property(forwardPath(), (text) => text.includes(':') || formatMailbox(readForwardPath(text)) !== ''),
    );
  });

  it('with a flaw are refused, unless it is tolerable', () => {
    fc.assert(fc.property(nearMailbox(), ({ text, tolerable }) => refused(text, true) === !tolerable));
  });

  it('shrink to what matters', () => {
    const { counterexample } = fc.check(
      fc.property(mailbox(), (text) => !text.includes('"')),
      { seed: 7 },
    );
    expect(counterexample?.[0]).toMatch(/^".?"@.$/);
  });
});

/** What a server that has heard EHLO replies to each line. */
async function repliesTo(lines: readonly string[]): Promise<string[]> {
  const dialogue = { steps: lines.map((line) => ({ kind: 'command', line }) as const) };
  return (await played(dialogue)).replies.slice(1);
}

async function played(dialogue: ClientDialogue, chunks: Chunking = WHOLE, options: InboxOptions = {}) {
  const inbox = await openInbox(options);
  const replies = await play(inbox.connect(), dialogue, chunks);
  await inbox.close();
  return { replies, messages: inbox.messages };
}

const WHOLE: Chunking = { sizes: [Number.MAX_SAFE_INTEGER], cut: (octets) => [octets] };

describe('commands', () => {
  it('are known to a server, whether or not they come at the right time', async () => {
    await fc.assert(
      fc.asyncProperty(command(), async (line) => {
        const [, answer = ''] = await repliesTo(['EHLO c.example', line]);
        return !/^(?:500|501|504|555)/.test(answer);
      }),
    );
  });

  it('with a flaw are refused, unless it is tolerable', async () => {
    await fc.assert(
      fc.asyncProperty(nearCommand(), async ({ text, tolerable }) => {
        const before = /^RCPT/i.test(text) ? ['EHLO c.example', 'MAIL FROM:<>'] : ['EHLO c.example'];
        const answer = (await repliesTo([...before, text])).at(-1) ?? '';
        expect(tolerable || answer.startsWith('5'), answer).toBe(true);
      }),
    );
  });
});

describe('replies', () => {
  const heard = async (octets: Uint8Array) => {
    const server = await openScriptedServer({ NOOP: { octets } });
    const session = await openSession(server.connect(), { hostname: 'c.example', clock: server.time.clock });
    try {
      return await session.inquire({ verb: 'NOOP' });
    } finally {
      session.abort();
      await server.close();
    }
  };

  it('are read by a client', async () => {
    await fc.assert(
      fc.asyncProperty(reply({ code: fc.constantFrom(250, 450, 550) }), async ({ code, octets }) => {
        expect((await heard(octets)).code).toBe(code);
      }),
    );
  });

  it('that are malformed end its session', async () => {
    await fc.assert(
      fc.asyncProperty(malformedReply(), async ({ octets }) => {
        await expect(heard(octets)).rejects.toThrow(SessionError);
      }),
    );
  });

  it('print as they stand on the wire', () => {
    const [first] = fc.sample(reply(), { numRuns: 1, seed: 1 });
    expect(fc.stringify(first)).toMatch(/^S: "\d{3}/);
  });
});

describe('chunkings', () => {
  it('lose nothing, and add nothing', () => {
    fc.assert(
      fc.property(chunking(), fc.uint8Array({ maxLength: 300 }), (chunks, octets) => {
        expect(Buffer.concat(chunks.cut(octets))).toEqual(Buffer.from(octets));
      }),
    );
  });
});

describe('messages', () => {
  it('end their lines in CRLF, and hold no other CR or LF', () => {
    fc.assert(
      fc.property(message(), (octets) =>
        /^(?:[^\r\n\0]*\r\n)*$/.test(Buffer.from(octets).toString('latin1')),
      ),
    );
  });

  it('hold what a server has to refuse, when they need not be well-formed', () => {
    const flawed = (octets: Uint8Array) =>
      /\0|\r(?!\n)|(?<!\r)\n/.test(Buffer.from(octets).toString('latin1'));
    expect(fc.check(fc.property(message({ wellFormed: false }), (octets) => !flawed(octets))).failed).toBe(
      true,
    );
  });
});

describe('dialogues of a client', () => {
  it('get the same replies and deliver the same messages, wherever TCP cuts them', async () => {
    await fc.assert(
      fc.asyncProperty(
        clientDialogue({ offers: ['SIZE', 'DSN', 'CHUNKING', 'AUTH', 'STARTTLS'], maximumSteps: 10 }),
        chunking(),
        async (dialogue, chunks) => {
          const options = { users: { ann: 'pencil' }, session: { startTls: 'offered' } } as const;
          const whole = await played(dialogue, WHOLE, options);
          const cut = await played(dialogue, chunks, options);
          expect(withoutIds(cut.replies)).toEqual(withoutIds(whole.replies));
          expect(cut.messages.map(({ raw }) => raw)).toEqual(whole.messages.map(({ raw }) => raw));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('bring a message to its end often enough', async () => {
    const dialogues = fc.sample(clientDialogue(), { numRuns: 60, seed: 5 });
    const results = await Promise.all(dialogues.map((dialogue) => played(dialogue)));
    expect(results.filter(({ messages }) => messages.length > 0).length).toBeGreaterThan(12);
  });

  it('shrink to the shortest that shows the fault, printed line by line', async () => {
    const { counterexample } = await fc.check(
      fc.asyncProperty(clientDialogue(), async (dialogue) => (await played(dialogue)).messages.length === 0),
      { numRuns: 100, seed: 3 },
    );
    expect(fc.stringify(counterexample?.[0])).toMatch(
      /^\nC: EHLO \w\nC: MAIL FROM:.*\nC: RCPT TO:.*\nC: DATA\nC: "" and the final dot(?:\n.*){0,3}$/,
    );
  });
});

/** Each run has keys of its own. */
const withoutIds = (replies: readonly string[]) =>
  replies.map((text) => text.replace(/\b[\da-f]{12,}\b/g, 'id'));

describe('servers and links', () => {
  it('leave a client with a verdict for each recipient, sooner or later', async () => {
    await fc.assert(
      fc.asyncProperty(serverBehaviour(), async (script) => {
        const server = await openScriptedServer(script);
        const { clock } = server.time;
        const sending = openSession(server.connect(), { hostname: 'c.example', clock })
          .then((session) => session.send({ from: 'a@b.example', to: ['c@d.example', 'e@f.example'] }, 'x\n'))
          .catch((error: unknown) => {
            expect(error).toBeInstanceOf(SessionError); // before the message
            return ['', ''];
          });
        for (let minutes = 0; minutes < 60; minutes += 20) await server.time.advance(20 * 60_000);
        await server.time.advance(3_600_000);
        expect(await server.time.wait(sending)).toHaveLength(2);
        await server.close();
      }),
      { numRuns: 60 },
    );
  });

  it('are links in memory', () => {
    fc.assert(
      fc.property(link(), (options) => {
        createMemoryPair({ ...options, clock: { now: () => 0, set: () => () => {} } });
      }),
    );
  });
});
