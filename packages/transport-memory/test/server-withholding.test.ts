/** What `onHello` withholds from one client. */
import { expect, it } from 'vitest';
import { expectEverySessionToEnd, serve } from './serving.js';

expectEverySessionToEnd();

it('depends on the session: here on who has authenticated, and on the name in EHLO', async () => {
  const session = await serve(
    {
      onAuth: () => true,
      onHello: async ({ name }, { identity }) =>
        name === 'old.example'
          ? { withhold: { extensions: ['CHUNKING', 'SMTPUTF8'], mechanisms: ['PLAIN'] } }
          : identity === undefined
            ? { withhold: { extensions: ['SIZE'] } }
            : undefined,
    },
    { authentication: { allowInsecure: true } },
  );
  const { peer } = session;
  expect((await peer.say('EHLO c.example')).join()).not.toContain('SIZE');
  expect(await peer.say('MAIL FROM:<a@b.example> SIZE=9')).toEqual([expect.stringMatching(/^555 5\.5\.4 /)]);
  await peer.say(`AUTH PLAIN ${btoa('\0ann\0pencil')}`);
  expect((await peer.say('EHLO c.example')).join()).toContain('SIZE 36700160');
  const old = (await peer.say('EHLO old.example')).join();
  expect(old).not.toMatch(/CHUNKING|BINARYMIME|SMTPUTF8|PLAIN/);
  expect(old).toContain('LOGIN');
  expect(session.errors).toEqual([]);
});

it.each<[string, unknown]>([
  ['a keyword that is none', { withhold: { extensions: ['STARTLS'] } }],
  ['no lists', { withhold: 'STARTTLS' }],
  ['a list that is none', { withhold: { extensions: 'STARTTLS' } }],
  ['a reply beside it', { withhold: {}, code: 250, lines: ['Hello'] }],
  ['something else', { withhold: {}, reply: undefined }],
  ['another name', { withheld: { extensions: ['SIZE'] } }],
])('and is a fault of the handler where it is none: %s', async (_, result) => {
  const session = await serve({ onHello: () => result as never });
  expect((await session.peer.say('EHLO c.example')).at(-1)).toMatch(/^451 4\.3\.0 /);
  expect(session.errors).toEqual([
    expect.objectContaining({
      message: expect.stringMatching(/did you mean STARTTLS|return nothing, a Reply, or|takes a list/),
    }),
  ]);
});
