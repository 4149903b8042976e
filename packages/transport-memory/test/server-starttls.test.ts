import { TlsError } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MemoryPairOptions } from '../src/index.js';
import { settle } from './peer.js';
import { expectEverySessionToEnd, serve } from './serving.js';

expectEverySessionToEnd();

const EVIL = 'MAIL FROM:<evil@a.example>\r\nRCPT TO:<r@b.example>\r\n';

/** A server that offers STARTTLS, and what its handlers heard. */
async function offering(network: MemoryPairOptions = {}) {
  const heard: string[] = [];
  const session = await serve(
    {
      onHello: () => void heard.push('hello'),
      onSecure: () => void heard.push('secure'),
      onMailFrom: () => void heard.push('mail'),
      onRcptTo: () => void heard.push('rcpt'),
    },
    { ...network, tls: { mode: 'startTls' }, startTls: 'offered' },
  );
  await session.peer.say('EHLO c.example');
  return { ...session, heard };
}

describe('octets in the clear behind STARTTLS (RFC 3207 §5, CVE-2011-0411)', () => {
  it('end the session by 421 when they came with it', async () => {
    const { peer, heard, stream, connection } = await offering();
    peer.write(`STARTTLS\r\n${EVIL}`);
    await settle();
    expect(peer.news()).toEqual([
      '421 4.7.0 Something was sent in the clear behind STARTTLS, closing the session',
    ]);
    expect(peer.ended).toBe(true);
    expect(heard).toEqual(['hello']);
    expect(stream.canStartTls).toBe(true); // the handshake was never begun
    peer.write('NOOP\r\n');
    peer.stream.end();
    await connection.closed;
    expect(peer.news()).toEqual([]);
  });

  it('drop the connection when they came behind it, before or after the 220', async () => {
    for (const wait of [async () => {}, settle]) {
      const { peer, heard, closings } = await offering();
      peer.write('STARTTLS\r\n');
      await wait();
      peer.write(EVIL);
      await settle();
      expect(closings).toEqual([expect.any(TlsError)]);
      expect(closings[0]).toHaveProperty('code', 'PLAINTEXT_BEHIND_STARTTLS');
      expect(heard).toEqual(['hello']);
    }
  });

  it('are never executed nor answered, however they are cut into pieces', async () => {
    const pieces = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(pieces, pieces, fc.boolean(), async (written, read, waiting) => {
        let reads = 0;
        const { peer, heard, closings } = await offering({
          chunkSize: () => read[reads++ % read.length] ?? 1,
        });
        const octets = `STARTTLS\r\n${EVIL}`;
        for (let at = 0, turn = 0; at < octets.length; turn++) {
          const size = written[turn % written.length] ?? 1;
          peer.write(octets.slice(at, at + size));
          at += size;
          if (waiting) await settle();
        }
        await settle();
        peer.stream.abort();
        await settle();
        expect(heard).toEqual(['hello']);
        expect(closings).toHaveLength(1);
        const replies = peer.news();
        expect(replies.length).toBeLessThanOrEqual(1);
        for (const reply of replies) expect(reply).toMatch(/^(220 2\.0\.0 Begin|421 4\.7\.0 Something)/);
      }),
      { numRuns: 150 },
    );
  });

  it('may come under TLS: then they are commands like any others, of a client that has to say EHLO anew', async () => {
    const { peer, heard } = await offering();
    const invitation = await peer.say('STARTTLS');
    expect(invitation).toEqual(['220 2.0.0 Begin the TLS handshake']);
    peer.stream.startTls();
    peer.write(EVIL);
    await settle();
    expect(peer.secured).toBe(true);
    expect(heard).toEqual(['hello', 'secure']);
    expect(peer.news()).toEqual([
      '503 5.5.1 Bad sequence of commands: send EHLO or HELO first',
      '503 5.5.1 Bad sequence of commands: send EHLO or HELO first',
    ]);
  });
});

describe('a handshake', () => {
  it('that does not come ends the session in time', async () => {
    const { peer, clock, closings, heard } = await offering();
    await peer.say('STARTTLS');
    await clock.advanceAsync(59_999);
    expect(closings).toEqual([]);
    await clock.advanceAsync(1);
    expect(closings).toEqual([undefined]);
    expect(heard).toEqual(['hello']);
  });

  it('that the client breaks off ends the session, with the reason', async () => {
    for (const leave of ['end', 'abort'] as const) {
      const { peer, closings, heard } = await offering();
      await peer.say('STARTTLS');
      peer.stream[leave]();
      await settle();
      expect(closings).toEqual([expect.any(Error)]);
      expect(heard).toEqual(['hello']);
    }
  });

  it('lets a shutdown wait, and no longer', async () => {
    const { peer, connection } = await offering();
    await peer.say('STARTTLS');
    connection.shutdown();
    await settle();
    expect(peer.news()).toEqual([]);
    peer.stream.startTls();
    await settle();
    expect(peer.news()).toEqual(['421 4.3.2 The service is shutting down, closing the session']);
    expect(peer.ended).toBe(true);
  });

  it('ends with an abort, for its reason', async () => {
    const { peer, connection, closings } = await offering();
    await peer.say('STARTTLS');
    const reason = new Error('Enough');
    connection.abort(reason);
    await connection.closed;
    expect(closings).toEqual([reason]);
  });
});
