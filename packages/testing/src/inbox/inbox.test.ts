import { Secret } from '@sansmtp/core';
import { openSession } from '@sansmtp/transport';
import { afterEach, describe, expect, it } from 'vitest';
import { type Inbox, NoSuchMessageError, openInbox, StalledError } from '../index.js';

const open: Inbox<unknown>[] = [];
afterEach(() => Promise.all(open.splice(0).map((inbox) => inbox.close())));

async function inboxFor<Parsed = undefined>(options: Parameters<typeof openInbox<Parsed>>[0] = {}) {
  const inbox = await openInbox(options);
  open.push(inbox);
  return inbox;
}

/** A client of the inbox, on its time. */
const sessionWith = (inbox: Inbox<unknown>, options = {}) =>
  openSession(inbox.connect(), { hostname: 'client.example.org', clock: inbox.time.clock, ...options });

async function send(inbox: Inbox<unknown>, to: string | string[], text = 'Subject: hello\n\nHi.\n') {
  const session = await sessionWith(inbox);
  const verdicts = await session.send({ from: 'ann@example.org', to: [to].flat() }, text);
  await session.quit();
  return verdicts.map(({ verdict }) => verdict);
}

describe('an inbox', () => {
  it('takes what is sent to it, to the octet', async () => {
    const inbox = await inboxFor();
    expect(await send(inbox, ['bob@example.com', 'eve@example.net'], 'Subject: hé\n\n.dot\n')).toEqual([
      'delivered',
      'delivered',
    ]);
    const message = await inbox.next();
    expect(message).toMatchObject({
      from: 'ann@example.org',
      to: ['bob@example.com', 'eve@example.net'],
      text: 'Subject: hé\r\n\r\n.dot\r\n',
      secure: false,
    });
    expect(message.raw).toEqual(new TextEncoder().encode(message.text));
  });

  it('gives each message once, the oldest that matches first', async () => {
    const inbox = await inboxFor();
    await send(inbox, 'bob@example.com', 'Subject: 1\n\n');
    await send(inbox, 'eve@example.com', 'Subject: 2\n\n');
    await send(inbox, 'bob@example.com', 'Subject: 3\n\n');
    const toBob = { to: 'bob@EXAMPLE.com' };
    expect((await inbox.next({ to: 'eve@example.com' })).text).toContain('2');
    expect((await inbox.next(toBob)).text).toContain('1');
    expect((await inbox.next(toBob)).text).toContain('3');
    expect(inbox.messages).toHaveLength(3);
  });

  it.each([
    ['the reverse-path', { from: 'ann@example.org' }, { from: 'bob@example.org' }],
    [
      'all recipients',
      { to: ['eve@x.example', 'bob@x.example'] },
      { to: ['bob@x.example', 'joe@x.example'] },
    ],
    ['a part of the text', { text: 'Hi' }, { text: 'Ho' }],
    ['an expression', { text: /^hi\.$/im }, { text: /^hi$/m }],
    ['a function', { where: () => true }, { where: () => false }],
  ])('finds a message by %s', async (_, right, wrong) => {
    const inbox = await inboxFor();
    await send(inbox, ['bob@x.example', 'eve@x.example']);
    await expect(inbox.next(wrong, { within: 1 })).rejects.toThrow(NoSuchMessageError);
    expect((await inbox.next(right)).from).toBe('ann@example.org');
  });

  it('gives a message to who waits for it', async () => {
    const inbox = await inboxFor();
    const waiting = inbox.next({ to: 'bob@example.com' });
    await send(inbox, 'eve@example.com');
    await send(inbox, 'bob@example.com');
    expect((await waiting).to).toEqual(['bob@example.com']);
  });

  it('says what came, when what was waited for did not', async () => {
    const inbox = await inboxFor();
    await send(inbox, 'eve@example.com', 'Subject: wrong\n\n');
    await expect(inbox.next({ to: 'bob@example.com', text: 'x' }, { within: 5 })).rejects.toThrow(
      'There was not a message to bob@example.com with "x" within 5 ms. One message has arrived:\n' +
        '  ann@example.org to eve@example.com: "Subject: wrong"',
    );
  });

  it('tells those who wait that it was closed', async () => {
    const inbox = await inboxFor();
    const waiting = inbox.next();
    await inbox.close();
    await expect(waiting).rejects.toThrow(
      'There was not a message before this was closed. No message has arrived.',
    );
    await expect(inbox.next()).rejects.toThrow(NoSuchMessageError);
    expect(() => inbox.connect()).toThrow('closed');
  });

  it('has what a parser makes of a message', async () => {
    const inbox = await inboxFor({ parse: async (raw) => raw.length });
    await send(inbox, 'bob@example.com', 'x\r\n');
    const { parsed }: { parsed: number } = await inbox.next();
    expect(parsed).toBe(3);
  });

  it('lets users in, and nobody else', async () => {
    const inbox = await inboxFor({ users: { ann: 'pencil' } });
    const login = (password: string) =>
      sessionWith(inbox, {
        authentication: {
          credentials: { kind: 'password', username: 'ann', password: new Secret(password) },
          allowInsecure: true,
        },
      });
    const session = await login('pencil');
    await session.send({ from: 'ann@example.org', to: ['bob@example.com'] }, 'x');
    expect((await inbox.next()).user).toBe('ann');
    await expect(login('pen')).rejects.toThrow();
  });

  it('refuses what its handlers refuse', async () => {
    const inbox = await inboxFor({
      handlers: { onRcptTo: ({ forwardPath }) => (forwardPath.localPart === 'bob' ? undefined : REFUSAL) },
    });
    expect(await send(inbox, ['bob@example.com', 'eve@example.com'])).toEqual(['delivered', 'rejected']);
    expect((await inbox.next()).to).toEqual(['bob@example.com']);
  });

  it('names a mistake', async () => {
    await expect(openInbox({ user: { ann: 'x' } } as object)).rejects.toThrow('did you mean users?');
    await expect(openInbox({ users: { ann: 1 as never } })).rejects.toThrow('The password of ann');
    await expect(openInbox({ session: { maximumErrors: 0 } })).rejects.toThrow('maximumErrors');
    await expect(openInbox({ handlers: { onMail: () => {} } as object })).rejects.toThrow('onMailFrom');
    const inbox = await inboxFor();
    await expect(inbox.next({ to: 'bob' })).rejects.toThrow('bob');
    await expect(inbox.next({ too: 'bob@example.com' } as object)).rejects.toThrow('did you mean to?');
  });
});

const REFUSAL = { code: 550, enhancedCode: '5.1.1', lines: ['No such user'] };

describe('virtual time', () => {
  it('tells a test that waits for nothing but it', async () => {
    const inbox = await inboxFor();
    const session = await sessionWith(inbox);
    const failure = inbox.next();
    await expect(failure).rejects.toThrow(StalledError);
    await expect(failure).rejects.toThrow(
      /The server's session is in \S+ready; its deadline "\S+" is due in 300000 ms/,
    );
    session.abort();
  });

  it('passes when it is told to', async () => {
    const inbox = await inboxFor();
    const session = await sessionWith(inbox);
    await inbox.time.advance(299_999);
    expect(inbox.time.now()).toBe(299_999);
    await inbox.time.advance(1);
    await inbox.time.wait(session.closed);
  });

  it('does not stall while something goes on', async () => {
    const inbox = await inboxFor();
    const session = await sessionWith(inbox);
    const waiting = inbox.next();
    for (let turn = 0; turn < 5; turn++) {
      await session.inquire({ verb: 'NOOP' });
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await session.send({ from: null, to: ['bob@example.com'] }, 'x');
    expect((await waiting).from).toBe('<>');
  });

  it('can be real', async () => {
    const inbox = await inboxFor({ realTime: true });
    await sessionWith(inbox);
    await expect(inbox.next({}, { within: 50 })).rejects.toThrow(NoSuchMessageError);
    await expect(inbox.time.advance(1)).rejects.toThrow('realTime');
  });
});
