import { describe, expect, it } from 'vitest';
import { standardExtensions } from '../extensions/lists.js';
import { etrn } from '../extensions/session/etrn.js';
import { EXPORTER } from '../sasl/running.test-support.js';
import { accept, answering, Dialogue, type DialogueOptions, reject } from './dialogue.test-support.js';

const JUNK = '421 4.7.0 Too many commands that bring no mail forward, closing the session';
const MESSAGE = ['MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'DATA', 'Hello', '.'];

/** Three such commands are served. */
function start(options: DialogueOptions = {}): Dialogue {
  const extensions = [...standardExtensions, etrn];
  return new Dialogue({ maximumJunkCommands: 3, extensions, ...options }).ready();
}

/** Says each of these a few times over; gives back the last reply. */
function sayOver(dialogue: Dialogue, times: number, ...lines: string[]): string | undefined {
  let last: string | undefined;
  for (let time = 0; time < times; time += 1) last = dialogue.say(...lines).at(-1);
  return last;
}

describe('commands that bring no mail forward', () => {
  it.each(['NOOP', 'VRFY x', 'EXPN x', 'HELP', 'RSET', 'ETRN x', 'EHLO c', 'HELO c'])(
    'are counted, and end the session by 421 4.7.0 beyond the limit: %s',
    (line) => {
      const dialogue = start();
      expect(sayOver(dialogue, 3, line)).not.toBe(JUNK);
      expect(dialogue.say(line, 'NOOP')).toEqual([JUNK]);
      expect(dialogue.session.state).toBe('closing');
    },
  );

  it('are a hundred by default, sent one by one or at once', () => {
    const lines = Array.from({ length: 101 }, () => 'NOOP');
    const atOnce = new Dialogue().ready().say(...lines);
    expect(atOnce).toHaveLength(101);
    expect(atOnce.filter((line) => line === JUNK)).toEqual([JUNK]);
    expect(sayOver(new Dialogue().ready(), 101, 'NOOP')).toBe(JUNK);
  });

  it('are a MAIL that the application refuses', () => {
    const dialogue = start({ application: answering({ mail: reject }) });
    expect(sayOver(dialogue, 3, 'MAIL FROM:<a@b>')).toBe('550 5.7.1 Sender refused');
    expect(dialogue.say('MAIL FROM:<a@b>')).toEqual([JUNK]);
  });

  it('are a MAIL that no recipient was accepted for, besides the RSET behind it', () => {
    const dialogue = start({ application: answering({ rcpt: reject }) });
    expect(dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'RSET').at(-1)).toBe('250 2.0.0 OK');
    expect(dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'RSET').at(-1)).toBe('250 2.0.0 OK');
    expect(dialogue.say('NOOP')).toEqual([JUNK]);
  });

  it('are none of those that bring a message', () => {
    const dialogue = start({ maximumJunkCommands: 1 });
    for (let message = 0; message < 5; message += 1) {
      expect(dialogue.say(...MESSAGE).at(-1)).toBe('250 2.0.0 Message accepted');
    }
  });

  it.each([
    ['accepted', accept, MESSAGE],
    ['refused', reject, MESSAGE],
    ['flawed', accept, [...MESSAGE.slice(0, 3), 'a\nb', '.']],
    ['in chunks', accept, [...MESSAGE.slice(0, 2), 'BDAT 3', 'a', 'BDAT 3 LAST', 'b']],
  ])('are counted since the last message that reached its end: %s', (_, answer, message) => {
    const dialogue = start({ application: answering({ message: answer }) });
    sayOver(dialogue, 3, 'NOOP');
    dialogue.say(...message);
    expect(sayOver(dialogue, 3, 'NOOP')).toBe('250 2.0.0 OK');
    expect(dialogue.say('NOOP')).toEqual([JUNK]);
  });

  it('are counted on, whatever else is said before a message has reached its end', () => {
    const dialogue = start();
    sayOver(dialogue, 3, 'NOOP');
    dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<c@d>');
    expect(dialogue.say('RSET')).toEqual([JUNK]);
  });

  it('have no limit where that is said', () => {
    const dialogue = start({ maximumJunkCommands: Number.POSITIVE_INFINITY });
    expect(sayOver(dialogue, 2000, 'NOOP')).toBe('250 2.0.0 OK');
  });

  it('are not the EHLO after STARTTLS', () => {
    const dialogue = new Dialogue({ maximumJunkCommands: 1, startTls: 'offered' }).ready();
    dialogue.say('STARTTLS');
    dialogue.handle({ type: 'tlsEstablished', tls: EXPORTER });
    expect(dialogue.say('EHLO c')[0]).toMatch(/^250-/);
    expect(dialogue.say('NOOP')).toEqual(['250 2.0.0 OK']);
  });
});

describe('refused recipients', () => {
  const refused = '421 4.7.0 Too many refused recipients, closing the session';

  it('have a limit of their own, which a list with dead addresses does not reach', () => {
    const dialogue = new Dialogue({ application: answering({ rcpt: reject }) }).opened();
    const lines = Array.from({ length: 1000 }, (_, index) => `RCPT TO:<r${index}@d>`);
    expect(new Set(dialogue.say(...lines))).toEqual(new Set(['550 5.7.1 Recipient refused']));
    expect(dialogue.say('RCPT TO:<c@d>')).toEqual([refused]);
  });

  it('are counted over the whole session', () => {
    const dialogue = new Dialogue({
      maximumRefusedRecipients: 2,
      application: (question) =>
        question.kind === 'rcpt' && question.forwardPath.localPart === 'no' ? reject : accept,
    }).ready();
    for (let message = 0; message < 2; message += 1) {
      const lines = ['MAIL FROM:<a@b>', 'RCPT TO:<no@d>', 'RCPT TO:<c@d>', 'DATA', '.'];
      expect(dialogue.say(...lines).at(-1)).toBe('250 2.0.0 Message accepted');
    }
    expect(dialogue.say('MAIL FROM:<a@b>', 'RCPT TO:<no@d>').at(-1)).toBe(refused);
  });

  it('include those that the mail transaction has no room for: as many as Postfix lets overshoot', () => {
    const dialogue = new Dialogue({ maximumRecipients: 1 }).addressed();
    const lines = Array.from({ length: 1000 }, (_, index) => `RCPT TO:<r${index}@d>`);
    expect(new Set(dialogue.say(...lines))).toEqual(
      new Set(['452 4.5.3 Too many recipients; send the rest in another mail transaction']),
    );
    expect(dialogue.say('RCPT TO:<c@d>')).toEqual([refused]);
  });

  it.each([
    ['a little too long', 1150],
    ['longer than any command', 20_000],
  ])(
    'include those whose line is %s, which are no errors in a row, and neither are such senders',
    (_, octets) => {
      const dialogue = new Dialogue({ maximumErrors: 2, maximumRefusedRecipients: 5 }).opened();
      const lines = Array.from(
        { length: 6 },
        (_, index) => `RCPT TO:<${index}${'x'.repeat(octets)}@d.example>`,
      );
      const tooLong = '500 5.5.2 Line too long';
      expect(dialogue.say(...lines)).toEqual([...Array(5).fill(tooLong), refused]);
      const senders = new Dialogue({ maximumErrors: 2, maximumJunkCommands: 5 }).ready();
      const said = senders.say(
        ...lines.map((line) => line.replace('RCPT TO:<', `MAIL FROM:<${'x'.repeat(100)}`)),
      );
      expect(said.slice(0, 5)).toEqual(Array(5).fill(tooLong));
      expect(said[5]).toMatch(/^421 4\.7\.0 Too many commands that bring no mail forward/);
    },
  );

  it('are not MAIL and RCPT in another spelling, with a TAB say: whoever says so says nothing else, and never delivers', () => {
    const dialogue = new Dialogue({ maximumErrors: 2 }).ready();
    expect(dialogue.say('MAIL\tFROM:<a@b>', 'MAIL\tFROM:<a@b>').at(-1)).toMatch(
      /^421 4\.7\.0 Too many errors/,
    );
  });

  it('leave the last word to the application', () => {
    const hangUp = { code: 421, enhancedCode: '4.3.2', lines: ['Not now'] };
    const application = answering({ rcpt: { decision: 'reject', reply: hangUp } });
    const dialogue = new Dialogue({ maximumRefusedRecipients: 1, application }).opened();
    expect(dialogue.say('RCPT TO:<c@d>')).toEqual(['421 4.3.2 Not now']);
  });
});

describe('recipients above maximumRecipients', () => {
  it.each([
    ['', false],
    [', shown to an observer', ['command'] as const],
  ])('count as refused%s, and end the session where they are too many', (_, observe) => {
    const dialogue = new Dialogue({ maximumRecipients: 1, maximumRefusedRecipients: 2, observe }).opened();
    const rcpt = () => dialogue.say('RCPT TO:<b@s.example>')[0];
    expect(rcpt()).toMatch(/^250 /);
    expect(rcpt()).toMatch(/^452 4\.5\.3 /);
    expect(rcpt()).toMatch(/^452 4\.5\.3 /);
    expect(rcpt()).toMatch(/^421 4\.7\.0 /);
    expect(dialogue.session.state).toBe('closing');
  });
});
