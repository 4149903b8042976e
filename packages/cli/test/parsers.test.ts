/** The body of a message, handed to the parsers that people use: rightly, and as somebody might who has not read on. */
import { Readable } from 'node:stream';
import {
  type IncomingBody,
  MailDataAbandonedError,
  openSession,
  type ServerHandlers,
  serveSession,
} from '@sansmtp/transport';
import { createMemoryPair } from '@sansmtp/transport-memory';
import { systemClock } from '@sansmtp/transport-node';
import { simpleParser } from 'mailparser';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';

const LINES = 10_000;
const MESSAGE = `Subject: hello\r\n\r\n${'A line of the message.\r\n'.repeat(LINES)}`;

/** What becomes of a message that is larger than every buffer; `cut` loses the connection amid it. */
async function deliver(onMessage: ServerHandlers['onMessage'], cut = false) {
  const errors: unknown[] = [];
  const [near, far] = createMemoryPair({ ...(cut && { dropAfter: { first: 200_000 } }) });
  const handlers: ServerHandlers = { onMessage, onError: (error) => errors.push(error) };
  serveSession(far, handlers, { hostname: 'mx.example', clock: systemClock });
  const session = await openSession(near, { hostname: 'c.example', clock: systemClock });
  const address = { localPart: 'ann', domain: 'example.org' };
  const [verdict] = await session.send({ reversePath: address, recipients: [address] }, MESSAGE);
  session.abort();
  return { code: verdict?.reply?.code, errors };
}

interface Parsed {
  readonly subject?: string | undefined;
  readonly text?: string | undefined;
}

describe.each<[string, (body: IncomingBody) => Promise<Parsed>]>([
  ['PostalMime.parse(body.readable)', (body) => PostalMime.parse(body.readable)],
  // Its types want a ReadableStream; in JavaScript nothing says so.
  ['PostalMime.parse(body)', (body) => PostalMime.parse(body as unknown as ReadableStream)],
  ['simpleParser(Readable.from(body))', (body) => simpleParser(Readable.from(body))],
  ['simpleParser(Readable.fromWeb(body.readable))', (body) => simpleParser(Readable.fromWeb(body.readable))],
])('%s', (_, parse) => {
  it('parses the whole message', async () => {
    let parsed: Parsed = {};
    const { code } = await deliver(async ({ body }) => {
      parsed = await parse(body);
    });
    expect(code).toBe(250);
    expect(parsed.subject).toBe('hello');
    expect(parsed.text?.trimEnd().split('\n')).toHaveLength(LINES);
  });

  it('fails when the message is not completed', async () => {
    let failure: unknown;
    await deliver(async ({ body }) => {
      failure = await parse(body).catch((error: unknown) => error);
      throw failure;
    }, true);
    await expect.poll(() => failure).toEqual(new MailDataAbandonedError('closed'));
  });
});

it('says to onError how a body is read, where something takes it for what it is not', async () => {
  const asArray = await deliver(({ body }) => {
    new Uint8Array(body as unknown as ArrayLike<number>);
  });
  expect(asArray.code).toBe(451);
  expect(asArray.errors).toEqual([
    expect.objectContaining({ message: expect.stringContaining('for await') }),
  ]);
  const asPipe = await deliver(async ({ body }) => {
    await simpleParser(body as unknown as Readable);
  });
  expect(asPipe.code).toBe(451);
});
