/** Messages that servers and clients get wrong, with lines that end in LF. */

/** All that transparency and line ends can go wrong with (RFC 5321 §4.5.2). */
const dots = [
  'Subject: dots',
  '',
  '.',
  '..',
  '...',
  '.a',
  '. ',
  '',
  '',
  `.${'x'.repeat(996)}`,
  'x'.repeat(998),
  '.'.repeat(998),
  '\tQUIT',
  'RSET',
  '',
  'the end',
  '',
].join('\n');

/** All octets of Latin-1 that are no control characters, which are no UTF-8. */
const eightBit = [
  'Subject: eight bits',
  'Content-Transfer-Encoding: 8bit',
  '',
  String.fromCharCode(...Array.from({ length: 0x60 }, (_, i) => 0xa0 + i)),
  String.fromCharCode(...Array.from({ length: 0x20 }, (_, i) => 0x80 + i)),
  '',
].join('\n');

/** Lines of every length up to the longest, dots in front of many, 30 MB of them. */
function large(): string {
  const lines = Array.from({ length: 999 }, (_, length) =>
    `${'.'.repeat(length % 3)}${String.fromCharCode(0x21 + (length % 94)).repeat(length)}`.slice(0, 998),
  );
  const block = `${lines.join('\n')}\n`;
  return `Subject: large\n\n${block.repeat(Math.ceil(30_000_000 / block.length))}`;
}

export const messages: Readonly<Record<string, Buffer>> = {
  'dots and empty lines': Buffer.from(dots, 'latin1'),
  'eight bits': Buffer.from(eightBit, 'latin1'),
  '30 MB': Buffer.from(large(), 'latin1'),
};

/** The message as it crosses the wire, but for the doubling of dots. */
export function withCrlf(message: Buffer): Buffer {
  return Buffer.from(message.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}
