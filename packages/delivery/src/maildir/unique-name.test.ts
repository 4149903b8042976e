import { describe, expect, it } from 'vitest';
import { uniqueName } from './unique-name.js';

describe('a unique name', () => {
  it('holds the time in seconds, then microseconds, process, count and 122 random bits, then the host', () => {
    const { file } = uniqueName('mx.example', 1_700_000_000_042);
    expect(file).toMatch(new RegExp(`^1700000000\\.M42000P${process.pid}Q\\d+R[\\da-f]{32}\\.mx\\.example$`));
  });

  it('gives an id that is an atom (RFC 5322 §3.2.3) and stands in the file name but for a dot', () => {
    const { id, file } = uniqueName('mx.example', 1_700_000_000_042);
    expect(id).toMatch(/^\w+$/);
    expect(`${file.replace('.', '')}`).toBe(`${id}.mx.example`);
  });

  it('differs when it is given for the same moment', () => {
    const names = Array.from({ length: 100 }, () => uniqueName('mx.example', 0).file);
    expect(new Set(names).size).toBe(100);
  });

  it('writes slash and colon in the way of Maildir', () => {
    expect(uniqueName('[IPv6:::1]/a', 0).file).toMatch(/\.\[IPv6\\072\\072\\0721\]\\057a$/);
  });
});
