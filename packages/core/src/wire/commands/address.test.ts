import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readForwardPath, readReversePath } from './address.js';
import { formatMailbox, formatPath } from './path.js';

const ann = { localPart: 'ann', domain: 'example.org' };

describe('an address as text', () => {
  it.each(['ann@example.org', '<ann@example.org>'])('%s is a mailbox', (text) => {
    expect(readReversePath(text)).toEqual(ann);
    expect(readForwardPath(text)).toEqual(ann);
  });

  it('may be quoted, a literal, or in UTF-8', () => {
    expect(readForwardPath('"ann b"@[192.0.2.1]')).toEqual({ localPart: 'ann b', domain: '[192.0.2.1]' });
    expect(readForwardPath('jörg@müller.example')).toEqual({ localPart: 'jörg', domain: 'müller.example' });
  });

  it('is a mailbox already, which is given back as it is', () => {
    expect(readReversePath(ann)).toBe(ann);
    expect(readForwardPath(ann)).toBe(ann);
  });

  it('is the inverse of formatMailbox', () => {
    const atom = fc.stringMatching(/^[a-z0-9]{1,10}$/);
    const mailbox = fc.record({
      localPart: fc.oneof(atom, fc.constant('a b'), fc.constant('a"b')),
      domain: atom,
    });
    fc.assert(
      fc.property(mailbox, (given) => {
        expect(readForwardPath(formatMailbox(given))).toEqual(given);
        expect(readReversePath(formatPath(given))).toEqual(given);
      }),
    );
  });
});

describe('the null reverse-path', () => {
  it.each([null, '<>'])('is %s', (address) => {
    expect(readReversePath(address)).toBeNull();
  });

  it('is never an empty text, which names both', () => {
    expect(() => readReversePath('')).toThrow(
      "The reverse-path is ''; give an address such as ann@example.org, or null or '<>' for the null reverse-path",
    );
  });

  it('is no forward-path', () => {
    expect(() => readForwardPath('<>')).toThrow('The forward-path "<>" is no mailbox');
    expect(() => readForwardPath('')).toThrow("The forward-path is ''; give an address");
  });
});

describe('postmaster', () => {
  it.each(['postmaster', '<Postmaster>'])('%s needs no domain', (text) => {
    expect(formatPath(readForwardPath(text)).toLowerCase()).toBe('<postmaster>');
  });

  it('sends nothing without one', () => {
    expect(() => readReversePath('postmaster')).toThrow('is no mailbox');
  });
});

describe('what is no address', () => {
  it.each(['ann', 'ann@', 'Ann <ann@example.org>', 'ann@example.org, bob@example.com', 'ann@exa mple.org'])(
    '%s is named, with what is wrong with it',
    (text) => {
      expect(() => readForwardPath(text)).toThrow(`The forward-path ${JSON.stringify(text)} is no mailbox. `);
    },
  );

  it.each(['<ann@example.org', 'ann@example.org>', 'xann@example.org>', '<ann@example.orgx'])(
    '%s is one with half of the brackets, of which nothing is cut off',
    (text) => {
      expect(() => readForwardPath(text)).toThrow(`The forward-path ${JSON.stringify(text)} is no mailbox. `);
    },
  );

  it.each([
    [undefined, 'missing'],
    [42, "'42'"],
    [['a@b.example'], '["a@b.example"]'],
    [{ address: 'a@b' }, '{"address":"a@b"}'],
  ])('%j is neither text nor mailbox', (value, shown) => {
    expect(() => readReversePath(value as never)).toThrow(`The reverse-path is ${shown}; give an address`);
  });
});
