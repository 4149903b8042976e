import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseEhloReply } from './ehlo-reply.js';

const keywordsOf = (...keywordLines: string[]) => [
  ...parseEhloReply({ code: 250, lines: ['mx.example', ...keywordLines] }).keywords,
];

describe('parseEhloReply', () => {
  it('reads the domain, with or without a greeting', () => {
    expect(parseEhloReply({ code: 250, lines: ['mx.example'] }).domain).toBe('mx.example');
    expect(parseEhloReply({ code: 250, lines: ['[192.0.2.1] at your service'] }).domain).toBe('[192.0.2.1]');
    expect(parseEhloReply({ code: 250, lines: [''] }).domain).toBe('');
  });

  it('reads keywords in any case, with their parameters (RFC 5321 §4.1.1.1 ehlo-line)', () => {
    expect(keywordsOf('8bitmime', 'Size 1000', 'AUTH PLAIN LOGIN', 'X-1')).toEqual([
      ['8BITMIME', ''],
      ['SIZE', '1000'],
      ['AUTH', 'PLAIN LOGIN'],
      ['X-1', ''],
    ]);
  });

  it('tolerates surplus spaces', () => {
    expect(keywordsOf('SIZE  1000 ', 'DSN ')).toEqual([
      ['SIZE', '1000'],
      ['DSN', ''],
    ]);
  });

  it.each(['', ' SIZE', '-SIZE', 'SI_ZE 1', 'SIZE=1000', 'ÜBER', 'SIZE\t1', 'SIZE é'])(
    'passes over the malformed line %j',
    (line) => {
      expect(keywordsOf('DSN', line, 'PIPELINING')).toEqual([
        ['DSN', ''],
        ['PIPELINING', ''],
      ]);
    },
  );

  it('keeps the first line of a keyword', () => {
    expect(keywordsOf('SIZE 1', 'size 2')).toEqual([['SIZE', '1']]);
  });

  it('joins all lines of AUTH, the old AUTH= among them, each mechanism once', () => {
    expect(keywordsOf('AUTH=LOGIN PLAIN')).toEqual([['AUTH', 'LOGIN PLAIN']]);
    expect(keywordsOf('AUTH=LOGIN', 'AUTH=PLAIN')).toEqual([['AUTH', 'LOGIN PLAIN']]);
    expect(keywordsOf('auth=LOGIN', 'AUTH  PLAIN login')).toEqual([['AUTH', 'LOGIN PLAIN']]);
    expect(keywordsOf('AUTH PLAIN', 'SIZE', 'AUTH=LOGIN', 'AUTH XOAUTH2')).toEqual([
      ['AUTH', 'PLAIN LOGIN XOAUTH2'],
      ['SIZE', ''],
    ]);
    expect(keywordsOf('AUTH')).toEqual([['AUTH', '']]);
  });

  it('reads back every keyword with its parameters (RFC 5321 §4.1.1.1)', () => {
    const keyword = fc.stringMatching(/^[0-9A-Z][0-9A-Z-]{0,8}$/);
    const parameters = fc.stringMatching(/^[!-~]{1,5}( [!-~]{1,5}){0,2}$/);
    const keywords = fc.uniqueArray(fc.tuple(keyword, fc.oneof(fc.constant(''), parameters)), {
      selector: ([key]) => key,
    });
    const greeting = fc.constantFrom('', ' hello there');
    fc.assert(
      fc.property(keywords, greeting, (entries, text) => {
        const lines = entries.map(([key, value]) => (value === '' ? key : `${key} ${value}`));
        const parsed = parseEhloReply({ code: 250, lines: [`mx.example${text}`, ...lines] });
        expect(parsed).toEqual({ domain: 'mx.example', keywords: new Map(entries) });
      }),
    );
  });
});
