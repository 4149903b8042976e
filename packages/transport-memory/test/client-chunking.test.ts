import { describe, expect, it } from 'vitest';
import { connected, envelopeFor, expectEverySessionToEnd } from './connecting.js';
import { octetsOf, settle } from './peer.js';
import { pending } from './serving.js';

expectEverySessionToEnd();

/**
 * A server with CHUNKING, by hand: it reads the octets behind BDAT away, and answers each chunk by the next of these
 * replies, or 250.
 */
async function chunking(replies: readonly (string | null)[], keywords = ['CHUNKING', 'PIPELINING']) {
  const left = [...replies];
  let octets = 0;
  const chunks: string[] = [];
  const session = await connected(
    {
      keywords,
      reply(command) {
        // The bodies here are lines, so that they come as commands.
        if (octets > 0) {
          octets -= command.length + 2;
          if (octets > 0) return null;
        } else {
          const [, size] = /^BDAT (\d+)/.exec(command) ?? [];
          if (size === undefined) return undefined;
          chunks.push(command);
          octets = Number(size);
          if (octets > 0) return null;
        }
        const reply = left.shift();
        return reply === undefined ? '250 Go on' : reply;
      },
    },
    { mailDataBy: 'bdat' },
  );
  return { ...session, chunks };
}

/** As long as a chunk: one is written when the next line comes, or the end. */
const LINE = octetsOf(`${'x'.repeat(65_534)}\r\n`);

/** A body that hands out a line whenever it is told to. */
function stepwise() {
  const steps = [pending(), pending(), pending(), pending()];
  const left = { value: false };
  const body = (async function* () {
    try {
      for (const step of steps) {
        await step.promise;
        yield LINE;
      }
    } finally {
      left.value = true;
    }
  })();
  const next = async () => {
    steps[next.given++]?.resolve();
    await settle();
  };
  next.given = 0;
  return { body, next, left };
}

describe.each([
  ['with PIPELINING', ['CHUNKING', 'PIPELINING']],
  ['without PIPELINING', ['CHUNKING']],
])('a chunk that is refused (%s)', (_, keywords) => {
  it('while the body is awaited ends the message; the body is let go, and the next message is sent', async () => {
    const { client, server, chunks } = await chunking(['552 5.3.4 Too large'], keywords);
    const { body, next, left } = stepwise();
    const sending = client.send(envelopeFor('a', 'b'), body);
    await settle();
    await next();
    await next();
    const verdict = { verdict: 'rejected', phase: 'message', reply: { code: 552 } };
    expect(await sending).toMatchObject([verdict, verdict]);
    expect(server.commands.at(-1)).toBe('RSET');
    await next();
    expect(left.value).toBe(true);
    expect(chunks).toEqual(['BDAT 65536']);
    expect(await client.send(envelopeFor(), 'line\r\n')).toMatchObject([{ verdict: 'delivered' }]);
    expect(chunks.at(-1)).toBe('BDAT 6 LAST');
  });

  it('does not make a fault of what the body gives before the RSET behind it is answered', async () => {
    const { client, server, chunks } = await chunking([null], keywords);
    const { body, next } = stepwise();
    const sending = client.send(envelopeFor(), body);
    await settle();
    await next();
    await next();
    const reply = server.stream;
    // RSET is answered late.
    const usual = server.data.bind(server);
    const heard: Uint8Array[] = [];
    server.data = (bytes) => void heard.push(bytes);
    reply.write(octetsOf('452 4.3.1 Full\r\n'));
    await settle();
    await next(); // the body gives its next piece, of which nobody wants anything
    await settle();
    server.data = usual;
    for (const bytes of heard) server.data(bytes);
    expect(await sending).toMatchObject([{ verdict: 'deferred', reply: { code: 452 } }]);
    expect(chunks).toEqual(['BDAT 65536']);
    expect(await client.send(envelopeFor(), 'line\r\n')).toMatchObject([{ verdict: 'delivered' }]);
  });

  it('while the next waits for its turn lets go of the body, and the next message is sent', async () => {
    // None of the chunks is answered until all that may be in flight are.
    const flight = keywords.includes('PIPELINING') ? 64 : 1;
    const { client, server, chunks } = await chunking(
      Array.from({ length: flight }, () => null),
      keywords,
    );
    let given = 0;
    const body = (async function* () {
      for (;;) {
        given++;
        yield LINE;
      }
    })();
    const sending = client.send(envelopeFor(), body);
    await settle();
    expect(chunks).toHaveLength(flight);
    expect(given).toBe(flight + 1);
    server.say(...Array.from({ length: flight }, () => '552 5.3.4 Too large'));
    expect(await sending).toMatchObject([{ verdict: 'rejected', reply: { code: 552 } }]);
    expect(given).toBe(flight + 1);
    const sent = await client.send(envelopeFor(), 'line\r\n');
    expect(sent).toMatchObject([{ verdict: 'delivered' }]);
  });
});

describe('a client', () => {
  it('awaits the body no longer than it may, and then drops the connection', async () => {
    const { client, clock } = await chunking([]);
    const { body, next } = stepwise();
    const sending = client.send(envelopeFor(), body);
    await settle();
    await next();
    await clock.advanceAsync(180_000);
    expect(await sending).toMatchObject([{ verdict: 'deferred', failure: { kind: 'timeout' } }]);
    await client.closed;
  });

  it('does not know what became of a message whose last chunk was not answered (RFC 1047)', async () => {
    const { client, server, chunks } = await chunking(['250 Go on', null]);
    const sending = client.send(envelopeFor(), Buffer.concat([LINE, octetsOf('line\r\n')]));
    await settle();
    expect(chunks).toEqual(['BDAT 65536', 'BDAT 6 LAST']);
    server.stream.abort();
    expect(await sending).toMatchObject([{ verdict: 'unknown', failure: { kind: 'lost' } }]);
  });

  it('does not send the last chunk before the others were answered, and so knows what became of the message', async () => {
    const { client, server, chunks } = await chunking(['250 Go on', null]);
    const sending = client.send(envelopeFor(), Buffer.concat([LINE, LINE, octetsOf('line\r\n')]));
    await settle();
    expect(chunks).toEqual(['BDAT 65536', 'BDAT 65536']);
    server.stream.abort();
    expect(await sending).toMatchObject([{ verdict: 'deferred', failure: { kind: 'lost' } }]);
  });
});
