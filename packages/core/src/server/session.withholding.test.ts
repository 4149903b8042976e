/** What the application withholds from one client: to it, the server is one that has none of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { standardExtensions } from '../extensions/lists.js';
import { etrn } from '../extensions/session/etrn.js';
import { EXPORTER } from '../sasl/running.test-support.js';
import { serverMechanisms } from '../sasl/server-mechanisms.js';
import type { TlsInformation } from '../tls.js';
import type { Answer, Question } from './decisions/questions.js';
import type { Withheld } from './decisions/withholding.js';
import { answering, base64, Dialogue, type DialogueOptions, reject } from './dialogue.test-support.js';

const extensions = [...standardExtensions, etrn, { keyword: 'XPAINT', verbs: ['XPAINT'] }];
const options: DialogueOptions = { extensions, startTls: 'offered', authentication: { allowInsecure: true } };

const withholding = (withhold: Withheld): Answer => ({ decision: 'accept', withhold });

/** A dialogue with a client that is not offered this. */
function without(withhold: Withheld, more: DialogueOptions = {}): Dialogue {
  return new Dialogue({ ...options, application: answering({ hello: withholding(withhold) }), ...more });
}

const PLAIN = `AUTH PLAIN ${base64('\0u\0p')}`;

/** What is said of each extension and mechanism, besides EHLO. */
const USES = [
  'NOOP',
  'STARTTLS now',
  PLAIN,
  'AUTH SCRAM-SHA-256',
  '*',
  'VRFY jürgen SMTPUTF8',
  'ETRN x',
  'XPAINT',
  'XFORWARD NAME=x',
  'MAIL FROM:<a@b> SIZE=9',
  'RSET',
  'MAIL FROM:<a@b> BODY=BINARYMIME',
  'RSET',
  'MAIL FROM:<a@b> BODY=8BITMIME',
  'RSET',
  'MAIL FROM:<ü@b> SMTPUTF8',
  'RSET',
  'MAIL FROM:<a@b> RET=HDRS AUTH=<>',
  'RCPT TO:<c@d> NOTIFY=NEVER',
  'RCPT TO:<c@d>',
  'BDAT 0 LAST',
  'XCLIENT NAME=x',
];

const keywords = extensions.map(({ keyword }) => keyword);
const mechanisms = ['SCRAM-SHA-256', 'PLAIN', 'LOGIN'] as const;

describe('what is withheld', () => {
  it('is not in the reply to EHLO, and nothing that requires it is', () => {
    const said = without({ extensions: ['SIZE', 'CHUNKING'], mechanisms: ['LOGIN'] })
      .say('EHLO c')
      .join();
    expect(said).not.toMatch(/SIZE|CHUNKING|BINARYMIME|LOGIN/);
    expect(said).toMatch(/STARTTLS.*AUTH SCRAM-SHA-256 SCRAM-SHA-1 PLAIN,/);
  });

  it.each([
    ['STARTTLS', 'STARTTLS', '502 5.5.1 The command is not offered here'],
    ['AUTH', PLAIN, '502 5.5.1 The command is not offered here'],
    ['CHUNKING', 'BDAT 0 LAST', '502 5.5.1 The command is not offered here'],
    ['ETRN', 'ETRN x', '502 5.5.1 The command is not offered here'],
    ['XPAINT', 'XPAINT', '502 5.5.1 The command is not offered here'],
    ['SIZE', 'MAIL FROM:<a@b> SIZE=9', '555 5.5.4 SIZE is not a parameter of MAIL that was offered'],
    [
      '8BITMIME',
      'MAIL FROM:<a@b> SMTPUTF8',
      '555 5.5.4 SMTPUTF8 is not a parameter of MAIL that was offered',
    ],
  ])('is refused when it is used: %s', (keyword, line, reply) => {
    const dialogue = without({ extensions: [keyword] }).ready();
    expect(dialogue.say(line)).toEqual([reply]);
    // The same client, of whom the application thinks otherwise now, or not at all any more.
    expect(new Dialogue(options).ready().say(line)).not.toEqual([reply]);
  });

  it('is refused as unknown where it is a mechanism, and SCRAM is not told of it', () => {
    const dialogue = without({ mechanisms: ['PLAIN'] }).ready();
    expect(dialogue.say(PLAIN)).toEqual(['504 5.5.4 The mechanism is not one of those that were offered']);
    // Without TLS, the others get 538: they are there.
    const insecure = without({ mechanisms: ['PLAIN'] }, { authentication: {} }).ready();
    expect(insecure.say(PLAIN, 'AUTH LOGIN').map((line) => line.slice(0, 3))).toEqual(['504', '538']);
    // A client that binds to no channel because it believes that none can be bound to is not called a liar.
    const plus = serverMechanisms.get('SCRAM-SHA-256-PLUS')?.name ?? '';
    const scram = `AUTH SCRAM-SHA-256 ${base64('y,,n=u,r=x')}`;
    const user = answering({ hello: withholding({ mechanisms: [plus, 'SCRAM-SHA-1-PLUS'] }) });
    const bound = new Dialogue({ ...options, tls: EXPORTER, application: user }).ready();
    expect(bound.say(scram)).toEqual([expect.stringMatching(/^334 /)]);
    expect(new Dialogue({ ...options, tls: EXPORTER }).ready().say(scram)).toEqual([
      expect.stringMatching(/^535 /),
    ]);
  });

  it('is said anew for each EHLO, after STARTTLS and XCLIENT too, and stays as it was where one is refused', () => {
    const answers = [
      withholding({ extensions: ['AUTH', 'XCLIENT'] }),
      reject,
      withholding({ extensions: ['STARTTLS', 'XFORWARD'] }),
    ];
    const application = (question: Question) =>
      question.kind === 'hello' ? answers.shift() : answering()(question);
    const dialogue = new Dialogue({ ...options, trusted: true, application });
    expect(dialogue.say('EHLO a').join()).not.toMatch(/AUTH|XCLIENT/);
    expect(dialogue.say('EHLO b', PLAIN, 'XCLIENT NAME=x').map((line) => line.slice(0, 3))).toEqual([
      '550',
      '502',
      '502',
    ]);
    dialogue.say('STARTTLS');
    dialogue.handle({ type: 'tlsEstablished', tls: EXPORTER });
    expect(dialogue.say('EHLO c').join()).not.toMatch(/STARTTLS|XFORWARD/);
    // As if the server had none: not 503, which says that TLS is active already.
    expect(dialogue.say('STARTTLS', 'XFORWARD NAME=x').map((line) => line.slice(0, 3))).toEqual([
      '502',
      '502',
    ]);
    expect(dialogue.say(PLAIN)).toEqual([expect.stringMatching(/^235 /)]);
    expect(dialogue.say('XCLIENT NAME=x', 'XFORWARD NAME=x').map((line) => line.slice(0, 3))).toEqual([
      '220',
      '250',
    ]);
  });

  it('is as if the server had none of it, whatever is said afterwards', () => {
    const subsets = fc.record({
      extensions: fc.subarray(keywords),
      mechanisms: fc.subarray([...mechanisms]),
      hello: fc.constantFrom('EHLO c', 'HELO c'),
      tls: fc.constantFrom<TlsInformation | undefined>(undefined, EXPORTER),
      trusted: fc.boolean(),
    });
    fc.assert(
      fc.property(subsets, ({ hello, tls, trusted, ...withheld }) => {
        const base: DialogueOptions = {
          ...options,
          trusted,
          maximumErrors: 100,
          ...(tls && { tls }),
        };
        const named = (names: readonly string[]) =>
          mechanisms.filter((name) => !names.includes(name)) as (typeof mechanisms)[number][];
        const client = without(withheld, {
          ...base,
          authentication: { allowInsecure: true, mechanisms: named([]) },
        });
        const none = new Dialogue({
          ...base,
          extensions: extensions
            .filter(({ keyword }) => keyword === 'XPAINT' || !withheld.extensions.includes(keyword))
            // The verb of an embedder's extension is a verb where it is not offered, too.
            .map((one) =>
              withheld.extensions.includes(one.keyword) ? { ...one, offer: () => undefined } : one,
            ),
          authentication: { allowInsecure: true, mechanisms: named(withheld.mechanisms) },
        });
        for (const line of [hello, ...USES]) expect(client.say(line)).toEqual(none.say(line));
      }),
    );
  });
});

describe('what cannot be withheld', () => {
  it('is what nobody knows: a RangeError suggests what was meant, and the question stays open', () => {
    const dialogue = new Dialogue({ ...options, application: answering({ hello: undefined }) });
    dialogue.say('EHLO c');
    const answer = (withhold: unknown) => () => dialogue.answer(withholding(withhold as Withheld));
    expect(answer({ extensions: ['STARTLS'] })).toThrow(
      new RangeError(
        'withhold.extensions: "STARTLS" is no EHLO keyword of this server: did you mean STARTTLS?',
      ),
    );
    expect(answer({ mechanisms: ['plain'] })).toThrow(
      /"plain" is no SASL mechanism .*: did you mean PLAIN\?$/,
    );
    expect(answer({ extensions: ['size'] })).toThrow(/did you mean SIZE\?$/);
    expect(answer({ mechanisms: ['K'] })).toThrow(/known are SCRAM-SHA-256-PLUS, /);
    expect(answer({ extension: ['SIZE'] })).toThrow(
      /withhold\.extension is not known: did you mean withhold\.ext/,
    );
    expect(answer({ extensions: 'SIZE' })).toThrow(/withhold\.extensions takes a list of names/);
    expect(answer(['SIZE'])).toThrow(TypeError);
    // One of ours that this server does not have is withheld already.
    const ours = { extensions: ['DELIVERBY'], mechanisms: ['XOAUTH2'] };
    expect(dialogue.answer(withholding(ours))).toContain('250-STARTTLS');
  });

  it.each<[Question['kind'], Answer]>([
    ['mail', withholding({ extensions: ['SIZE'] })],
    ['hello', { decision: 'reject', withhold: { extensions: ['SIZE'] } }],
  ])('is said to nothing but an accepted EHLO: %s', (kind, answer) => {
    const dialogue = new Dialogue({ ...options, application: answering({ [kind]: undefined }) });
    dialogue.say('EHLO c', 'MAIL FROM:<a@b>');
    expect(() => dialogue.answer(answer)).toThrow(/a withhold came to (accept|reject) the question/);
  });
});
