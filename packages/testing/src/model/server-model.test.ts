/** The model, by a few dialogues that anybody can check against the RFC, and the core's server beside it. */
import { encodeText, type ServerSessionOptions } from '@sansmtp/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clientDialogue, type DialogueStep, octetsOfMessage, octetsOfStep } from '../arbitraries/index.js';
import { CoreServer } from './core-server.test-support.js';
import { type ModelInput, type ServerFacts, ServerModel } from './index.js';

const line = (text: string): ModelInput => ({ kind: 'line', line: text });
const text = (octets: Uint8Array) => Buffer.from(octets).toString('latin1');

/** Lines of a client and replies of a server; undefined if all of them are allowed. */
function judged(dialogue: readonly string[], facts: ServerFacts = {}): string | undefined {
  const model = new ServerModel(facts);
  for (const each of dialogue) {
    const [, by, rest = ''] = /^(C|S|D): (.*)$/s.exec(each) ?? [];
    if (by === 'C') model.say(line(rest));
    else if (by === 'D') model.say({ kind: 'mailData', octets: encodeText(rest) });
    else {
      const lines = rest.split('\n');
      const violation = model.hear({
        code: Number(rest.slice(0, 3)),
        lines: lines.map((one) => one.slice(4)),
      });
      if (violation !== undefined) return `${violation.clause}: ${violation.message}`;
    }
  }
  return undefined;
}

const HELLO = ['S: 220 a', 'C: EHLO c.example', 'S: 250-a\n250-SIZE 100\n250 8BITMIME'];
const RCPT = [...HELLO, 'C: MAIL FROM:<a@b.example>', 'S: 250 OK', 'C: RCPT TO:<c@d.example>', 'S: 250 OK'];

describe('the model of a server', () => {
  it.each<[string, readonly string[]]>([
    ['a message', [...RCPT, 'C: DATA', 'S: 354 go', 'D: x\r\n.\r\n', 'S: 250 OK', 'C: QUIT', 'S: 221 bye']],
    [
      'a recipient that is not taken',
      [...HELLO, 'C: MAIL FROM:<>', 'S: 250 OK', 'C: RCPT TO:<x@y>', 'S: 550 No'],
    ],
    ['DATA that is refused where nobody can be reached', [...HELLO, 'C: DATA', 'S: 554 no']],
    ['354 there, if the message is refused', [...HELLO, 'C: DATA', 'S: 354 go', 'D: .\r\n', 'S: 554 no']],
    ['a server that has to leave', [...RCPT, 'C: NOOP', 'S: 421 shutting down']],
    ['a server that resets by EHLO', [...RCPT, 'C: EHLO x', 'S: 250 a', 'C: MAIL FROM:<>', 'S: 250 OK']],
  ])('allows %s', (_, dialogue) => {
    expect(judged(dialogue, { strict: true })).toBeUndefined();
  });

  it.each<[string, readonly string[], RegExp]>([
    [
      'RCPT without MAIL',
      [...HELLO, 'C: RCPT TO:<a@b>', 'S: 250 OK'],
      /§3\.3, §4\.1\.4: 503: expected 503, got 250/,
    ],
    [
      'EHLO that keeps the recipients',
      [...RCPT, 'C: EHLO x', 'S: 250 a', 'C: RCPT TO:<a@b>', 'S: 250 OK'],
      /503/,
    ],
    [
      'RSET that keeps them',
      [...RCPT, 'C: RSET', 'S: 250 a', 'C: DATA', 'S: 354 go', 'D: .\r\n', 'S: 250 OK'],
      /without a recipient/,
    ],
    [
      'a message over SIZE',
      [...RCPT, 'C: DATA', 'S: 354 go', `D: ${'x'.repeat(99)}\r\n.\r\n`, 'S: 250 OK'],
      /RFC 1870 §6.3/,
    ],
    [
      'a message of just SIZE refused',
      [...RCPT, 'C: DATA', 'S: 354 go', `D: ${'x'.repeat(98)}\r\n.\r\n`, 'S: 552 No'],
      /RFC 1870 §6/,
    ],
    ['a reply to nothing', [...RCPT, 'S: 250 OK'], /a reply to nothing/],
    ['a parameter that nobody offers', [...HELLO, 'C: MAIL FROM:<> FOO=1', 'S: 250 OK'], /§4\.1\.1\.11/],
    ['a quoted dot-string', [...HELLO, 'C: MAIL FROM:<"a b"@c.example>', 'S: 501 No'], /expected 250/],
    ['QUIT by another code', [...HELLO, 'C: QUIT', 'S: 250 OK'], /§4\.1\.1\.10/],
  ])('does not allow %s', (_, dialogue, expected) => {
    expect(judged(dialogue, { strict: true })).toMatch(expected);
  });
});

const OFFERS = ['SIZE', '8BITMIME', 'DSN', 'SMTPUTF8', 'CHUNKING', 'AUTH', 'STARTTLS'];
const USERS = { ann: 'pencil' };

/** Says a dialogue to the core, and lets the model judge each reply. */
function play(
  steps: readonly DialogueStep[],
  options: ServerSessionOptions,
  facts: ServerFacts,
): ServerModel {
  const server = new CoreServer(options, facts);
  const model = new ServerModel(facts);
  const lmtp = facts.protocol === 'lmtp';
  const hear = () => {
    let code = 0;
    for (const reply of server.replies()) {
      const violation = model.hear(reply);
      if (violation !== undefined) throw new Error(`${violation.clause}: ${violation.message}`);
      code = reply.code;
    }
    expect(model.awaitsReply, 'a reply that does not come').toBe(false);
    expect(server.isClosed, 'closed').toBe(model.isOver);
    return code;
  };
  const exchange = (octets: Uint8Array, input: ModelInput): number => {
    model.say(input);
    server.send(octets);
    return hear();
  };
  const say = (each: string) => exchange(encodeText(`${each}\r\n`), line(each));

  hear();
  for (const step of steps) {
    if (server.isClosed) break;
    if (step.kind === 'command') {
      let code = say(lmtp ? step.line.replace(/^EHLO/i, 'LHLO') : step.line);
      for (const response of step.responses ?? []) if (code === 334) code = say(response);
    } else if (step.kind === 'data') {
      if (say('DATA') !== 354) continue;
      const octets = octetsOfMessage(step.message);
      exchange(octets, { kind: 'mailData', octets });
    } else if (step.kind === 'chunk') {
      const whole = octetsOfStep(step);
      exchange(whole, { kind: 'chunk', line: text(whole).split('\r\n')[0] ?? '', octets: step.octets });
    } else if (say('STARTTLS') === 220) {
      expect(server.wantsHandshake).toBe(true);
      server.handshake();
      model.say({ kind: 'handshake' });
    }
  }
  const contents = model.stored.map(({ content }) => text(content));
  expect(server.stored).toEqual(contents);
  return model;
}

describe("the core's server", () => {
  it.each([
    ['empty', '='],
    ['NUL', 'AA=='],
    ['not UTF-8', '/w=='],
  ])('may refuse LOGIN before the password, where the user name is %s', (_, name) => {
    const facts: ServerFacts = { protocol: 'smtp', strict: true, users: USERS };
    const options: ServerSessionOptions = {
      authentication: { allowInsecure: true, mechanisms: ['LOGIN'] },
    };
    const steps: DialogueStep[] = [
      { kind: 'command', line: 'EHLO c.example' },
      { kind: 'command', line: `AUTH LOGIN ${name}` },
    ];
    expect(play(steps, options, facts).awaitsReply).toBe(false);
  });

  it.each(['smtp', 'lmtp'] as const)('replies as the model has it, in %s', (protocol) => {
    const facts: ServerFacts = {
      protocol,
      strict: true,
      users: USERS,
      takes: (mailbox) => !/@[x-z][^@]*$/i.test(mailbox),
    };
    const options: ServerSessionOptions = {
      protocol,
      startTls: 'offered',
      authentication: { allowInsecure: true, mechanisms: ['PLAIN', 'LOGIN'] },
      maximumMessageSize: 3000,
    };
    let stored = 0;
    fc.assert(
      fc.property(clientDialogue({ offers: OFFERS, maximumSteps: 20 }), ({ steps }) => {
        stored += play(steps, options, facts).stored.length;
      }),
      { numRuns: 120 },
    );
    expect(stored).toBeGreaterThan(5);
  });
});
