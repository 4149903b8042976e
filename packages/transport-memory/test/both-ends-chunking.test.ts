import { standardExtensions } from '@sansmtp/core';
import { type IncomingMessage, MailDataAbandonedError } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelopeFor } from './connecting.js';
import { expectEverySessionToEnd, negotiate, networks } from './negotiating.js';
import { octetsOf, settle, textOf } from './peer.js';
import { pending, read } from './serving.js';

expectEverySessionToEnd();

const withoutPipelining = standardExtensions.filter(({ keyword }) => keyword !== 'PIPELINING');
const extensionLists = fc.constantFrom(standardExtensions, withoutPipelining);

async function* yielding(pieces: readonly (string | Uint8Array)[]) {
  for (const piece of pieces) yield typeof piece === 'string' ? octetsOf(piece) : piece;
}

describe('a message by BDAT', () => {
  const pieces = fc.array(
    fc
      .array(fc.constantFrom('a', '.', '..', '\r\n', '\n', '\xff', '\r\n.\r\n', 'BDAT 3\r\n', 'x'.repeat(70)))
      .map((parts) => parts.join('')),
    { maxLength: 12 },
  );

  it('arrives with its lines ended by CRLF, and else as it was, over any network', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(pieces, { minLength: 1, maxLength: 3 }),
        extensionLists,
        networks,
        async (given, extensions, network) => {
          const session = negotiate({
            network: network(),
            server: { extensions, maximumTextLineLength: Number.POSITIVE_INFINITY },
            client: { mailDataBy: 'bdat' },
          });
          const client = await session.opened();
          for (const message of given) {
            const verdicts = await session.until(client.send(envelopeFor('a', 'b'), yielding(message)));
            expect(verdicts.map(({ verdict }) => verdict)).toEqual(['delivered', 'delivered']);
          }
          expect(session.messages).toEqual(
            given.map((parts) => {
              const text = parts.join('').replace(/\r?\n/g, '\r\n');
              return text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
            }),
          );
          expect(session.wire.sent).not.toContain('DATA\r\n');
          await session.until(client.quit());
          await session.end();
          expect(session.errors).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('may hold any octets if it is declared to (BINARYMIME), and arrives equal to the octet', async () => {
    const octets = fc.uint8Array({ maxLength: 40 });
    // Those of which lines are made, and that are none of text.
    const special = fc
      .array(fc.constantFrom(0, 10, 13, 46, 255), { maxLength: 20 })
      .map((all) => Uint8Array.from(all));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(octets, special), { maxLength: 8 }),
        extensionLists,
        networks,
        async (parts, extensions, network) => {
          const session = negotiate({ network: network(), server: { extensions } });
          const client = await session.opened();
          const envelope = { ...envelopeFor(), parameters: { body: 'BINARYMIME' } as const };
          const verdicts = await session.until(client.send(envelope, yielding(parts)));
          expect(verdicts).toMatchObject([{ verdict: 'delivered' }]);
          expect(session.messages).toEqual([textOf(Buffer.concat(parts))]);
          await session.until(client.quit());
          await session.end();
        },
      ),
      { numRuns: 100 },
    );
  });

  it('goes by DATA where CHUNKING is not offered', async () => {
    const extensions = standardExtensions.filter(({ keyword }) => keyword !== 'CHUNKING');
    const session = negotiate({ server: { extensions }, client: { mailDataBy: 'bdat' } });
    const client = await session.opened();
    expect(await client.send(envelopeFor(), '.text\n')).toMatchObject([{ verdict: 'delivered' }]);
    expect(session.messages).toEqual(['.text\r\n']);
    expect(session.wire.sent).toContain('DATA\r\n..text\r\n.\r\n');
  });

  it('is refused as too large at the chunk that makes it so; the next one is taken', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, extensionLists, networks, async (lengths, extensions, network) => {
        const reasons: unknown[] = [];
        const session = negotiate({
          network: network(),
          handlers: {
            async onMessage({ body }) {
              await read(body).catch((error: unknown) => {
                reasons.push(error);
                throw error;
              });
            },
          },
          server: { extensions, maximumMessageSize: 100 },
        });
        const client = await session.opened();
        const envelope = { ...envelopeFor(), parameters: { body: 'BINARYMIME' } as const };
        const chunks = lengths.map((length) => new Uint8Array(length));
        const verdicts = await session.until(client.send(envelope, yielding(chunks)));
        const size = lengths.reduce((sum, length) => sum + length, 0);
        if (size <= 100) expect(verdicts).toMatchObject([{ verdict: 'delivered' }]);
        else
          expect(verdicts).toMatchObject([{ verdict: 'rejected', phase: 'message', reply: { code: 552 } }]);
        expect(reasons).toEqual(size <= 100 ? [] : [new MailDataAbandonedError('tooLarge')]);
        expect(await session.until(client.send(envelope, 'next'))).toMatchObject([{ verdict: 'delivered' }]);
        await session.until(client.quit());
        await session.end();
        expect(session.errors).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('that the application refuses by onData is refused, and the next one is taken', async () => {
    let asked = 0;
    const session = negotiate({
      handlers: { onData: () => (asked++ === 0 ? { code: 554, lines: ['Not this one'] } : undefined) },
      client: { mailDataBy: 'bdat' },
    });
    const client = await session.opened();
    const refused = await client.send(envelopeFor(), yielding(Array.from({ length: 200 }, () => 'line\r\n')));
    expect(refused).toMatchObject([{ verdict: 'rejected', reply: { code: 554 } }]);
    expect(await client.send(envelopeFor(), 'next')).toMatchObject([{ verdict: 'delivered' }]);
    expect(session.messages).toEqual(['next\r\n']);
  });

  it('whose body fails half-way is kept by nobody', async () => {
    const fault = new Error('The disk is full');
    const session = negotiate({ client: { mailDataBy: 'bdat' } });
    const client = await session.opened();
    const body = (async function* () {
      yield octetsOf('one\r\n');
      await settle();
      throw fault;
    })();
    await expect(client.send(envelopeFor(), body)).rejects.toBe(fault);
    await session.connection.closed;
    expect(session.wire.sent).not.toContain('LAST');
    expect(session.messages).toEqual([]);
    expect(session.errors).toEqual([]);
  });

  it('that holds a bare CR is not sent to its end', async () => {
    const session = negotiate({ client: { mailDataBy: 'bdat' } });
    const client = await session.opened();
    const sending = client.send(envelopeFor(), yielding(['one\r\n', 'a\rb', 'three']));
    await expect(sending).rejects.toMatchObject({ name: 'MailDataError' });
    await session.connection.closed;
    expect(session.messages).toEqual([]);
  });

  it.each(['data', 'bdat'] as const)(
    'is held back by an application that does not read, in bounded memory (%s)',
    async (mailDataBy) => {
      const go = pending();
      let taken = 0;
      const session = negotiate({
        handlers: {
          async onMessage({ body }: IncomingMessage) {
            await go.promise;
            for await (const octets of body) taken += octets.length;
          },
        },
        client: { mailDataBy },
      });
      const client = await session.opened();
      const piece = octetsOf(`${'x'.repeat(998)}\r\n`.repeat(16));
      const total = 400;
      let made = 0;
      const body = (async function* () {
        for (; made < total; made++) yield piece;
      })();
      const sending = client.send(envelopeFor(), body);
      for (let turn = 0; turn < 20; turn++) await settle();
      expect(taken).toBe(0);
      // The body's own bound, the stream's buffer, and what is in between.
      expect(made * piece.length).toBeLessThan(1_000_000);
      go.resolve();
      expect(await sending).toMatchObject([{ verdict: 'delivered' }]);
      expect(taken).toBe(total * piece.length);
    },
  );

  it('arrives whole from many tiny pieces, in one chunk', async () => {
    const session = negotiate({ client: { mailDataBy: 'bdat' } });
    const client = await session.opened();
    await client.send(envelopeFor(), yielding(Array.from({ length: 500 }, () => 'x\r\n')));
    expect(session.wire.sent.match(/^BDAT .*$/gm)).toEqual(['BDAT 1500 LAST']);
    expect(session.messages).toEqual(['x\r\n'.repeat(500)]);
  });
});

describe('between two chunks', () => {
  async function halfSent() {
    const go = pending();
    const reasons: unknown[] = [];
    const session = negotiate({
      handlers: {
        async onMessage({ body }) {
          await read(body).catch((error: unknown) => {
            reasons.push(error);
            throw error;
          });
        },
      },
      client: { mailDataBy: 'bdat' },
    });
    const client = await session.opened();
    const body = (async function* () {
      yield octetsOf(`${'x'.repeat(98)}\r\n`.repeat(1_000)); // more than a chunk
      await go.promise;
      yield octetsOf('two\r\n');
    })();
    const sending = client.send(envelopeFor(), body);
    await settle();
    return { ...session, client, sending, reasons, go };
  }

  it.each(['server', 'client'] as const)('an abort of the %s defers the message', async (end) => {
    const { client, connection, sending, reasons, errors } = await halfSent();
    if (end === 'server') connection.abort(new Error('Enough'));
    else client.abort();
    expect(await sending).toMatchObject([{ verdict: 'deferred', failure: { kind: 'lost' } }]);
    await connection.closed;
    await settle(); // the handler hears of it after the connection
    expect(reasons).toEqual([new MailDataAbandonedError('closed')]);
    expect(errors).toEqual([]);
  });

  it('a body that stops coming ends the session in time', async () => {
    const { clock, sending, reasons } = await halfSent();
    await clock.advanceAsync(180_000);
    expect(await sending).toMatchObject([{ verdict: 'deferred', failure: { kind: 'timeout' } }]);
    expect(reasons).toEqual([new MailDataAbandonedError('closed')]);
  });

  it('a shutdown of the server lets the message come to its end', async () => {
    const { connection, sending, reasons, go } = await halfSent();
    connection.shutdown();
    await settle();
    go.resolve();
    expect(await sending).toMatchObject([{ verdict: 'delivered' }]);
    await connection.closed;
    expect(reasons).toEqual([]);
  });
});
