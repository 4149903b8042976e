/** Service extensions: ETRN (RFC 1985), and an embedder's own with keyword, parameters and verb (RFC 5321 §2.2). */
import { describe, expect, it } from 'vitest';
import type { ServiceExtension } from '../extensions/contract/extension.js';
import { standardExtensions } from '../extensions/lists.js';
import { etrn } from '../extensions/session/etrn.js';
import { EXPORTER } from '../sasl/running.test-support.js';
import {
  accept,
  answering,
  Dialogue,
  type DialogueOptions,
  hangUp,
  reject,
} from './dialogue.test-support.js';

/** Offered over TLS only. */
const colour: ServiceExtension = {
  keyword: 'XCOLOUR',
  offer: ({ secured }) => (secured ? 'RED GREEN' : undefined),
  additionalMailOctets: 16,
  mailParameters: [
    {
      keyword: 'COLOUR',
      parse: (value) =>
        value === 'RED' || value === 'GREEN'
          ? { custom: { COLOUR: value } }
          : { code: 501, enhancedCode: '5.5.4', lines: ['COLOUR takes RED or GREEN'] },
      format: () => undefined,
    },
  ],
  rcptParameters: [
    { keyword: 'SHADE', parse: (value) => ({ custom: { SHADE: value } }), format: () => undefined },
  ],
  verbs: ['XPAINT'],
};

const options: DialogueOptions = { tls: EXPORTER, extensions: [...standardExtensions, colour, etrn] };

describe("an embedder's extension", () => {
  it('is listed in its place, with what stands behind it', () => {
    expect(new Dialogue(options).say('EHLO c').slice(-2)).toEqual(['250-XCOLOUR RED GREEN', '250 ETRN']);
    expect(new Dialogue({ ...options, extensions: [colour] }).say('EHLO c')).toEqual([
      '250-s.example OK',
      '250 XCOLOUR RED GREEN',
    ]);
  });

  it('has parameters, whose values reach the questions', () => {
    const dialogue = new Dialogue(options).ready();
    dialogue.say('MAIL FROM:<a@b> colour=RED', 'RCPT TO:<c@d> SHADE=dark');
    expect(dialogue.questions.slice(-2)).toMatchObject([
      { kind: 'mail', parameters: { custom: { COLOUR: 'RED' } } },
      { kind: 'rcpt', parameters: { custom: { SHADE: 'dark' } } },
    ]);
    dialogue.say('RSET');
    expect(dialogue.say('MAIL FROM:<a@b> COLOUR=BLUE')).toEqual(['501 5.5.4 COLOUR takes RED or GREEN']);
  });

  it('has a verb, which is a question that changes nothing', () => {
    const dialogue = new Dialogue(options).addressed();
    expect(dialogue.say('xpaint the  wall ')).toEqual(['250 2.0.0 OK']);
    expect(dialogue.questions.at(-1)).toEqual({ kind: 'extension', verb: 'XPAINT', argument: 'the  wall' });
    expect(dialogue.session.state).toBe('session.transaction.addressed');
    expect(dialogue.say('XPAINT')).toEqual(['250 2.0.0 OK']);
    expect(dialogue.questions.at(-1)).toEqual({ kind: 'extension', verb: 'XPAINT', argument: '' });
  });

  it('has a verb that the application may refuse, or end the session by', () => {
    const refusing = new Dialogue({ ...options, application: answering({ extension: reject }) }).ready();
    expect(refusing.say('XPAINT', 'NOOP')).toEqual([
      '502 5.5.1 The command is not implemented',
      '250 2.0.0 OK',
    ]);
    const ending = new Dialogue({ ...options, application: answering({ extension: hangUp }) }).ready();
    expect(ending.say('XPAINT')).toEqual(['421 4.3.2 Not now']);
  });

  it.each<[string, string, DialogueOptions, string]>([
    ['503 before EHLO', '503 5.5.1', options, 'NOOP'],
    ['502 after HELO, which was offered nothing', '502 5.5.1', options, 'HELO c'],
    ['502 where it was not offered', '502 5.5.1', { extensions: [colour] }, 'EHLO c'],
    ['500 where it is not listed', '500 5.5.1', {}, 'EHLO c'],
  ])('has a verb that gets %s', (_, code, more, line) => {
    const dialogue = new Dialogue(more);
    dialogue.say(line);
    expect(dialogue.say('XPAINT')[0]).toContain(code);
    expect(dialogue.asked).not.toContain('extension');
  });

  it('has nothing that was not offered', () => {
    const dialogue = new Dialogue({ extensions: [colour] }).ready();
    expect(dialogue.say('MAIL FROM:<a@b> COLOUR=RED')[0]).toMatch(/^555 5\.5\.4/);
  });
});

describe('what no reply to EHLO can hold', () => {
  const offering = (offer: unknown): DialogueOptions => ({
    extensions: [{ keyword: 'X-ODD', offer: (() => offer) as () => string }],
    application: answering({ hello: undefined }),
  });

  it.each([
    ['a line end', 'RED\r\n250 AUTH PLAIN', RangeError, 'X-ODD gave "RED\\r\\n250 AUTH PLAIN"'],
    ['a bare LF', 'RED\nGREEN', RangeError, 'X-ODD gave "RED\\nGREEN"'],
    ['a control character', 'RED\0', RangeError, 'X-ODD gave "RED\\u0000"'],
    ['what has to be folded', 'R'.repeat(502), RangeError, 'X-ODD gave "RRR'],
    ['a number', 4711, TypeError, 'X-ODD gave a number; it takes a text'],
    ['null', null, TypeError, 'X-ODD gave null; it takes a text'],
  ])('is refused before anything changes: %s', (_, offer, type, message) => {
    const dialogue = new Dialogue(offering(offer));
    dialogue.say('EHLO c');
    expect(() => dialogue.handle({ type: 'answer', ...accept })).toThrow(type);
    expect(() => dialogue.handle({ type: 'answer', ...accept })).toThrow(message);
    expect(dialogue.session.question).toMatchObject({ kind: 'hello' });
    expect(dialogue.session.hello).toBeUndefined();
    expect(dialogue.handle({ type: 'answer', ...reject })).toMatchObject([{ type: 'write' }]);
    expect(dialogue.session.state).toBe('session.greeted');
  });

  it('is asked for once an EHLO, so that what was offered holds', () => {
    let asked = 0;
    const dialogue = new Dialogue({ extensions: [{ ...colour, offer: () => `RED ${++asked}` }] });
    expect(dialogue.say('EHLO c').at(-1)).toBe('250 XCOLOUR RED 1');
    dialogue.say('MAIL FROM:<a@b> COLOUR=RED', 'RCPT TO:<c@d> SHADE=dark', 'XPAINT');
    expect(asked).toBe(1);
    expect(dialogue.say('EHLO c').at(-1)).toBe('250 XCOLOUR RED 2');
  });
});

describe('ETRN (RFC 1985)', () => {
  it('is offered only where it is listed', () => {
    expect(new Dialogue(options).say('EHLO c')).toContain('250 ETRN');
    expect(new Dialogue().say('EHLO c').join()).not.toContain('ETRN');
  });

  it('asks the application about the node, as it was written (RFC 1985 §5.3)', () => {
    const dialogue = new Dialogue(options).ready();
    expect(dialogue.say('ETRN @example.org')).toEqual(['250 2.0.0 Queuing for the node started']);
    expect(dialogue.questions.at(-1)).toEqual({ kind: 'etrn', argument: '@example.org' });
    expect(dialogue.session.state).toBe('session.ready');
  });

  it.each<[string, string, DialogueOptions, string[]]>([
    [
      '459 where the application refuses',
      '459 4.7.1',
      { ...options, application: answering({ etrn: reject }) },
      ['EHLO c', 'ETRN x'],
    ],
    ['501 without a node', '501 5.5.4', options, ['EHLO c', 'ETRN']],
    ['502 where it is not offered', '502 5.5.1', {}, ['EHLO c', 'ETRN x']],
    ['502 after HELO', '502 5.5.1', options, ['HELO c', 'ETRN x']],
    ['503 before EHLO', '503 5.5.1', options, ['ETRN x']],
    ['503 in a mail transaction', '503 5.5.1', options, ['EHLO c', 'MAIL FROM:<a@b>', 'ETRN x']],
    [
      '530 before AUTH, where it is required',
      '530 5.7.0',
      { ...options, authentication: { required: true } },
      ['EHLO c', 'ETRN x'],
    ],
  ])('gets %s', (_, code, more, lines) => {
    expect(new Dialogue(more).say(...lines).at(-1)).toContain(code);
  });
});
