/** The model of a client, by a few dialogues that anybody can check, and the core's client against servers of any whim. */
import { encodeText } from '@sansmtp/core';
import { type ByteStream, openSession, SessionError } from '@sansmtp/transport';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serverBehaviour } from '../arbitraries/index.js';
import { openScriptedServer } from '../script/scripted-server.js';
import { ClientModel, fatesOf } from './client-model.js';
import type { ModelReply, Violation } from './index.js';

const latin1 = (octets: Uint8Array) => Buffer.from(octets).toString('latin1');

function replyOf(text: string): ModelReply {
  const lines = text.split(/\r?\n/);
  return { code: Number(text.slice(0, 3)), lines: lines.map((line) => line.slice(4)) };
}

/** The first rule that is broken. */
function judged(...dialogue: readonly string[]): string | undefined {
  const model = new ClientModel();
  for (const each of dialogue) {
    if (each.startsWith('S: ')) model.hear(replyOf(each.slice(3)));
    else {
      const violation = model.say(encodeText(each.startsWith('C: ') ? `${each.slice(3)}\r\n` : each));
      if (violation !== undefined) return violation.message;
    }
  }
  return undefined;
}

const HELLO = ['S: 220 a', 'C: EHLO c.example', 'S: 250-a\n250-SIZE\n250 PIPELINING'];
const RCPT = [...HELLO, 'C: MAIL FROM:<a@b.example>', 'C: RCPT TO:<c@d.example>', 'S: 250 OK', 'S: 250 OK'];

describe('the model of a client', () => {
  it('allows a message, pipelined', () => {
    const said = judged(
      ...RCPT,
      'C: DATA',
      'S: 354 go',
      '..x\r\n.\r\n',
      'S: 250 OK',
      'C: QUIT',
      'S: 221 bye',
    );
    expect(said).toBeUndefined();
  });

  it('allows QUIT after 421, and silence', () => {
    expect(judged(...RCPT, 'C: DATA', 'S: 421 bye', 'C: QUIT')).toBeUndefined();
  });

  it.each<[string, readonly string[], RegExp]>([
    ['what comes before the greeting', ['C: EHLO x'], /before the greeting/],
    ['MAIL before EHLO', ['S: 220 a', 'C: MAIL FROM:<>'], /before EHLO/],
    [
      'pipelining that is not offered',
      ['S: 220 a', 'C: EHLO x', 'S: 250 a', 'C: MAIL FROM:<>', 'C: RCPT TO:<a@b>'],
      /before the reply/,
    ],
    ['what follows DATA at once', [...RCPT, 'C: DATA', 'x\r\n.\r\n'], /behind DATA/],
    ['a parameter that is not offered', [...HELLO, 'C: MAIL FROM:<> BODY=8BITMIME'], /not offered/],
    ['a second MAIL', [...RCPT, 'C: MAIL FROM:<>'], /while a mail transaction is open/],
    ['a bare LF in mail data', [...RCPT, 'C: DATA', 'S: 354 go', 'a\nb\r\n.\r\n'], /bare LF/],
    ['a command after 421', [...HELLO, 'C: NOOP', 'S: 421 bye', 'C: NOOP'], /is over/],
    [
      'mail data after 421, though 354 follows it',
      [...RCPT, 'C: RCPT TO:<e@f.example>', 'C: DATA', 'S: 421 bye', 'S: 354 go', 'x\r\n.\r\n'],
      /after 421/,
    ],
    ['what follows QUIT', [...HELLO, 'C: QUIT', 'S: 221 bye', 'C: NOOP'], /is over/],
    [
      'what was known before TLS',
      ['S: 220 a', 'C: EHLO x', 'S: 250-a\n250 STARTTLS', 'C: STARTTLS', 'S: 220 go', 'C: NOOP'],
      /before the TLS/,
    ],
  ])('does not allow %s', (_, dialogue, expected) => {
    expect(judged(...dialogue)).toMatch(expected);
  });
});

/** Whether its lines say different things: the codes of one reply are the same (RFC 5321 §4.2.1), and which one counts nobody says. */
function contradictsItself(reply: string): boolean {
  const codes = new Set(
    reply
      .trimEnd()
      .split('\n')
      .map((line) => line.slice(0, 3)),
  );
  const classes = new Set([...codes].map((code) => code[0]));
  return classes.size > 1 || (codes.size > 1 && codes.has('421'));
}

/** The stream, and a model that hears all that goes over it, up to a reply that is none. */
function listened(stream: ByteStream, model: ClientModel, broken: Violation[]): ByteStream {
  let heard = '';
  const replies = () => {
    for (;;) {
      const [whole] = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\r?\n/.exec(heard) ?? [];
      if (whole === undefined || contradictsItself(whole)) return;
      heard = heard.slice(whole.length);
      model.hear(replyOf(whole.trimEnd()));
    }
  };
  return new Proxy(stream, {
    get(target, name) {
      if (name === 'write') {
        return (octets: Uint8Array) => {
          const violation = model.say(octets);
          if (violation !== undefined) broken.push(violation);
          return target.write(octets);
        };
      }
      if (name === 'open') {
        return (listener: Parameters<ByteStream['open']>[0]) =>
          target.open({
            data(octets) {
              heard += latin1(octets);
              replies();
              listener.data(octets);
            },
            end: () => listener.end(),
            drain: () => listener.drain(),
            secure: (tls) => listener.secure(tls),
            close: (reason) => listener.close(reason),
          });
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe("the core's client", () => {
  const TO = ['c@d.example', 'e@f.example', 'g@h.example'];

  it('says what it may, and tells what became of each recipient, whatever the server does', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(serverBehaviour(), fc.constantFrom('smtp', 'lmtp'), async (script, protocol) => {
        const server = await openScriptedServer(script, { protocol });
        const model = new ClientModel({ protocol });
        const broken: Violation[] = [];
        const { clock } = server.time;
        const sending = openSession(listened(server.connect(), model, broken), {
          hostname: 'c.example',
          clock,
          protocol,
        })
          .then((session) => session.send({ from: 'a@b.example', to: TO }, 'x\n.\n'))
          .catch((error: unknown) => {
            expect(error).toBeInstanceOf(SessionError); // before the message
            return undefined;
          });
        await server.time.advance(4 * 3_600_000);
        const verdicts = await server.time.wait(sending);
        await server.close();
        expect(broken).toEqual([]);
        const [transaction] = model.transactions;
        if (verdicts === undefined || transaction === undefined) return;
        for (const [index, { verdict }] of verdicts.entries()) {
          expect(fatesOf(transaction, index, protocol)).toContain(verdict);
          seen.add(verdict);
        }
      }),
      { numRuns: 80 },
    );
    expect(seen).toContain('delivered');
  });
});
