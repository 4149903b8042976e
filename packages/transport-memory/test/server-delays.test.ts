/** The greeting that waits for early talkers, and refusals that come late, on virtual time. */
import { Rejection, type ServeOptions, type ServerHandlers } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import { expectEverySessionToEnd, pending, serve } from './serving.js';

expectEverySessionToEnd();

const SECOND = 1000;

describe('greetingDelay', () => {
  const options: Omit<ServeOptions, 'clock'> = { greetingDelay: 6 * SECOND };
  const screening = (seen: boolean[] = []): Partial<ServerHandlers> => ({
    onConnect({ spokeEarly }) {
      seen.push(spokeEarly);
      if (spokeEarly) throw new Rejection(554, '5.5.1', 'Wait for the greeting');
    },
  });

  it('lets a client wait that waits, and asks onConnect after that', async () => {
    const seen: boolean[] = [];
    const { clock, peer } = await serve(screening(seen), options);
    await clock.advanceAsync(6 * SECOND - 1);
    expect(seen).toEqual([]);
    expect(peer.news()).toEqual([]);
    await clock.advanceAsync(1);
    expect(seen).toEqual([false]);
    expect(peer.news()).toEqual(['220 mx.example ESMTP']);
    expect((await peer.say('EHLO c.example')).at(-1)).toBe('250 HELP');
  });

  it('finds the one that does not, and refuses it at once (RFC 5321 §3.1)', async () => {
    const seen: boolean[] = [];
    const { clock, peer } = await serve(screening(seen), options);
    await clock.advanceAsync(SECOND);
    expect(await peer.say('EHLO c.example', 'MAIL FROM:<a@b.example>', 'QUIT')).toEqual([
      '554 5.5.1 Wait for the greeting',
      '503 5.5.1 No service here; only QUIT is accepted',
      '503 5.5.1 No service here; only QUIT is accepted',
      '221 2.0.0 Closing the session',
    ]);
    expect(seen).toEqual([true]);
  });

  it('serves it all the same where onConnect does not mind', async () => {
    const { peer } = await serve({}, options);
    expect((await peer.say('EHLO c.example', 'NOOP')).filter((line) => /^\d{3} /.test(line))).toEqual([
      '220 mx.example ESMTP',
      '250 HELP',
      '250 2.0.0 OK',
    ]);
  });

  it('costs a handler none of its time, and a trusted peer does not wait again after XCLIENT', async () => {
    const decided = { ...options, timeouts: { decision: 10 * SECOND }, trusted: true };
    const { clock, peer } = await serve({ onConnect: () => new Promise(() => {}) }, decided);
    await clock.advanceAsync(15 * SECOND);
    expect(peer.news()).toEqual([]);
    await clock.advanceAsync(SECOND);
    expect(peer.news()).toEqual([expect.stringMatching(/^421 4\.3\.0 /)]);
    const proxied = await serve({}, decided);
    await proxied.clock.advanceAsync(6 * SECOND);
    proxied.peer.news();
    expect(await proxied.peer.say('XCLIENT NAME=c.example')).toEqual(['220 mx.example ESMTP']);
  });

  it('is over when the client leaves, and nobody is asked about it', async () => {
    const seen: boolean[] = [];
    const { clock, peer, closings } = await serve(screening(seen), options);
    peer.stream.abort();
    await clock.advanceAsync(0);
    expect(closings).toHaveLength(1);
    expect(clock.pending).toBe(0);
    expect(seen).toEqual([]);
  });

  it('is over when the server shuts down', async () => {
    const { clock, peer, connection } = await serve({}, options);
    connection.shutdown();
    await clock.advanceAsync(0);
    expect(peer.news().at(-1)).toMatch(/^421 4\.3\.2 /);
    expect(peer.ended).toBe(true);
  });
});

describe('refusalDelay', () => {
  const options: Omit<ServeOptions, 'clock'> = { refusalDelay: 5 * SECOND };
  const strict: Partial<ServerHandlers> = {
    onRcptTo({ forwardPath }) {
      if (forwardPath.localPart !== 'bob') throw new Rejection(550, '5.1.1', 'No such mailbox here');
    },
  };

  it('delays a refusal, and nothing else; what the client pipelines waits', async () => {
    const { clock, peer } = await serve(strict, options);
    expect(
      (await peer.say('EHLO c.example', 'MAIL FROM:<a@b.example>', 'RCPT TO:<bob@s.example>')).at(-1),
    ).toBe('250 2.1.5 Recipient OK');
    const said = peer.say(
      'RCPT TO:<x@s.example>',
      'RCPT TO:<bob@s.example>',
      'RCPT TO:<y@s.example>',
      'NOOP',
    );
    expect(await said).toEqual([]);
    await clock.advanceAsync(5 * SECOND - 1);
    expect(peer.news()).toEqual([]);
    await clock.advanceAsync(1);
    expect(peer.news()).toEqual(['550 5.1.1 No such mailbox here']);
    await clock.advanceAsync(5 * SECOND);
    expect(peer.news()).toEqual(['250 2.1.5 Recipient OK', '550 5.1.1 No such mailbox here', '250 2.0.0 OK']);
  });

  it('is for each kind of refusal: of the application, of the session, of AUTH, of a message', async () => {
    const session = await serve(
      { onAuth: () => false, onMessage: () => ({ code: 554, lines: ['Spam'] }) },
      { ...options, authentication: { allowInsecure: true } },
    );
    const { clock, peer } = session;
    await peer.say('EHLO c.example');
    const delayed = async (...lines: string[]) => {
      expect(await peer.say(...lines)).toEqual([]);
      await clock.advanceAsync(5 * SECOND);
      return peer.news();
    };
    expect(await delayed(`AUTH PLAIN ${btoa('\0ann\0pencil')}`)).toEqual([
      '535 5.7.8 Authentication credentials invalid',
    ]);
    expect(await delayed('NONSENSE')).toEqual(['500 5.5.1 Command not recognized']);
    expect(await delayed('MAIL FROM:<a@b.example> X=1')).toEqual([expect.stringMatching(/^555 /)]);
    expect(await delayed('RCPT TO:<bob@s.example>')).toEqual([expect.stringMatching(/^503 /)]);
    await peer.say('MAIL FROM:<a@b.example>', 'RCPT TO:<bob@s.example>');
    await peer.say('DATA');
    expect(await delayed('.')).toEqual(['554 5.0.0 Spam']);
  });

  it('is one timer, and 512 KiB at most of what the client goes on to send', async () => {
    const { clock, peer, stream } = await serve(strict, options);
    await peer.say('EHLO c.example', 'MAIL FROM:<a@b.example>');
    await peer.say('RCPT TO:<x@s.example>');
    const before = stream.received;
    for (let n = 0; n < 64; n++) peer.write('NOOP\r\n'.repeat(4096));
    await clock.advanceAsync(0);
    expect(stream.received - before).toBeLessThan(524_288);
    expect(clock.pending).toBe(1);
    peer.stream.abort();
  });

  it('costs the client none of its own time', async () => {
    const { clock, peer } = await serve(strict, { ...options, timeouts: { idle: 4 * SECOND } });
    expect(await peer.say('RSET now')).toEqual(['220 mx.example ESMTP']);
    await clock.advanceAsync(5 * SECOND);
    expect(peer.news()).toEqual([expect.stringMatching(/^501 /)]);
    await clock.advanceAsync(4 * SECOND - 1);
    expect(peer.news()).toEqual([]);
    await clock.advanceAsync(1);
    expect(peer.news()).toEqual([expect.stringMatching(/^421 4\.4\.2 /)]);
  });

  it('is over when the client leaves, and when it ends its side', async () => {
    const { clock, peer, closings } = await serve(strict, options);
    await peer.say('NONSENSE');
    peer.stream.abort();
    await clock.advanceAsync(0);
    expect(closings).toHaveLength(1);
    expect(clock.pending).toBe(0);

    const ending = await serve(strict, options);
    await ending.peer.say('NONSENSE');
    ending.peer.stream.end();
    await ending.clock.advanceAsync(0);
    expect(ending.peer.news()).toEqual(['500 5.5.1 Command not recognized']);
    expect(ending.peer.ended).toBe(true);
  });

  it('is over when the server shuts down', async () => {
    const { clock, peer, connection } = await serve(strict, options);
    await peer.say('NONSENSE');
    connection.shutdown();
    await clock.advanceAsync(0);
    expect(peer.news()).toEqual(['500 5.5.1 Command not recognized', expect.stringMatching(/^421 4\.3\.2 /)]);
  });

  it('does not hold up what ends the session', async () => {
    const { peer } = await serve({}, { ...options, maximumErrors: 1 });
    peer.news();
    expect(await peer.say('NONSENSE')).toEqual([expect.stringMatching(/^421 4\.7\.0 /)]);
    const refusing = await serve({ onConnect: () => ({ code: 421, lines: ['Not you'] }) }, options);
    expect(refusing.peer.news()).toEqual([expect.stringMatching(/^421 /)]);
  });

  it('is for a message in LMTP where it is refused for one of its recipients', async () => {
    const session = await serve(
      {
        onMessage: () => [
          { code: 250, lines: ['Fine'] },
          { code: 550, lines: ['Full'] },
        ],
      },
      { ...options, protocol: 'lmtp' },
    );
    const { clock, peer } = session;
    await peer.say('LHLO c', 'MAIL FROM:<>', 'RCPT TO:<a@s.example>', 'RCPT TO:<b@s.example>', 'DATA');
    expect(await peer.say('.')).toEqual([]);
    await clock.advanceAsync(5 * SECOND);
    expect(peer.news()).toEqual([expect.stringMatching(/^250 /), expect.stringMatching(/^550 /)]);
  });

  it('does not drop a client because its replies fill the buffers meanwhile', async () => {
    const refused = pending();
    const handlers: Partial<ServerHandlers> = {
      async onRcptTo() {
        await refused.promise;
        throw new Rejection(550, '5.1.1', 'No such mailbox here');
      },
    };
    const session = await serve(handlers, { ...options, bufferSize: 4096, maximumJunkCommands: 1e6 });
    const { clock, peer, closings } = session;
    await peer.say('EHLO c.example', 'MAIL FROM:<a@b.example>');
    peer.stream.pause();
    // 64 KiB of replies of 24 octets may wait, and those to the last batch are too many.
    for (let n = 0; n < 2860; n++) peer.write('HELP\r\n');
    peer.write(`${'HELP\r\n'.repeat(100)}RCPT TO:<x@s.example>\r\n`);
    await clock.advanceAsync(0);
    refused.resolve();
    await clock.advanceAsync(6 * SECOND);
    expect(closings).toEqual([]);
    peer.stream.resume();
    await clock.advanceAsync(6 * SECOND);
    expect(peer.news().at(-1)).toBe('550 5.1.1 No such mailbox here');
  });
});

it.each(['greetingDelay', 'refusalDelay'] as const)('%s is 0 to 60,000 milliseconds', async (name) => {
  for (const value of [-1, 60_001, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5000']) {
    await expect(serve({}, { [name]: value as number })).rejects.toThrow(
      `The option ${name} is ${typeof value === 'string' ? '"5000"' : value}; it takes an integer of 0 to 60000`,
    );
  }
});
