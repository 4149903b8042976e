import { describe, expect, it } from 'vitest';
import { LineFlaws, type LineRules } from './line-flaws.js';

const flaws = (rules: Partial<LineRules>, meet: (flaws: LineFlaws) => void) => {
  const met = new LineFlaws({ bareNewline: 'reject', maximumLineLength: 10, ...rules });
  meet(met);
  return met.flaw;
};

describe('the flaw of lines (RFC 5321 §2.3.8, §4.5.3.1.6)', () => {
  it('is none before one is met', () => {
    expect(flaws({}, () => {})).toBeUndefined();
  });

  it('is a line that has the limit without its last octet', () => {
    expect(flaws({}, (met) => met.meetLength(9))).toBeUndefined();
    expect(flaws({}, (met) => met.meetLength(10))).toBe('lineTooLong');
    expect(flaws({ maximumLineLength: Infinity }, (met) => met.meetLength(1e9))).toBeUndefined();
  });

  it('is a bare CR, bare LF or NUL, unless it is kept, or stands where the line was too long already', () => {
    expect(flaws({}, (met) => met.meetBare(9))).toBe('bareNewline');
    expect(flaws({}, (met) => met.meetBare(10))).toBe('lineTooLong');
    expect(flaws({ bareNewline: 'keep' }, (met) => met.meetBare(9))).toBeUndefined();
    expect(flaws({ bareNewline: 'keep' }, (met) => met.meetBare(10))).toBe('lineTooLong');
  });

  it('is the first one', () => {
    const both = (met: LineFlaws) => {
      met.meetBare(0);
      met.meetLength(10);
    };
    expect(flaws({}, both)).toBe('bareNewline');
    expect(flaws({ bareNewline: 'keep' }, both)).toBe('lineTooLong');
  });
});
