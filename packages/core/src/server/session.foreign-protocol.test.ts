import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answering, Dialogue, reject } from './dialogue.test-support.js';

const HTTP = '421 4.7.0 HTTP is not spoken here, closing the session';
const TLS = '421 4.7.0 TLS does not begin here without STARTTLS, closing the session';

/** A request that a page can have a browser make to any host and port, and whose body speaks SMTP. */
const POST = [
  'POST / HTTP/1.1',
  'Host: mx.example:25',
  'Content-Type: text/plain',
  '',
  'EHLO x',
  'MAIL FROM:<a@b>',
  'RCPT TO:<c@d>',
  'DATA',
  'Hello',
  '.',
];

/** The beginning of a ClientHello: record header, handshake header, version. */
const CLIENT_HELLO = '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefgh\r\nNOOP\r\n';

/** That of a client whose record is short, without a NUL in its header. */
const SHORT_CLIENT_HELLO = '\x16\x03\x03\x7f\x7f\x01\x01\x01\xfc\x03\x03abcdefgh';

describe('an HTTP request', () => {
  it('ends the session at once: nothing of its body is executed', () => {
    const dialogue = new Dialogue();
    expect(dialogue.say(...POST)).toEqual([HTTP]);
    expect(dialogue.session.state).toBe('closing');
    expect(dialogue.outputs.at(-1)).toEqual({ type: 'close', foreignProtocol: 'HTTP' });
    expect(dialogue.asked).toEqual(['connect']);
  });

  it.each([
    ['GET / HTTP/1.1'],
    ['get /index.html http/1.0'],
    ['GET /'],
    ['OPTIONS * HTTP/1.1'],
    ['CONNECT mx.example:25 HTTP/1.1'],
    ['PROPFIND /a HTTP/1.1'],
    ['PRI * HTTP/2.0'],
    [`POST /${'x'.repeat(2000)} HTTP/1.1`],
    ['DELETE /a\nHost: b'],
  ])('is known by its request line, however long or broken: %s', (line) => {
    expect(new Dialogue().say(line, 'NOOP').at(-1)).toBe(HTTP);
    expect(new Dialogue({ bareNewline: 'keep' }).say(line, 'NOOP').at(-1)).toBe(HTTP);
  });

  it.each([
    ['after EHLO', (dialogue: Dialogue) => dialogue.ready()],
    ['in a mail transaction', (dialogue: Dialogue) => dialogue.addressed()],
  ])('is one wherever a command is awaited: %s', (_, take) => {
    expect(take(new Dialogue()).say(...POST)).toEqual([HTTP]);
  });

  it('is one in an AUTH exchange, where a response is awaited', () => {
    const dialogue = new Dialogue({ authentication: { allowInsecure: true } });
    dialogue.ready();
    expect(dialogue.say('AUTH LOGIN').at(-1)).toMatch(/^334/);
    expect(dialogue.say(...POST)).toEqual([HTTP]);
    expect(dialogue.session.state).toBe('closing');
  });

  it('ends a session that was refused, too', () => {
    const dialogue = new Dialogue({ application: answering({ connect: reject }) });
    expect(dialogue.say('GET / HTTP/1.1')).toEqual([HTTP]);
  });

  it('is text like any other within a message, and in an argument', () => {
    const dialogue = new Dialogue().receiving();
    expect(dialogue.say('GET / HTTP/1.1', '.')).toEqual(['250 2.0.0 Message accepted']);
    expect(dialogue.say('NOOP GET / HTTP/1.1')).toEqual(['250 2.0.0 OK']);
    expect(dialogue.say('GETTER / x')).toEqual(['500 5.5.1 Command not recognized']);
  });
});

describe('a TLS ClientHello in the clear', () => {
  it.each([
    ['one with NULs in its header', CLIENT_HELLO],
    ['one without a line end', SHORT_CLIENT_HELLO],
  ])('ends the session at once: %s', (_, hello) => {
    for (const bareNewline of ['reject', 'keep'] as const) {
      const dialogue = new Dialogue({ bareNewline });
      expect(dialogue.octets(hello)).toEqual([TLS]);
      expect(dialogue.outputs.at(-1)).toEqual({ type: 'close', foreignProtocol: 'TLS' });
    }
  });

  it('is one wherever a command is awaited, but not within a message', () => {
    expect(new Dialogue().ready().octets(CLIENT_HELLO)).toEqual([TLS]);
    expect(new Dialogue().receiving().octets('\x16\x03\x01\r\n.\r\n')).toEqual([
      '250 2.0.0 Message accepted',
    ]);
  });

  it('is the same however its octets are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: CLIENT_HELLO.length }), { maxLength: 8 }), (cuts) => {
        const dialogue = new Dialogue();
        const places = [0, ...[...cuts].sort((one, other) => one - other), CLIENT_HELLO.length];
        places.forEach((from, index) => {
          dialogue.octets(CLIENT_HELLO.slice(from, places[index + 1] ?? from));
        });
        expect(dialogue.replies.slice(1)).toEqual([TLS]);
      }),
    );
  });
});
