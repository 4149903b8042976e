/**
 * Mail transactions through a server session alone: bytes in, bytes out, no socket. Says how much of a server's
 * time is the protocol's.
 */
import { ServerSession } from '@sansmtp/core';

const octets = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const MESSAGE = octets(`${`${'X'.repeat(78)}\r\n`.repeat(13)}.\r\n`);
const TRANSACTION = [
  'MAIL FROM:<sender@example.org>\r\n',
  'RCPT TO:<recipient@example.com>\r\n',
  'DATA\r\n',
].map(octets);

/**
 * Runs `count` mail transactions of 1 KiB, each command in a chunk of its own; transactions a second.
 * @param Session that of another copy of the core, where two are compared
 */
export function transactionsPerSecond(count: number, Session = ServerSession): number {
  const session = new Session({ hostname: 'bench.example', now: 0 });
  let octetsOut = 0;
  const feed = (bytes: Uint8Array) => {
    session.handle({ type: 'bytes', bytes, now: 0 });
    drain();
  };
  const drain = () => {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.type === 'ask') session.accept(0);
      else if (output.type === 'write') octetsOut += output.bytes.length;
    }
  };

  drain();
  feed(octets('EHLO client.example\r\n'));
  const before = octetsOut;
  const start = performance.now();
  for (let done = 0; done < count; done += 1) {
    for (const command of TRANSACTION) feed(command);
    feed(MESSAGE);
  }
  const seconds = (performance.now() - start) / 1000;
  if (octetsOut - before < count * 4 * '250 '.length)
    throw new Error('The session did not reply to everything');
  return count / seconds;
}
