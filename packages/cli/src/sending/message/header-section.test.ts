import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeaderSection } from './header-section.js';

function isInternationalized(...chunks: readonly Uint8Array[]): boolean {
  const header = new HeaderSection();
  for (const chunk of chunks) header.push(chunk);
  return header.end();
}

describe('a header section', () => {
  it.each([
    { text: 'Subject: h\u00e9\r\n\r\nbody\r\n', is: true },
    { text: 'Subject: h\u00e9\n\nbody\n', is: true },
    { text: 'Subject: h\u00e9', is: true },
    { text: 'From: ann\nTo: \u{1f600}\n\nbody\n', is: true },
    { text: 'Subject: he\n\nh\u00e9\n', is: false },
    { text: '\nh\u00e9\n', is: false },
    { text: '\r\nh\u00e9\n', is: false },
    { text: '', is: false },
  ])(
    'is internationalized if it holds UTF-8, whatever the body holds (RFC 6532 §3.2): %j',
    ({ text, is }) => {
      expect(isInternationalized(Buffer.from(text))).toBe(is);
    },
  );

  it.each([
    { text: 'gr\u00fc\u00dfe', is: false },
    { text: 'gr\u00fc\u00dfe: ann\n', is: false },
    { text: 'dear: ann\ngr\u00fc\u00dfe\n', is: false },
    { text: 'dear ann: gr\u00fc\u00dfe\n', is: false },
    { text: ': gr\u00fc\u00dfe\n', is: false },
    { text: ' gr\u00fc\u00dfe\n', is: false },
    { text: 'dear\nSubject: gr\u00fc\u00dfe\n', is: false },
    { text: 'Subject: a\nb\nTo: gr\u00fc\u00dfe\n', is: false },
    { text: 'Subject: a\n gr\u00fc\u00dfe\n', is: true },
    { text: 'Subject:\r\n\tgr\u00fc\u00dfe\r\n', is: true },
    { text: '!~:gr\u00fc\u00dfe', is: true },
    { text: 'Subject : gr\u00fc\u00dfe\n', is: true },
    { text: 'Date \t: x\nSubject: gr\u00fc\u00dfe\n', is: true },
    { text: 'From ann Mon Jan  5\nSubject: gr\u00fc\u00dfe\n', is: true },
    { text: '>From ann Mon Jan  5\r\nSubject: gr\u00fc\u00dfe\r\n', is: true },
    { text: 'Subject: a\nFrom ann\nTo: gr\u00fc\u00dfe\n', is: false },
    { text: 'Fro m: a\nTo: gr\u00fc\u00dfe\n', is: false },
    { text: 'From', is: false },
  ])(
    'ends before a line that is neither a field nor a continued one (RFC 5322 §2.2, §4.5): %j',
    ({ text, is }) => {
      expect(isInternationalized(Buffer.from(text))).toBe(is);
    },
  );

  it.each(['Subject: h\xe9\n\n', 'Subject: h\xc3\n\n', 'Subject: h\xc3\xa9 \xe9\n\n', 'Subject: h\xc3'])(
    'is none in another encoding: %j',
    (text) => {
      expect(isInternationalized(Buffer.from(text, 'latin1'))).toBe(false);
    },
  );

  it('is found the same however the message is cut', () => {
    const unit = fc.constantFrom(
      '\n',
      '\r\n',
      'a',
      ':',
      ' ',
      'a:',
      'From ',
      '>',
      '\xc3\xa9',
      '\xf0\x9f\x98\x80',
      '\xe9',
    );
    const pieces = fc.array(fc.string({ unit, maxLength: 4 }));
    fc.assert(
      fc.property(pieces, (texts) => {
        const whole = Buffer.from(texts.join(''), 'latin1');
        const octets = [...whole].map((octet) => Uint8Array.of(octet));
        expect(isInternationalized(...octets)).toBe(isInternationalized(whole));
      }),
    );
  });
});
