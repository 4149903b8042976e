import {
  type ClientInquiry,
  etrn,
  type Reply,
  type ServiceExtension,
  standardExtensions,
} from '@sansmtp/core';
import { Rejection, type ServerHandlers } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connected, envelopeFor, expectEverySessionToEnd as expectClientsToEnd } from './connecting.js';
import { expectEverySessionToEnd, negotiate, networks } from './negotiating.js';
import { settle } from './peer.js';
import { pending } from './serving.js';

expectEverySessionToEnd();
expectClientsToEnd();

const embedded: ServiceExtension = { keyword: 'XTEST', verbs: ['XTEST', 'XMORE'] };
const extensions = [...standardExtensions, etrn, embedded];

const text = (code: number, enhancedCode: string, ...lines: string[]): Reply => ({
  code,
  enhancedCode,
  lines,
});

/** Each inquiry, its handler, and what it is answered without one. */
const inquiries = {
  VRFY: ['onVerify', text(252, '2.5.0', 'Cannot verify the user, but will take mail for it')],
  EXPN: ['onExpand', text(502, '5.5.1', 'EXPN is not implemented')],
  HELP: ['onHelp', text(214, '2.0.0', 'See RFC 5321')],
  ETRN: ['onEtrn', text(459, '4.7.1', 'The node is not allowed')],
  XTEST: ['onExtension', text(502, '5.5.1', 'The command is not implemented')],
} as const;

type Verb = keyof typeof inquiries;
const verbs = Object.keys(inquiries) as Verb[];

const inquiryOf = (verb: Verb, argument: string): ClientInquiry =>
  verb === 'XTEST' ? { verb: 'extension', name: verb, argument } : { verb, argument };

/** Handlers of all inquiries, which note what they are asked and give the same reply. */
function answering(answer: () => Reply | undefined | Promise<Reply | undefined>, asked: unknown[]) {
  const handlers: Partial<ServerHandlers> = {};
  for (const verb of verbs) {
    const [name] = inquiries[verb];
    handlers[name] = (question: unknown) => {
      asked.push(typeof question === 'string' ? question : { ...(question as object) });
      return answer();
    };
  }
  return handlers;
}

const both = { server: { extensions }, client: { extensions } };

describe.each(verbs)('%s', (verb) => {
  const argument = fc.stringMatching(/^[!-~]{1,10}( [!-~]{1,10}){0,2}$/);
  const lines = fc.array(fc.stringMatching(/^[!-~][ -~]{0,40}$/), { minLength: 1, maxLength: 4 });
  const codes = fc.constantFrom([250, '2.1.5'] as const, [550, '5.1.1'] as const, [450, '4.2.1'] as const);

  it('carries the argument to the handler, and the reply to whoever asks, over any network', async () => {
    await fc.assert(
      fc.asyncProperty(
        argument,
        lines,
        codes,
        networks,
        async (given, said, [code, enhancedCode], network) => {
          const asked: unknown[] = [];
          const reply = { code, enhancedCode, lines: said };
          const session = negotiate({
            ...both,
            network: network(),
            handlers: answering(async () => reply, asked),
          });
          const client = await session.opened();
          const word = verb === 'ETRN' ? '@b.example' : given;
          expect(await session.until(client.inquire(inquiryOf(verb, word)))).toEqual(reply);
          expect(await session.until(client.inquire(inquiryOf(verb, word)))).toEqual(reply);
          const question = verb === 'XTEST' ? expect.objectContaining({ verb, argument: word }) : word;
          expect(asked).toEqual([question, question]);
          await session.until(client.quit());
          await session.end();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is answered without a handler, and between two messages', async () => {
    const client = await negotiate(both).opened();
    const [, expected] = inquiries[verb];
    const asking = inquiryOf(verb, verb === 'ETRN' ? 'b.example' : 'word');
    expect(await client.inquire(asking)).toEqual(expected);
    expect(await client.send(envelopeFor(), 'x')).toMatchObject([{ verdict: 'delivered' }]);
    expect(await client.inquire(asking)).toEqual(expected);
  });

  it('is refused by a Rejection, and by 451 where the handler fails', async () => {
    let fault: Error = new Rejection(550, '5.7.1', 'Not you');
    const session = negotiate({ ...both, handlers: answering(() => Promise.reject(fault), []) });
    const client = await session.opened();
    const asking = inquiryOf(verb, verb === 'ETRN' ? 'b.example' : 'word');
    expect(await client.inquire(asking)).toEqual(text(550, '5.7.1', 'Not you'));
    expect(session.errors).toEqual([]);
    fault = new Error('The directory is away');
    expect(await client.inquire(asking)).toMatchObject({ code: 451, enhancedCode: '4.3.0' });
    expect(session.errors).toEqual([fault]);
  });
});

describe('inquire', () => {
  it.each(['VRFY', 'EXPN'] as const)(
    '%s asks in UTF-8 where SMTPUTF8 is offered (RFC 6531 §3.7.4)',
    async (verb) => {
      const asked: unknown[] = [];
      const reply = text(250, '2.1.5', 'Jürgen <jürgen@bücher.example>');
      const client = await negotiate({ ...both, handlers: answering(() => reply, asked) }).opened();
      expect(await client.inquire({ verb, argument: 'jürgen', utf8: true })).toEqual(reply);
      expect(asked).toEqual(['jürgen']);

      const without = standardExtensions.filter(({ keyword }) => keyword !== 'SMTPUTF8');
      const other = await negotiate({ server: { extensions: without } }).opened();
      await expect(other.inquire({ verb, argument: 'jürgen', utf8: true })).rejects.toMatchObject({
        name: 'ExtensionNotOfferedError',
        keyword: 'SMTPUTF8',
      });
      await expect(other.inquire({ verb, argument: 'jürgen' })).rejects.toMatchObject({
        name: 'LocalProtocolError',
      });
    },
  );

  it('refuses verbs that were not offered, or that nobody here knows; the session goes on', async () => {
    const client = await negotiate({ client: { extensions } }).opened();
    const refused = { name: 'ExtensionNotOfferedError' };
    await expect(client.inquire({ verb: 'ETRN', argument: 'a' })).rejects.toMatchObject({
      ...refused,
      keyword: 'ETRN',
    });
    for (const name of ['XTEST', 'xmore']) {
      await expect(client.inquire({ verb: 'extension', name, argument: '' })).rejects.toMatchObject({
        ...refused,
        keyword: 'XTEST',
      });
    }
    await expect(client.inquire({ verb: 'extension', name: 'XOTHER', argument: '' })).rejects.toMatchObject({
      name: 'LocalProtocolError',
    });
    expect(await client.inquire({ verb: 'NOOP', argument: '' })).toMatchObject({ code: 250 });
  });

  it('cannot be made to send a second command', async () => {
    const session = negotiate(both);
    const client = await session.opened();
    const before = session.wire.sent;
    for (const argument of ['a\r\nMAIL FROM:<>', 'a\nb', 'a\0', ' a']) {
      for (const verb of verbs) {
        await expect(client.inquire(inquiryOf(verb, argument))).rejects.toMatchObject({
          name: 'LocalProtocolError',
        });
      }
    }
    expect(session.wire.sent).toBe(before);
  });

  const noop = { verb: 'NOOP', argument: '' } as const;
  const silent = { reply: (command: string) => (/^(NOOP|MAIL)/.test(command) ? null : undefined) };

  it('asks one thing at a time: nothing else may be under way', async () => {
    const { client, server } = await connected(silent);
    const asking = client.inquire(noop);
    for (const other of [
      () => client.inquire(noop),
      () => client.send(envelopeFor(), 'x'),
      () => client.quit(),
    ]) {
      await expect(other()).rejects.toMatchObject({ name: 'LocalProtocolError' });
    }
    server.say('250 OK');
    expect(await asking).toMatchObject({ code: 250 });
    const sending = client.send(envelopeFor(), 'x');
    await expect(client.inquire(noop)).rejects.toMatchObject({ name: 'LocalProtocolError' });
    client.abort();
    expect(await sending).toMatchObject([{ verdict: 'deferred' }]);
  });

  it('fails with the session', async () => {
    for (const [code, fail] of [
      ['ECONNECTION', ({ server }) => server.stream.abort()],
      ['ECONNECTION', ({ client }) => client.abort()],
      ['EPROTOCOL', ({ server }) => server.say('421 4.3.2 Going down')],
      ['EPROTOCOL', ({ server }) => server.say('354 What?')],
      ['ETIMEDOUT', ({ clock }) => clock.advanceAsync(300_000)],
    ] as readonly (readonly [string, (session: Awaited<ReturnType<typeof connected>>) => unknown])[]) {
      const session = await connected(silent);
      const asking = session.client.inquire(noop);
      asking.catch(() => {});
      await settle();
      await fail(session);
      await expect(asking).rejects.toMatchObject({ name: 'SessionError', code, command: 'INQUIRY' });
      await expect(session.client.inquire(noop)).rejects.toMatchObject({ name: 'SessionError', code });
      session.server.stream.abort();
      await session.client.closed;
    }
  });

  it('is not for a session that was ended by QUIT', async () => {
    const client = await negotiate().opened();
    await client.quit();
    await expect(client.inquire(noop)).rejects.toMatchObject({ name: 'LocalProtocolError' });
  });

  it('has its reply awaited by a shutdown', async () => {
    const answer = pending();
    const session = negotiate({ ...both, handlers: { onVerify: () => answer.promise } });
    const client = await session.opened();
    const asking = client.inquire({ verb: 'VRFY', argument: 'a' });
    await settle();
    session.connection.shutdown();
    await settle();
    answer.resolve();
    expect(await asking).toMatchObject({ code: 252 });
    await expect(client.inquire(noop)).rejects.toMatchObject({ name: 'SessionError' });
  });
});
