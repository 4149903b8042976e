import { describe, expect, it } from 'vitest';
import { type ClientEnvelope, readEnvelope } from './envelope.js';

const ann = { localPart: 'ann', domain: 'example.org' };
const bob = { localPart: 'bob', domain: 'example.com' };

describe('an envelope', () => {
  it('is written with from and to, in text', () => {
    expect(readEnvelope({ from: 'ann@example.org', to: ['bob@example.com'] })).toEqual({
      reversePath: ann,
      recipients: [bob],
    });
  });

  it('may have one recipient alone, mailboxes, parameters, and the null reverse-path', () => {
    expect(readEnvelope({ from: '<>', to: 'bob@example.com' })).toEqual({
      reversePath: null,
      recipients: [bob],
    });
    const to = [{ ...bob, parameters: { notify: 'NEVER' } }, 'ann@example.org'] as const;
    expect(readEnvelope({ from: ann, to, parameters: { size: 10 } })).toEqual({
      reversePath: ann,
      recipients: [{ ...bob, parameters: { notify: 'NEVER' } }, ann],
      parameters: { size: 10 },
    });
  });

  it('may be in the words of one that was received, and is then not touched', () => {
    const envelope: ClientEnvelope = { reversePath: null, recipients: [bob] };
    expect(readEnvelope(envelope)).toBe(envelope);
    expect(readEnvelope({ reversePath: 'ann@example.org', recipients: ['bob@example.com'] })).toEqual({
      reversePath: ann,
      recipients: [bob],
    });
  });
});

describe('what is no envelope', () => {
  it.each([
    [{ from: '', to: ['bob@example.com'] }, "The reverse-path is ''; give an address"],
    [{ to: ['bob@example.com'] }, 'The reverse-path is missing; give an address'],
    [{ from: 'ann', to: ['bob@example.com'] }, 'The reverse-path "ann" is no mailbox'],
    [{ from: 'ann@example.org', to: ['bob@'] }, 'The forward-path "bob@" is no mailbox'],
    [{ from: 'ann@example.org', to: [] }, 'The envelope has no recipient'],
    [{ from: 'ann@example.org', to: [undefined] }, 'The forward-path is missing'],
    [{ from: 'ann@example.org' }, 'The envelope is without recipients; it takes from and to'],
    [{ sender: 'ann@example.org', to: [] }, 'The property of an envelope sender is not known'],
    [{ form: 'ann@example.org', to: [] }, 'form is not known: did you mean from?'],
    [undefined, 'The envelope is undefined; it takes from and to'],
  ])('%j says what is wrong', (envelope, message) => {
    expect(() => readEnvelope(envelope as never)).toThrow(message);
  });
});
