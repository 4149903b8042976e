import { describe, expect, it } from 'vitest';
import { checkPlaceholders, filledIn, wordsOf } from './command-words.js';

const VALUES = {
  host: '127.0.0.1',
  port: '2525',
  from: 'ann@example.org',
  to: ['bob@example.com', 'eve@example.com'],
  file: '/tmp/a b.eml',
  ca: '/tmp/ca.pem',
  user: 'ann',
  password: 'p"w $HOME',
  passwordfile: '/tmp/password',
};

describe('a command line', () => {
  it.each([
    ['curl  --url x', ['curl', '--url', 'x']],
    ['a "b c" \'d "e\' f\\ g', ['a', 'b c', 'd "e', 'f g']],
    ['a "" b', ['a', '', 'b']],
    ['a $HOME *', ['a', '$HOME', '*']],
    ['a;b|c && d', ['a;b|c', '&&', 'd']],
  ])('%s is words, of which no shell makes anything', (line, words) => {
    expect(wordsOf(line)).toEqual(words);
  });

  it.each(['', '  ', 'a "b', "a 'b"])('%j is a mistake', (line) => {
    expect(() => wordsOf(line)).toThrow(RangeError);
  });
});

describe('placeholders', () => {
  it('stay within their word, whatever stands in the value', () => {
    expect(filledIn(['send', '{file}', '--pw={password}'], VALUES)).toEqual([
      'send',
      '/tmp/a b.eml',
      '--pw=p"w $HOME',
    ]);
  });

  it('name each recipient, with the option before it', () => {
    expect(filledIn(['send', '--to', '{to}', 'x'], VALUES)).toEqual([
      'send',
      '--to',
      'bob@example.com',
      '--to',
      'eve@example.com',
      'x',
    ]);
    expect(filledIn(['send', '--to={to}'], VALUES)).toEqual([
      'send',
      '--to=bob@example.com',
      '--to=eve@example.com',
    ]);
    expect(filledIn(['send', '--', '{to}'], VALUES)).toEqual([
      'send',
      '--',
      'bob@example.com',
      'eve@example.com',
    ]);
    expect(filledIn(['send', '{recipients}'], VALUES)).toEqual(['send', 'bob@example.com,eve@example.com']);
  });

  it('that nobody knows are mistakes, and so is a command without a port', () => {
    expect(() => checkPlaceholders(['send', '{port}', '{hots}'])).toThrow('{hots} is no placeholder');
    expect(() => checkPlaceholders(['send'])).toThrow('no {port}');
  });
});
