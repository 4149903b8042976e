/** What an application gives beside its handlers may throw, at any time: that ends no process, and no other session. */
import type { Reply, ServerMechanism } from '@sansmtp/core';
import { describe, expect, it } from 'vitest';
import { expectEverySessionToEnd, pending, serve } from './serving.js';

expectEverySessionToEnd();

const boom = new Error('boom');
const fail = (): never => {
  throw boom;
};
const authentication = { allowInsecure: true, mechanisms: ['PLAIN'] } as const;
const PLAIN = `AUTH PLAIN ${Buffer.from('\0user\0pencil').toString('base64')}`;

describe('what throws', () => {
  it.each([
    ['throws', fail, boom],
    ['means something else', (): Reply => ({ code: 550, lines: ['No'] }), expect.any(RangeError)],
    ['is no reply', () => undefined as unknown as Reply, expect.any(TypeError)],
  ])(
    'a rephrase that %s after a promise leaves the reply as it is, and onError is told',
    async (_, faulty, error) => {
      const decided = pending();
      let rephrase = (reply: Reply): Reply => reply;
      const session = await serve(
        { onMailFrom: () => decided.promise },
        { rephrase: (reply) => rephrase(reply) },
      );
      await session.peer.say('EHLO c.example');
      rephrase = faulty;
      const said = session.peer.say('MAIL FROM:<s@a.example>');
      decided.resolve();
      expect(await said).toEqual(['250 2.1.0 Sender OK']);
      expect(session.errors).toEqual([error]);
    },
  );

  it('a rephrase at a time-out or a shutdown is told to onError, and the session ends', async () => {
    const idle = await serve({}, { rephrase: fail, timeouts: { idle: 1000 } });
    await idle.clock.advanceAsync(1000);
    expect(idle.errors).toEqual([boom, boom]);
    const stopped = await serve({}, { rephrase: fail });
    stopped.connection.shutdown();
    expect(stopped.errors).toEqual([boom, boom]);
  });

  it('a mechanism of your own ends its own session', async () => {
    const mechanism: ServerMechanism = {
      name: 'X-BOOM',
      clientFirst: true,
      *begin() {
        yield { type: 'challenge', data: new Uint8Array() };
        return fail();
      },
    };
    const session = await serve(
      { onAuth: () => true },
      { authentication: { allowInsecure: true, mechanisms: [mechanism] } },
    );
    await session.peer.say('EHLO c.example', 'AUTH X-BOOM');
    await session.peer.say('AAAA');
    await session.connection.closed;
    expect(session.errors).toEqual([boom]);
    expect(session.closings).toEqual([boom]);
  });

  it('a limiter of your own lets nobody in while it cannot tell, and a failure that it cannot count is one', async () => {
    const deaf = await serve(
      { onAuth: () => false },
      { trusted: true, authentication, failureLimiter: { isClosed: fail, failed() {} } },
    );
    expect(
      (await deaf.peer.say('EHLO c.example', 'XCLIENT ADDR=192.0.2.1', 'EHLO c.example', PLAIN)).at(-1),
    ).toMatch(/^454 4\.7\.0 /);
    expect(deaf.errors).toEqual([boom]);
    const forgetful = await serve(
      { onAuth: () => false },
      { trusted: true, authentication, failureLimiter: { isClosed: () => false, failed: fail } },
    );
    expect(
      (await forgetful.peer.say('EHLO c.example', 'XCLIENT ADDR=192.0.2.1', 'EHLO c.example', PLAIN)).at(-1),
    ).toMatch(/^535 5\.7\.8 /);
    expect(forgetful.errors).toEqual([boom]);
  });

  it.each([
    ['rejects', async () => fail(), boom],
    ['tells later', async () => false, expect.any(TypeError)],
    ['tells nothing that is yes or no', () => 0 as unknown as boolean, expect.any(TypeError)],
  ])('a limiter of your own that %s lets nobody in', async (_, isClosed, error) => {
    const session = await serve(
      { onAuth: () => true },
      {
        trusted: true,
        authentication,
        failureLimiter: { isClosed: isClosed as () => boolean, failed() {} },
      },
    );
    expect(
      (await session.peer.say('EHLO c.example', 'XCLIENT ADDR=192.0.2.1', 'EHLO c.example', PLAIN)).at(-1),
    ).toMatch(/^454 4\.7\.0 /);
    expect(session.errors).toContainEqual(error);
  });

  it('an answer that throws when it is looked at is a fault of its handler', async () => {
    const answer = {
      code: 250,
      get lines(): string[] {
        return fail();
      },
    };
    const session = await serve({ onMailFrom: async () => answer });
    expect((await session.peer.say('EHLO c.example', 'MAIL FROM:<s@a.example>')).at(-1)).toMatch(
      /^451 4\.3\.0 /,
    );
    expect(session.errors).toEqual([boom]);
  });
});
