import type { Reply, Verdict } from '@sansmtp/core';
import { type MessageResult, Rejection } from '@sansmtp/transport';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envelopeFor } from './connecting.js';
import { expectEverySessionToEnd, type NegotiationOptions, negotiate, networks } from './negotiating.js';
import { read } from './serving.js';

expectEverySessionToEnd();

const lmtp = ({ server = {}, client = {}, ...options }: NegotiationOptions = {}) =>
  negotiate({
    ...options,
    server: { protocol: 'lmtp', ...server },
    client: { protocol: 'lmtp', ...client },
  });

const reply = (code: number): Reply => ({
  code,
  enhancedCode: `${Math.floor(code / 100)}.0.0`,
  lines: ['So'],
});

const verdictOf: Readonly<Record<string, string>> = { 2: 'delivered', 4: 'deferred', 5: 'rejected' };
const wordOf = (code: number) => `${verdictOf[Math.floor(code / 100)]} ${code}`;
const summary = (verdicts: readonly Verdict[]) =>
  verdicts.map((verdict) => `${verdict.verdict} ${verdict.reply?.code ?? verdict.failure?.kind}`);

describe('LMTP (RFC 2033)', () => {
  const codes = fc.constantFrom(250, 251, 450, 452, 550, 552, 554);
  const recipients = fc.array(fc.record({ rcpt: fc.constantFrom(250, 250, 450, 550), message: codes }), {
    minLength: 1,
    maxLength: 6,
  });
  const ways = fc.constantFrom('data' as const, 'bdat' as const);

  it('has a verdict of its own for each recipient, whatever the others are, over any network', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(recipients, { minLength: 1, maxLength: 3 }),
        ways,
        fc.boolean(),
        networks,
        async (messages, mailDataBy, late, network) => {
          let at = 0;
          const session = lmtp({
            network: network(),
            client: { mailDataBy },
            handlers: {
              onRcptTo({ forwardPath }) {
                const { rcpt = 250 } = messages[at]?.[Number(forwardPath.localPart)] ?? {};
                if (rcpt !== 250) throw new Rejection(rcpt, undefined, 'No');
              },
              onMessage({ envelope, body }) {
                const all = envelope.recipients.map(({ forwardPath }) =>
                  reply(messages[at]?.[Number(forwardPath.localPart)]?.message ?? 0),
                );
                return late ? read(body).then(() => all) : all;
              },
            },
          });
          const client = await session.opened();
          expect(client.offer.verb).toBe('LHLO');
          for (const given of messages) {
            const envelope = envelopeFor(...given.map((_, index) => String(index)));
            const verdicts = await session.until(client.send(envelope, 'Subject: x\r\n'));
            expect(summary(verdicts)).toEqual(
              given.map(({ rcpt, message }) => wordOf(rcpt === 250 ? message : rcpt)),
            );
            at++;
          }
          await session.until(client.quit());
          await session.end();
          expect(session.errors).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it.each<[string, () => MessageResult, string]>([
    ['nothing', () => undefined, 'delivered 250'],
    ['one reply', () => reply(250), 'delivered 250'],
    ['one refusal', () => reply(452), 'deferred 452'],
    [
      'a Rejection',
      () => {
        throw new Rejection(554, '5.6.0', 'No');
      },
      'rejected 554',
    ],
  ])('is answered for all recipients by %s, or by a promise of it', async (_, onMessage, expected) => {
    for (const handler of [onMessage, async () => onMessage()]) {
      const client = await lmtp({ handlers: { onMessage: handler } }).opened();
      expect(summary(await client.send(envelopeFor('a', 'b'), 'x'))).toEqual([expected, expected]);
      expect(summary(await client.send(envelopeFor('c'), 'x'))).toEqual([expected]);
    }
  });

  it.each<[string, readonly unknown[]]>([
    ['fewer replies than there are recipients', [reply(250)]],
    ['more', [reply(250), reply(250), reply(250)]],
    ['none', []],
    ['something else among them', [reply(250), 'OK']],
    ['a 421 among them', [reply(250), reply(421)]],
    ['a 354 among them', [reply(250), reply(354)]],
  ])('answers 451 for all recipients by %s, and tells onError', async (_, wrong) => {
    const session = lmtp({ handlers: { onMessage: () => wrong as readonly Reply[] } });
    const client = await session.opened();
    expect(summary(await client.send(envelopeFor('a', 'b'), 'x'))).toEqual(['deferred 451', 'deferred 451']);
    expect(session.errors).toEqual([
      expect.objectContaining({
        name: wrong.includes('OK') ? 'TypeError' : 'LocalProtocolError',
        message: expect.stringContaining(wrong.includes('OK') ? 'in LMTP a Reply for each recipient' : ''),
      }),
    ]);
    expect(await client.inquire({ verb: 'NOOP', argument: '' })).toMatchObject({ code: 250 });
  });

  it('takes no reply for each recipient in SMTP: 451, and onError is told', async () => {
    const session = negotiate({ handlers: { onMessage: () => [reply(250)] } });
    const client = await session.opened();
    expect(summary(await client.send(envelopeFor(), 'x'))).toEqual(['deferred 451']);
    expect(session.errors).toEqual([expect.any(Error)]);
  });

  it('leaves unknown what had no reply when the connection was lost, at whatever octet of the replies', async () => {
    const codesOf = [250, 550, 450, 250];
    const onMessage = () => codesOf.map(reply);
    const talk = async (second?: number) => {
      const session = lmtp({
        handlers: { onMessage },
        network: second === undefined ? {} : { dropAfter: { second } },
      });
      const client = await session.opened();
      const verdicts = await client.send(envelopeFor('a', 'b', 'c', 'd'), 'x');
      return { verdicts, received: session.wire.received };
    };
    const { received } = await talk();
    const replies = received.indexOf('250 2.0.0 So');
    for (let octets = replies + 1; octets < received.length; octets++) {
      const whole = received.slice(replies, octets).split('\r\n').length - 1;
      expect(summary((await talk(octets)).verdicts), `behind ${octets} octets`).toEqual(
        codesOf.map((code, index) => (index < whole ? wordOf(code) : 'unknown lost')),
      );
    }
  });

  it('is not spoken with a server of SMTP, nor SMTP with one of LMTP (RFC 2033 §4.1)', async () => {
    await expect(negotiate({ client: { protocol: 'lmtp' } }).opening).rejects.toMatchObject({
      code: 'EPROTOCOL',
      command: 'EHLO',
      failure: { kind: 'refused' },
    });
    await expect(negotiate({ server: { protocol: 'lmtp' } }).opening).rejects.toMatchObject({
      code: 'EPROTOCOL',
      failure: { kind: 'refused' },
    });
  });
});
