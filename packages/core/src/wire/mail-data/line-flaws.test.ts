import { describe, expect, it } from 'vitest';
import { LineFlaws, type LineRules } from './line-flaws.js';

const flaws = (rules: Partial<LineRules>, meet: (flaws: LineFlaws) => void) => {
  const met = new LineFlaws({ bareNewline: 'reject', maximumLineLength: 10, ...rules });
  meet(met);
  return met.flaw;
};
const tooLong = { kind: 'lineTooLong', line: 1 };

describe('the flaw of lines (RFC 5321 §2.3.8, §4.5.3.1.6)', () => {
  it('is none before one is met', () => {
    expect(flaws({}, () => {})).toBeUndefined();
  });

  it('is a line that has the limit without its last octet', () => {
    expect(flaws({}, (met) => met.meetLength(9))).toBeUndefined();
    expect(flaws({}, (met) => met.meetLength(10))).toEqual(tooLong);
    expect(flaws({}, (met) => met.endLine(10))).toEqual(tooLong);
    expect(flaws({ maximumLineLength: Infinity }, (met) => met.meetLength(1e9))).toBeUndefined();
  });

  it.each(['bareLineFeed', 'bareCarriageReturn', 'nul'] as const)(
    'is a %s, unless it is kept, or stands where the line was too long already',
    (kind) => {
      for (const bareNewline of ['reject', 'normalize'] as const) {
        expect(flaws({ bareNewline }, (met) => met.meetBare(kind, 9))).toEqual({ kind, line: 1 });
        expect(flaws({ bareNewline }, (met) => met.meetBare(kind, 10))).toEqual(tooLong);
      }
      expect(flaws({ bareNewline: 'keep' }, (met) => met.meetBare(kind, 9))).toBeUndefined();
      expect(flaws({ bareNewline: 'keep' }, (met) => met.meetBare(kind, 10))).toEqual(tooLong);
    },
  );

  it('is the first one, and has the number of its line', () => {
    const several = (met: LineFlaws) => {
      met.endLine(9);
      met.passLines(3);
      met.meetBare('nul', 0);
      met.endLine(2);
      met.meetLength(10);
    };
    expect(flaws({}, several)).toEqual({ kind: 'nul', line: 5 });
    expect(flaws({ bareNewline: 'keep' }, several)).toEqual({ kind: 'lineTooLong', line: 6 });
  });
});
