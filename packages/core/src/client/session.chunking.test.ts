import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ExtensionNotOfferedError } from '../extensions/not-offered.js';
import { MailDataError } from '../wire/mail-data/mail-data-encoder.js';
import {
  CHUNKFUL,
  chunking,
  Dialogue,
  failureIn,
  octetsOf,
  verdictsIn,
  written,
} from './dialogue.test-support.js';

const reply = (code: number, ...lines: string[]) => ({ code, lines });
const MAIL = 'MAIL FROM:<s@a.example>';
const RCPT = 'RCPT TO:<r0@b.example>\r\n';
const CHUNK = 'x'.repeat(65_536);

describe('a message sent by BDAT (RFC 3030)', () => {
  it('has no DATA, no doubled dots and no final dot, and one chunk however many its pieces', () => {
    const client = new Dialogue({ mailDataBy: 'bdat' }).ready('CHUNKING', 'PIPELINING');
    expect(client.send()).toEqual([`${MAIL}\r\n${RCPT}`]);
    client.hear('250 OK');
    expect(client.hear('250 OK')).toEqual([
      { type: 'recipient', index: 0, reply: reply(250, 'OK') },
      { type: 'mailDataWanted' },
    ]);
    expect(client.data('.Hello\n.\r\n')).toEqual([]);
    expect(client.data('')).toEqual([]);
    expect(client.data('..\r\n')).toEqual([]);
    expect(client.end()).toEqual(['BDAT 15 LAST\r\n.Hello\r\n.\r\n..\r\n']);
    expect(client.hear('250 Taken')).toEqual([
      { type: 'done', verdicts: [{ verdict: 'delivered', phase: 'message', reply: reply(250, 'Taken') }] },
    ]);
    expect(client.send()).toEqual([`${MAIL}\r\n${RCPT}`]);
  });

  it('has chunks of 65,536 octets; the last is held until those before it were answered', () => {
    const client = chunking('PIPELINING');
    expect(client.data(CHUNK)).toEqual([]);
    expect(client.data('abc')).toEqual(['BDAT 65536\r\n', CHUNK]);
    expect(client.data(CHUNK)).toEqual(['BDAT 65536\r\n', `abc${CHUNK.slice(3)}`]);
    expect(client.end()).toEqual([]);
    expect(client.session.wantsMailData).toBe(false);
    expect(client.hear('250 OK')).toEqual([]);
    expect(client.hear('250 OK')).toEqual(['BDAT 5 LAST\r\nxxx\r\n']);
    expect(verdictsIn(client.hear('250 Taken'))).toMatchObject([{ verdict: 'delivered' }]);
  });

  it('ends in a line end like one that is sent by DATA', () => {
    const client = chunking();
    expect(client.end()).toEqual(['BDAT 0 LAST\r\n']);
    const open = chunking('PIPELINING');
    open.data('no line end');
    expect(open.end()).toEqual(['BDAT 13 LAST\r\nno line end\r\n']);
  });

  it('goes by DATA where CHUNKING is not offered, or not asked for', () => {
    expect(written(new Dialogue({ mailDataBy: 'bdat' }).ready('PIPELINING').send())).toContain('DATA');
    expect(written(new Dialogue().ready('PIPELINING', 'CHUNKING').send())).toContain('DATA');
  });

  it('goes a chunk at a time without PIPELINING; the session says when it wants the next', () => {
    const client = chunking();
    expect(client.session.wantsMailData).toBe(true);
    client.data(CHUNKFUL);
    expect(client.session.wantsMailData).toBe(false);
    expect(() => client.data('two')).toThrow('allowed there: only to wait');
    expect(() => client.end()).toThrow('allowed there: only to wait');
    expect(client.hear('250 65536 octets')).toEqual([{ type: 'mailDataWanted' }]);
    expect(client.session.wantsMailData).toBe(true);
    expect(client.data('two\r\n')).toEqual([]);
    expect(client.end()).toEqual(['BDAT 6 LAST\r\nxtwo\r\n']);
  });

  it('has 64 chunks in flight at most with PIPELINING', () => {
    const client = chunking('PIPELINING');
    for (let count = 0; count < 64; count++) {
      expect(client.session.wantsMailData).toBe(true);
      client.data(CHUNKFUL);
    }
    expect(client.session.wantsMailData).toBe(false);
    expect(client.hear('250 OK', '250 OK')).toEqual([{ type: 'mailDataWanted' }]);
    expect(client.session.wantsMailData).toBe(true);
  });

  it('passes without being copied, but for the last of it', () => {
    const client = chunking();
    const bytes = octetsOf(CHUNKFUL);
    client.session.handle({ type: 'mailData', bytes, now: 0 });
    client.session.poll();
    const output = client.session.poll();
    expect(output?.type === 'write' && output.bytes.buffer).toBe(bytes.buffer);
  });

  it('must not hold a bare CR or a NUL: the next relay may have to use DATA', () => {
    for (const text of ['a\rb', 'a\0']) {
      const client = chunking('PIPELINING');
      client.data(CHUNKFUL);
      expect(() => client.data(text)).toThrow(MailDataError);
      expect(client.session.state).toBe('session.transaction.abandoned');
      client.hear('250 OK'); // to the chunk before
      expect(verdictsIn(client.handle({ type: 'lost' }))).toMatchObject([{ verdict: 'deferred' }]);
    }
  });

  it('that no recipient is left to is not sent', () => {
    const client = new Dialogue({ mailDataBy: 'bdat' }).ready('CHUNKING', 'PIPELINING');
    client.send(2);
    expect(written(client.hear('250 OK', '550 No', '550 No'))).toBe('RSET\r\n');
  });

  it('has the same octets whatever the pieces, and chunks that say how many they are', () => {
    const piece = fc.array(fc.constantFrom('a', '\r\n', '.', '\n', 'b\xff'), { maxLength: 5 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const texts = pieces.map((parts) => parts.join(''));
        const chunked = chunking('PIPELINING');
        let wire = texts.map((text) => written(chunked.data(text))).join('') + written(chunked.end());
        let message = '';
        let last = false;
        while (wire !== '') {
          expect(last).toBe(false);
          const [line = '', size, end] = /^BDAT (\d+)( LAST)?\r\n/.exec(wire) ?? [];
          message += wire.slice(line.length, line.length + Number(size));
          wire = wire.slice(line.length + Number(size));
          last = end !== undefined;
        }
        expect(last).toBe(true);
        const dotted = new Dialogue().sending();
        const byData = texts.map((text) => written(dotted.data(text))).join('') + written(dotted.end());
        expect(`${message}.\r\n`.replace(/(^|\n)\.(?!\r\n$)/g, '$1..')).toBe(byData);
      }),
    );
  });
});

describe('BINARYMIME (RFC 3030 §3)', () => {
  const offered = ['CHUNKING', 'BINARYMIME', '8BITMIME'];

  it('always goes by BDAT, and verbatim', () => {
    const client = new Dialogue().ready(...offered);
    expect(client.send(1, { body: 'BINARYMIME' })).toEqual([`${MAIL} BODY=BINARYMIME\r\n`]);
    client.hear('250 OK');
    client.hear('250 OK');
    expect(client.data('\0\r.\n.\r')).toEqual([]);
    expect(client.end()).toEqual(['BDAT 6 LAST\r\n\0\r.\n.\r']);
  });

  it.each([[[]], [['CHUNKING']], [['BINARYMIME']], [['8BITMIME', 'SIZE']]])(
    'is not sent to a server that offers %j only; the session remains',
    (keywords) => {
      const client = new Dialogue().ready(...keywords);
      expect(() => client.send(1, { body: 'BINARYMIME' })).toThrow(ExtensionNotOfferedError);
      expect(client.session.state).toBe('session.ready');
      expect(client.send()).toEqual([`${MAIL}\r\n`]);
    },
  );
});

describe('BINARYMIME that the options leave out', () => {
  it('is not sent, whatever is offered', () => {
    const client = new Dialogue({ extensions: [] }).ready('CHUNKING', 'BINARYMIME', '8BITMIME');
    expect(() => client.send(1, { body: 'BINARYMIME' })).toThrow(ExtensionNotOfferedError);
  });
});

describe('a refusal of a chunk (RFC 3030 §2)', () => {
  it.each([
    ['452', 'deferred'],
    ['552', 'rejected'],
  ])('by %s is the verdict for all, %s; no more is sent, and RSET follows', (code, verdict) => {
    const client = chunking();
    client.data(CHUNKFUL);
    expect(client.hear(`${code} Full`)).toEqual(['RSET\r\n']);
    expect(client.session.wantsMailData).toBe(false);
    expect(() => client.data('more')).toThrow('allowed there: only to wait');
    expect(client.hear('250 OK')).toEqual([
      { type: 'done', verdicts: [{ verdict, phase: 'message', reply: reply(Number(code), 'Full') }] },
    ]);
    expect(client.session.state).toBe('session.ready');
  });

  it('is followed by RSET once all chunks in flight have their replies', () => {
    const client = chunking('PIPELINING');
    for (let count = 0; count < 4; count++) client.data(CHUNKFUL);
    expect(client.hear('250 OK', '452 Full', '503 No')).toEqual([]);
    expect(client.session.state).toBe('session.transaction.draining');
    expect(client.hear('250 OK')).toEqual(['RSET\r\n']);
    expect(verdictsIn(client.hear('250 OK'))).toEqual([
      { verdict: 'deferred', phase: 'message', reply: reply(452, 'Full') },
    ]);
  });

  it('keeps the last chunk from being sent', () => {
    const client = chunking('PIPELINING');
    client.data(CHUNKFUL);
    client.data(CHUNKFUL);
    client.end();
    expect(written(client.hear('250 OK'))).toBe('');
    expect(client.hear('552 Too large')).toEqual(['RSET\r\n']);
    expect(verdictsIn(client.hear('250 OK'))).toMatchObject([{ verdict: 'rejected', reply: { code: 552 } }]);
    expect(client.session.state).toBe('session.ready');
  });

  it('that is the last needs no RSET', () => {
    const client = chunking('PIPELINING');
    client.data(CHUNKFUL);
    client.end();
    client.hear('250 OK');
    expect(client.hear('554 Spam')).toMatchObject([{ type: 'done', verdicts: [{ verdict: 'rejected' }] }]);
  });
});

describe('a connection that is lost', () => {
  it('before the last chunk was written defers the message', () => {
    for (const client of [chunking(), chunking('PIPELINING')]) {
      client.data('Hello\r\n');
      expect(verdictsIn(client.handle({ type: 'lost' }))).toMatchObject([
        { verdict: 'deferred', failure: { kind: 'lost', phase: 'message' } },
      ]);
    }
  });

  it('while chunks before the last have no reply defers it too: the last was not sent', () => {
    const client = chunking('PIPELINING');
    client.data(CHUNKFUL);
    client.data(CHUNKFUL);
    client.end();
    client.hear('250 OK');
    expect(verdictsIn(client.handle({ type: 'lost' }))).toMatchObject([
      { verdict: 'deferred', failure: { kind: 'lost', phase: 'message' } },
    ]);
  });

  it('behind the last chunk leaves the outcome unknown (RFC 1047)', () => {
    for (const replies of [[], ['250 OK']]) {
      const client = chunking('PIPELINING');
      if (replies.length > 0) client.data(CHUNKFUL);
      client.end();
      for (const line of replies) client.hear(line);
      expect(verdictsIn(client.handle({ type: 'lost' }))).toMatchObject([{ verdict: 'unknown' }]);
    }
  });

  it('is one where a chunk gets a reply too many', () => {
    const client = chunking('PIPELINING');
    client.data(CHUNKFUL);
    expect(failureIn(client.hear('250 OK', '250 OK'))).toMatchObject({ kind: 'protocol', phase: 'message' });
    expect(failureIn(chunking().hear('450 No'))).toMatchObject({ kind: 'protocol', phase: 'message' });
  });
});
