/** The parameters of MAIL and RCPT on their way to the application (RFC 5321 §4.1.1.11). */
import { describe, expect, it } from 'vitest';
import { deliverBy } from '../extensions/delivery/deliver-by.js';
import { futureRelease } from '../extensions/delivery/future-release.js';
import { mtPriority } from '../extensions/delivery/mt-priority.js';
import { noSoliciting } from '../extensions/delivery/no-soliciting.js';
import { requireTls } from '../extensions/delivery/require-tls.js';
import { rrvs } from '../extensions/delivery/rrvs.js';
import { standardExtensions } from '../extensions/lists.js';
import { EXPORTER } from '../sasl/running.test-support.js';
import { Dialogue, type DialogueOptions } from './dialogue.test-support.js';

const all: DialogueOptions = {
  tls: EXPORTER,
  startTls: 'offered',
  authentication: {},
  extensions: [
    ...standardExtensions,
    deliverBy(),
    futureRelease({ maximumSeconds: 1000, maximumDate: '2099-01-01T00:00:00Z' }),
    mtPriority(),
    requireTls,
    noSoliciting({ keywords: [] }),
    rrvs,
  ],
};

const mail: [string, object][] = [
  ['SIZE=1000', { size: 1000 }],
  ['BODY=7BIT', { body: '7BIT' }],
  ['BODY=8bitmime', { body: '8BITMIME' }],
  ['BODY=BINARYMIME', { body: 'BINARYMIME' }],
  ['SMTPUTF8', { smtpUtf8: true }],
  ['AUTH=<>', { auth: null }],
  ['RET=HDRS', { ret: 'HDRS' }],
  ['ENVID=a+2Bb', { envid: 'a+b' }],
  ['BY=120;NT', { deliverBy: { seconds: 120, mode: 'notify', trace: true } }],
  ['HOLDFOR=60', { hold: { seconds: 60 } }],
  ['MT-PRIORITY=-3', { mtPriority: -3 }],
  ['REQUIRETLS', { requireTls: true }],
  ['SOLICIT=org.example:ADV', { solicit: ['org.example:ADV'] }],
];

const rcpt: [string, object][] = [
  ['NOTIFY=DELAY,FAILURE', { notify: ['FAILURE', 'DELAY'] }],
  ['NOTIFY=NEVER', { notify: 'NEVER' }],
  ['ORCPT=rfc822;a+2Bb@c', { orcpt: { addressType: 'rfc822', address: 'a+b@c' } }],
  ['RRVS=2024-02-29T12:00:00Z;C', { rrvs: { since: '2024-02-29T12:00:00Z', otherwise: 'continue' } }],
];

describe('a parameter that was offered', () => {
  it.each(mail)('reaches the questions in typed form: MAIL %s', (parameter, parameters) => {
    const dialogue = new Dialogue(all).ready();
    expect(dialogue.say(`MAIL FROM:<a@b> ${parameter}`)).toEqual(['250 2.1.0 Sender OK']);
    expect(dialogue.questions.at(-1)).toMatchObject({ kind: 'mail', parameters });
    dialogue.say('RCPT TO:<c@d>');
    expect(dialogue.questions.at(-1)).toMatchObject({ kind: 'rcpt', envelope: { parameters } });
  });

  it.each(rcpt)('reaches the questions in typed form: RCPT %s', (parameter, parameters) => {
    const dialogue = new Dialogue(all).opened();
    expect(dialogue.say(`RCPT TO:<c@d> ${parameter}`)).toEqual(['250 2.1.5 Recipient OK']);
    expect(dialogue.questions.at(-1)).toMatchObject({ kind: 'rcpt', parameters });
    dialogue.say('DATA');
    dialogue.say('Hello', '.');
    expect(dialogue.messages[0]?.envelope.recipients[0]).toMatchObject({ parameters });
  });

  it('may stand among others', () => {
    const dialogue = new Dialogue(all).ready();
    dialogue.say('MAIL FROM:<a@b> SIZE=1 BODY=7BIT SMTPUTF8 RET=FULL ENVID=x');
    expect(dialogue.questions.at(-1)).toMatchObject({
      parameters: { size: 1, body: '7BIT', smtpUtf8: true, ret: 'FULL', envid: 'x' },
    });
  });

  it('is of its recipient alone, and of its mail transaction', () => {
    const dialogue = new Dialogue(all).ready();
    dialogue.say('MAIL FROM:<a@b> RET=FULL', 'RCPT TO:<c@d> NOTIFY=NEVER', 'RCPT TO:<e@f>');
    expect(dialogue.questions.at(-1)).toMatchObject({ kind: 'rcpt', parameters: {} });
    expect(dialogue.questions.at(-1)).not.toHaveProperty('parameters.notify');
    dialogue.say('RSET', 'MAIL FROM:<a@b>');
    expect(dialogue.questions.at(-1)).toEqual({
      kind: 'mail',
      reversePath: { localPart: 'a', domain: 'b' },
      parameters: {},
    });
  });
});

describe('a parameter that was not offered gets 555 (RFC 5321 §4.1.1.11)', () => {
  const without = { ...all, extensions: [] };
  const verbs = [
    ...mail.map(([parameter]): [string, string] => ['MAIL FROM:<a@b>', parameter]),
    ...rcpt.map(([parameter]): [string, string] => ['RCPT TO:<c@d>', parameter]),
  ];

  it.each(verbs)('where its extension is not listed: %s %s', (command, parameter) => {
    const dialogue = new Dialogue(without).ready();
    if (command.startsWith('RCPT')) dialogue.say('MAIL FROM:<a@b>');
    const [reply] = dialogue.say(`${command} ${parameter}`);
    expect(reply).toBe(
      `555 5.5.4 ${/^[^=]*/.exec(parameter)?.[0]} is not a parameter of ${command.slice(0, 4)} that was offered`,
    );
  });

  it.each(verbs)('after HELO: %s %s', (command, parameter) => {
    const dialogue = new Dialogue(all);
    dialogue.say('HELO c');
    if (command.startsWith('RCPT')) dialogue.say('MAIL FROM:<a@b>');
    expect(dialogue.say(`${command} ${parameter}`)[0]).toMatch(/^555 5\.5\.4/);
  });

  it('where HELO came after EHLO', () => {
    const dialogue = new Dialogue(all).ready();
    dialogue.say('HELO c');
    expect(dialogue.say('MAIL FROM:<a@b> SIZE=1')[0]).toMatch(/^555 5\.5\.4/);
  });

  it('where it is offered over TLS only, before it', () => {
    const dialogue = new Dialogue({ startTls: 'offered', extensions: all.extensions ?? [] }).ready();
    expect(dialogue.say('MAIL FROM:<a@b> REQUIRETLS')[0]).toMatch(/^555 5\.5\.4/);
    expect(dialogue.secured(EXPORTER).ready().say('MAIL FROM:<a@b> REQUIRETLS')[0]).toMatch(/^250/);
  });

  it('where the extension that it goes with is not listed: BINARYMIME wants CHUNKING (RFC 3030 §3)', () => {
    const extensions = standardExtensions.filter(({ keyword }) => keyword !== 'CHUNKING');
    const dialogue = new Dialogue({ extensions });
    expect(dialogue.say('EHLO c').join()).not.toContain('BINARYMIME');
    expect(dialogue.say('MAIL FROM:<a@b> BODY=BINARYMIME')[0]).toMatch(/^504 5\.5\.4/);
  });
});

describe('a value that is wrong', () => {
  it.each([
    ['MAIL FROM:<a@b> SIZE=x', '501 5.5.4'],
    ['MAIL FROM:<a@b> SIZE=99999999999', '552 5.3.4'],
    ['MAIL FROM:<a@b> BODY=9BIT', '504 5.5.4'],
    ['MAIL FROM:<a@b> RET=ALL', '501 5.5.4'],
    ['MAIL FROM:<a@b> RET=HDRS RET=HDRS', '501 5.5.4'],
    ['MAIL FROM:<a@b> HOLDFOR=1 HOLDUNTIL=2030-01-01T00:00:00Z', '501 5.5.4'],
    ['MAIL FROM:<a@b> SMTPUTF8=yes', '501 5.5.4'],
    ['MAIL FROM:<a@b> MT-PRIORITY=10', '501 5.5.2'],
  ])('is refused, and opens no mail transaction: %s', (line, code) => {
    const dialogue = new Dialogue(all).ready();
    expect(dialogue.say(line)[0]).toContain(code);
    expect(dialogue.session.state).toBe('session.ready');
    expect(dialogue.asked).toEqual(['connect', 'hello']);
  });

  it.each([
    ['RCPT TO:<c@d> NOTIFY=NEVER,DELAY', '501 5.5.4'],
    ['RCPT TO:<c@d> ORCPT=rfc822', '501 5.5.4'],
    ['RCPT TO:<c@d> RRVS=yesterday', '501 5.5.4'],
  ])('is refused, and adds no recipient: %s', (line, code) => {
    const dialogue = new Dialogue(all).opened();
    expect(dialogue.say(line)[0]).toContain(code);
    expect(dialogue.session.state).toBe('session.transaction.opened');
    // RFC 2920 §3.1: a pipelining client could not know.
    expect(dialogue.say('DATA')).toEqual(['554 5.5.1 No valid recipients']);
  });
});
