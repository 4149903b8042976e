import { Secret } from '@sansmtp/core';
import { SessionError, TlsError } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connect, connected, expectEverySessionToEnd } from './connecting.js';
import { settle } from './peer.js';
import type { Script } from './scripted-server.js';

expectEverySessionToEnd();

const authentication = {
  credentials: { kind: 'password', username: 'user', password: new Secret('pencil') },
} as const;

/** A client that wants TLS, and then to authenticate; of a server that has this to say to STARTTLS. */
function wanting(reply: NonNullable<Script['reply']>, options: Parameters<typeof connect>[1] = {}) {
  return connect(
    {
      keywords: ['STARTTLS'],
      reply: (command, server) => (command === 'STARTTLS' ? reply(command, server) : undefined),
    },
    { tls: { mode: 'startTls' }, startTls: 'required', authentication, ...options },
  );
}

const INJECTED = '250-mx.example\r\n250 AUTH PLAIN\r\n235 2.7.0 OK';

describe('octets in the clear behind the 220 (RFC 3207 §6)', () => {
  it('break the protocol when they came with it', async () => {
    const { opening, stream, server } = wanting(() => `220 Go on\r\n${INJECTED}`);
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toMatchObject({ code: 'EPROTOCOL', command: 'STARTTLS', failure: { kind: 'protocol' } });
    expect(stream.canStartTls).toBe(true); // the handshake was never begun
    await settle();
    expect(server.commands).toEqual(['EHLO c.example', 'STARTTLS']);
  });

  it('make the handshake fail when they came behind it', async () => {
    for (const wait of [async () => {}, settle]) {
      const { opening, server } = wanting((_, { stream }) => {
        stream.write(Buffer.from('220 Go on\r\n'));
        wait().then(() => stream.write(Buffer.from(`${INJECTED}\r\n`)));
        return null;
      });
      const error = await opening.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'ETLS', failure: { kind: 'tls' } });
      expect(error).toHaveProperty('cause', expect.any(TlsError));
      expect(server.commands).toEqual(['EHLO c.example', 'STARTTLS']);
    }
  });

  it('are never believed, however they are cut into pieces', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), async (read, handshake) => {
        let reads = 0;
        const { opening, server } = wanting(
          (_, { stream }) => {
            stream.write(Buffer.from(`220 Go on\r\n${INJECTED}\r\n`));
            if (handshake) stream.startTls();
            return null;
          },
          { chunkSize: () => read[reads++ % read.length] ?? 1 },
        );
        const error = await opening.catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(SessionError);
        expect(error).toHaveProperty('code', expect.stringMatching(/^(EPROTOCOL|ETLS)$/));
        expect(server.commands).toEqual(['EHLO c.example', 'STARTTLS']);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a client', () => {
  it('asks again what is offered once TLS stands, and takes nothing for offered that was so before', async () => {
    let hellos = 0;
    const { client, server } = await connected(
      {
        reply(command, { stream }) {
          if (command.startsWith('EHLO')) {
            return hellos++ === 0
              ? '250-mx.example\r\n250-STARTTLS\r\n250 DSN'
              : '250-mx.example\r\n250 SIZE 7';
          }
          if (command !== 'STARTTLS') return undefined;
          stream.write(Buffer.from('220 Go on\r\n'));
          stream.startTls();
          return null;
        },
      },
      { tls: { mode: 'startTls' }, startTls: 'opportunistic' },
    );
    expect([...client.offer.keywords]).toEqual([['SIZE', '7']]);
    expect(server.commands).toEqual(['EHLO c.example', 'STARTTLS', 'EHLO c.example']);
  });

  it('does not begin what its stream cannot do, if it only would like to', async () => {
    const { client, server } = await connected({ keywords: ['STARTTLS'] }, { startTls: 'opportunistic' });
    expect(client.offer.tls).toBeUndefined();
    expect(server.commands).toEqual(['EHLO c.example']);
  });

  it('fails, with the reason, where it requires TLS of a stream that cannot do it', async () => {
    const { opening } = connect(
      { keywords: ['STARTTLS'], reply: (command) => (command === 'STARTTLS' ? '220 Go on' : undefined) },
      { startTls: 'required' },
    );
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ETLS', failure: { kind: 'tls' } });
    expect(error).toHaveProperty('cause.message', 'This stream cannot start TLS: see canStartTls');
  });

  it.each([
    ['ECONNECTION', undefined],
    ['EPROTOCOL', '250-no\r\n354 reply'],
    ['ETLS', '454 4.7.0 Not now'],
    ['ETLS', '502 5.5.1 Never'],
    ['EPROTOCOL', '421 4.3.2 Going down'],
  ] as const)('that requires TLS fails by %s when STARTTLS is answered %s', async (code, reply) => {
    const { opening, server } = wanting((_, { stream }) => {
      if (reply === undefined) stream.abort();
      return reply ?? null;
    });
    const failure = await opening.catch((thrown: unknown) => thrown);
    if (reply?.startsWith('421')) expect(failure).toMatchObject({ code: 'ETLS', responseCode: 421 });
    else expect(failure).toMatchObject({ code, command: 'STARTTLS' });
    await settle();
    expect(server.heard).not.toContain('AUTH');
  });

  it('waits for the handshake no longer than it may', async () => {
    const { opening, clock } = wanting(() => '220 Go on');
    await settle();
    await clock.advanceAsync(59_999);
    let failed = false;
    opening.catch(() => {
      failed = true;
    });
    await settle();
    expect(failed).toBe(false);
    await clock.advanceAsync(1);
    await expect(opening).rejects.toMatchObject({ code: 'ETLS', failure: { kind: 'tls' } });
  });

  it('breaks the handshake off when its signal is aborted', async () => {
    const cancelling = new AbortController();
    const { opening } = wanting(() => '220 Go on', { signal: cancelling.signal });
    await settle();
    const reason = new Error('Enough');
    cancelling.abort(reason);
    const error = await opening.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ETLS', failure: { kind: 'tls', error: reason } });
    expect(error).toHaveProperty('cause', reason);
  });
});
