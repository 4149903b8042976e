/** What a client proves itself by is seen nowhere but where it is asked for by name. */
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MechanismName } from '../sasl/exchange/exchange.js';
import { CERTIFIED, EXPORTER, stored } from '../sasl/running.test-support.js';
import type { Answer, Question } from './decisions/questions.js';
import { accept, base64, Dialogue, hangUp, reject } from './dialogue.test-support.js';

const everything = {
  depth: Number.POSITIVE_INFINITY,
  showHidden: true,
  maxArrayLength: null,
  maxStringLength: null,
} as const;

/** All ways in which a value may turn into text, and octets into numbers. */
function textsOf(value: unknown): string[] {
  const shown = [inspect(value, everything), inspect(value, { ...everything, customInspect: false })];
  return [...shown, JSON.stringify(value) ?? '', String(value)];
}

/** The secret as itself, in base64 at any alignment, in hexadecimal, and as a list of numbers. */
function disguises(secret: string): string[] {
  const octets = Buffer.from(secret);
  const base64s = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), octets])
      .toString('base64')
      .slice(shift === 0 ? 0 : 4)
      .replace(/.?.?.=*$/, ''),
  );
  const hexadecimal = octets.toString('hex');
  return [
    secret,
    ...base64s,
    hexadecimal,
    hexadecimal.replace(/..(?=.)/g, '$& '),
    [...octets].join(','),
    [...octets].join(', '),
  ];
}

const secret = fc.stringMatching(/^[A-Za-z0-9]{12,24}$/);

/** The lines of an exchange in which the client says the secret. */
const exchanges: Readonly<Record<string, (secret: string) => readonly string[]>> = {
  'PLAIN at once': (given) => [`AUTH PLAIN ${base64(`\0u\0${given}`)}`],
  'PLAIN when asked': (given) => ['AUTH PLAIN', base64(`\0u\0${given}`)],
  LOGIN: (given) => ['AUTH LOGIN', base64('u'), base64(given)],
  OAUTHBEARER: (given) => [`AUTH OAUTHBEARER ${base64(`n,a=u,\x01auth=Bearer ${given}\x01\x01`)}`, 'AQ=='],
  XOAUTH2: (given) => [`AUTH XOAUTH2 ${base64(`user=u\x01auth=Bearer ${given}\x01\x01`)}`, ''],
  'PLAIN, malformed': (given) => [`AUTH PLAIN ${base64(given)}`],
  'PLAIN, not base64': (given) => [`AUTH PLAIN ${base64(`\0u\0${given}`)}*`],
  'a mechanism that nobody knows': (given) => [`AUTH X ${base64(given)}`],
  'two responses': (given) => [`AUTH PLAIN ${base64(given)} ${base64(given)}`],
};

const mechanisms: MechanismName[] = ['PLAIN', 'LOGIN', 'OAUTHBEARER', 'XOAUTH2', 'CRAM-MD5', 'SCRAM-SHA-256'];

describe('a secret of the client', () => {
  it.each(Object.entries(exchanges))(
    'is in no output, question, transition or error, nor on the session: %s',
    (_, lines) => {
      const answers: Answer[] = [accept, reject, hangUp];
      fc.assert(
        fc.property(secret, fc.constantFrom(...answers), fc.boolean(), (given, answer, allowInsecure) => {
          const questions: Question[] = [];
          const seen: unknown[] = [];
          const dialogue = new Dialogue({
            observe: true,
            authentication: { mechanisms, allowInsecure },
            application: (question) => {
              questions.push(question);
              seen.push(...textsOf(question));
              return question.kind === 'authenticate' ? answer : accept;
            },
          });
          const look = () => seen.push(...textsOf(dialogue.session), ...textsOf(dialogue.session.question));
          dialogue.ready();
          for (const line of lines(given)) {
            dialogue.say(line);
            look();
          }
          try {
            dialogue.answer(accept);
          } catch (error) {
            seen.push(...textsOf(error), error instanceof Error ? error.stack : '');
          }
          for (const output of dialogue.outputs) {
            seen.push(...textsOf(output));
            if (output.type === 'write') seen.push(Buffer.from(output.bytes).toString('latin1'));
          }
          const text = seen.join('\n');
          for (const disguise of disguises(given)) expect(text).not.toContain(disguise);
        }),
        { numRuns: 10 },
      );
    },
  );

  it('can be found by this test where it is', () => {
    const given = 'correcthorsebattery';
    for (const shift of ['', 'x', 'xx']) {
      const text = [...textsOf({ given: shift + given }), base64(shift + given)].join('\n');
      expect(disguises(given).filter((disguise) => text.includes(disguise)).length).toBeGreaterThanOrEqual(2);
    }
    expect(textsOf(Buffer.from(given)).join()).toContain(disguises(given)[4]?.replace(/..(?=.)/g, '$& '));
  });

  it('reaches the one question that is to be answered by it', () => {
    const given: string[] = [];
    const dialogue = new Dialogue({
      authentication: { mechanisms, allowInsecure: true },
      application: (question) => {
        if (question.kind === 'authenticate' && 'password' in question.attempt) {
          given.push(question.attempt.password.revealText());
        }
        return accept;
      },
    }).ready();
    dialogue.say(`AUTH PLAIN ${base64('\0u\0secret')}`);
    expect(given).toEqual(['secret']);
  });
});

describe('stored credentials', () => {
  it.each([
    ['CRAM-MD5', ['AUTH CRAM-MD5', base64(`u ${'0'.repeat(32)}`)]],
    ['SCRAM-SHA-256', [`AUTH SCRAM-SHA-256 ${base64('n,,n=u,r=x')}`, base64('c=biws,r=x,p=eA==')]],
  ])('are in no output, and not on the session: %s', (_, lines) => {
    const password = 'correcthorsebattery';
    const seen: string[] = [];
    const dialogue = new Dialogue({
      observe: true,
      tls: { ...CERTIFIED, ...EXPORTER },
      authentication: { mechanisms },
      application: ({ kind }) =>
        kind === 'credentials' ? { decision: 'accept', credentials: stored(password) } : accept,
    }).ready();
    for (const line of lines) {
      dialogue.say(line);
      seen.push(...textsOf(dialogue.session));
    }
    for (const output of dialogue.outputs) seen.push(...textsOf(output));
    for (const disguise of disguises(password)) expect(seen.join('\n')).not.toContain(disguise);
  });
});
