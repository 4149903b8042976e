import { describe, expect, it } from 'vitest';
import { HELP, readOptions } from './options.js';

describe('the options of the fuzzer', () => {
  it('are all told by --help', () => {
    const { help, ...others } = readOptions(['--help']);
    expect(help).toBe(true);
    for (const name of Object.keys(others)) expect(HELP).toContain(`--${name} `);
  });

  it.each([
    [['--seconds', 'long'], '--seconds is "long"; it takes a whole number from 0 on'],
    [['--seconds', ''], '--seconds is ""; it takes a whole number from 0 on'],
    [['--octets', '10MB'], '--octets is "10MB"; it takes a whole number from 16 on'],
    [['--seed=-1'], '--seed is "-1"; it takes a whole number from 0 on'],
  ])('%j is refused', (args, message) => {
    expect(() => readOptions(args)).toThrow(new RangeError(message));
  });

  it('pour all floods of one size', () => {
    const { flood, octets } = readOptions(['--flood', '', '--octets', '10485760']);
    expect([flood, octets]).toEqual(['', 10_485_760]);
  });
});
