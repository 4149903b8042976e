import { MailDataError } from '@sansmtp/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageScan, type MessageTraits } from './message-scan.js';

function scan(...chunks: (string | Uint8Array)[]): MessageTraits {
  const scan = new MessageScan();
  for (const chunk of chunks) scan.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk);
  return scan.end();
}

function flawOf(...chunks: string[]): string {
  try {
    scan(...chunks);
  } catch (error) {
    if (error instanceof MailDataError) return error.message;
    throw error;
  }
  return '';
}

describe('a look at a message', () => {
  it.each([
    { text: '', size: 0 },
    { text: 'a\r\n', size: 3 },
    { text: 'a\n', size: 3 },
    { text: 'a', size: 3 },
    { text: '\n', size: 2 },
    { text: 'a\nb\r\n\n\n', size: 10 },
    { text: '.\n..\n', size: 7 },
  ])('counts $text as $size octets, all lines ended by CRLF', ({ text, size }) => {
    expect(scan(text).size).toBe(size);
  });

  it('finds octets above 127', () => {
    expect(scan('a\x7f\n').eightBit).toBe(false);
    expect(scan('a\x80\n').eightBit).toBe(true);
  });

  it('finds a header in UTF-8, for which SMTPUTF8 is needed (RFC 6531 §3.2)', () => {
    expect(scan('Subject: h\xc3\xa9\n\na\n')).toMatchObject({ utf8Header: true, eightBit: true });
    expect(scan('Subject: a\n\nh\xc3\xa9\n')).toMatchObject({ utf8Header: false, eightBit: true });
    expect(scan('Subject: h\xe9\n\na\n')).toMatchObject({ utf8Header: false, eightBit: true });
  });

  it.each([
    { text: 'a\r', found: 'bare CR at octet 1' },
    { text: 'a\rb\n', found: 'bare CR at octet 1' },
    { text: 'a\r\r\n', found: 'bare CR at octet 1' },
    { text: 'ab\n\0', found: 'NUL at octet 3' },
  ])('refuses $text', ({ text, found }) => {
    expect(flawOf(text)).toContain(found);
  });

  it('counts as a text in which line ends were replaced is long', () => {
    const unit = fc.constantFrom('\n', '\r\n', '.', 'a', '\xe4');
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const sent = text.replace(/\r?\n/g, '\r\n').replace(/[^\n]$/, '$&\r\n');
        const eightBit = text.includes('\xe4');
        expect(scan(text)).toEqual({ size: sent.length, eightBit, utf8Header: false });
      }),
    );
  });

  it('finds the same however the message is cut', () => {
    const unit = fc.constantFrom('\n', '\r\n', '\r', '\0', '.', 'a', '\xe4');
    fc.assert(
      fc.property(fc.array(fc.string({ unit, maxLength: 4 })), (chunks) => {
        const whole = chunks.join('');
        const flaw = flawOf(whole);
        expect(flawOf(...chunks)).toBe(flaw);
        if (flaw === '') expect(scan(...chunks)).toEqual(scan(whole));
      }),
    );
  });
});
