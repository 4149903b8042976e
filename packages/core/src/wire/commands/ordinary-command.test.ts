import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeText } from '../octets.js';
import type { Command } from './command.js';
import { formatCommand } from './format-command.js';
import { ordinaryCommand } from './ordinary-command.js';
import { type CommandGrammar, parseCommand } from './parse-command.js';

const grammars: readonly CommandGrammar[] = [true, false].flatMap((utf8) =>
  [true, false].map((lenient) => ({ utf8, lenient, extensionVerbs: new Set(['XFOO']) })),
);

const lineOf = (command: Command) => formatCommand(command).subarray(0, -2);

const atom = fc.stringMatching(/^[\w!#$%&'*+/=?^`{|}~-]{1,20}$/);
const label = fc.stringMatching(/^[\dA-Za-z_](?:[\dA-Za-z_-]{0,61}[\dA-Za-z_])?$/);
const plainMailbox = fc.record({
  localPart: fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join('.')),
  domain: fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
});
const plainCommand: fc.Arbitrary<Command> = fc.oneof(
  fc.constantFrom<Command>({ verb: 'DATA' }, { verb: 'RSET' }, { verb: 'QUIT' }),
  fc.option(plainMailbox).map((reversePath): Command => ({ verb: 'MAIL', reversePath, parameters: [] })),
  plainMailbox.map((forwardPath): Command => ({ verb: 'RCPT', forwardPath, parameters: [] })),
);

/** Lines that are nearly ordinary: pieces of commands in any order, and ordinary lines with an octet changed. */
const piece = fc.oneof(
  fc.constantFrom(
    'MAIL FROM:',
    'RCPT TO:',
    'mail from:',
    '<',
    '>',
    '@',
    '.',
    ' ',
    '"',
    '\\',
    '[',
    ']',
    ':',
    ',',
    '-',
    '_',
  ),
  fc.constantFrom('DATA', 'RSET', 'QUIT', 'NOOP', 'data', '<>', '<a@b>', ' SIZE=1', 'é', '\t', '\0', '\x7f'),
  fc.constantFrom('a'.repeat(63), 'a'.repeat(64), `${'a.'.repeat(127)}b`, `${'a.'.repeat(128)}b`),
  atom,
  label,
);
const pieces = fc
  .tuple(
    fc.constantFrom('', 'MAIL FROM:<', 'RCPT TO:<'),
    fc.array(piece, { maxLength: 6 }),
    fc.constantFrom('', '>'),
  )
  .map(([begin, middle, end]) => encodeText(begin + middle.join('') + end));
const changed = fc
  .tuple(plainCommand, fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('replace', 'insert', 'remove'))
  .map(([command, place, octet, how]) => {
    const line = [...lineOf(command)];
    line.splice(place % line.length, how === 'insert' ? 0 : 1, ...(how === 'remove' ? [] : [octet]));
    return Uint8Array.from(line);
  });

describe('an ordinary command', () => {
  it('is what the parser of all commands makes of the same line, whatever its grammar', () => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(pieces, changed), (line) => {
        const command = ordinaryCommand(line);
        if (command === undefined) return;
        read += 1;
        for (const grammar of grammars) expect(parseCommand(line, grammar)).toEqual(command);
      }),
      { numRuns: 5000 },
    );
    expect(read).toBeGreaterThan(250);
  });

  it('is each MAIL and RCPT without parameters to a plain address, DATA, RSET and QUIT', () => {
    fc.assert(
      fc.property(plainCommand, (command) => {
        expect(ordinaryCommand(lineOf(command))).toEqual(command);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a label of 63 octets', 'b'.repeat(63)],
    ['a domain of 255 octets', `${'b.'.repeat(127)}b`],
  ])('is one with %s', (_, domain) => {
    const reversePath = { localPart: 'a', domain };
    expect(ordinaryCommand(encodeText(`MAIL FROM:<a@${domain}>`))).toEqual({
      verb: 'MAIL',
      reversePath,
      parameters: [],
    });
  });

  it.each([
    ['a parameter', 'MAIL FROM:<a@b.example> SIZE=1'],
    ['a quoted local-part', 'RCPT TO:<"a b"@b.example>'],
    ['a source route', 'RCPT TO:<@c.example:a@b.example>'],
    ['an address literal', 'RCPT TO:<a@[192.0.2.1]>'],
    ['a final dot', 'RCPT TO:<a@b.example.>'],
    ['an empty label', 'RCPT TO:<a@b..example>'],
    ['an empty domain', 'RCPT TO:<a@>'],
    ['an empty local-part', 'RCPT TO:<@b.example>'],
    ['a label that begins with a hyphen', 'RCPT TO:<a@b.-example>'],
    ['a label that ends with a hyphen', 'RCPT TO:<a@b-.example>'],
    ['a domain that ends with a hyphen', 'RCPT TO:<a@b.example->'],
    ['no bracket at the end', 'RCPT TO:<a@b.example'],
    ['text after the bracket', 'RCPT TO:<a@b.example>x'],
    ['no domain', 'RCPT TO:<Postmaster>'],
    ['a blank after the colon', 'MAIL FROM: <a@b.example>'],
    ['a blank at the end', 'DATA '],
    ['small letters', 'mail from:<a@b.example>'],
    ['a label over 63 octets', `MAIL FROM:<a@${'b'.repeat(64)}>`],
    ['a domain over 255 octets', `MAIL FROM:<a@${'b.'.repeat(127)}bb>`],
    ['nothing', ''],
  ])('is none with %s', (_, line) => {
    expect(ordinaryCommand(encodeText(line))).toBeUndefined();
  });
});
