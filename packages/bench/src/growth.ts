/**
 * How a server session's time grows, in process: with the recipients of a message, with its size, and with the way in which
 * its octets are cut and what they hold. What is printed is the processor's time for one recipient, or for one octet.
 */
import { ServerSession } from '@sansmtp/core';

const octets = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const LINE = `${'X'.repeat(78)}\r\n`;

/** As much mail data at a time as a socket gives at most. */
const CHUNK_OCTETS = 65_536;

function session(maximumRecipients = 1000) {
  const served = new ServerSession({
    hostname: 'bench.example',
    now: 0,
    maximumRecipients,
    maximumMessageSize: Number.POSITIVE_INFINITY,
  });
  const drain = () => {
    for (let output = served.poll(); output !== undefined; output = served.poll()) {
      if (output.type === 'ask') served.accept(0);
    }
  };
  const feed = (bytes: Uint8Array) => {
    served.handle({ type: 'bytes', bytes, now: 0 });
    drain();
  };
  drain();
  feed(octets('EHLO client.example\r\nMAIL FROM:<sender@example.org>\r\n'));
  return { feed, state: () => served.state };
}

function microseconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Nanoseconds for each recipient. */
function recipients(count: number): number {
  const { feed, state } = session(count);
  const commands = Array.from({ length: count }, (_, index) => octets(`RCPT TO:<r${index}@example.com>\r\n`));
  const time = microseconds(() => {
    for (const command of commands) feed(command);
  });
  feed(octets('DATA\r\n'));
  if (state() !== 'session.transaction.receiving') throw new Error(`The session stands in ${state()}`);
  return (time * 1000) / count;
}

/** Nanoseconds for each octet of so many, cut so. */
function mailData(pattern: string, size: number, chunkOctets = CHUNK_OCTETS): number {
  const { feed, state } = session();
  feed(octets('RCPT TO:<recipient@example.com>\r\nDATA\r\n'));
  const block = octets(pattern.repeat(Math.ceil(Math.min(size, CHUNK_OCTETS) / pattern.length)));
  let fed = 0;
  const time = microseconds(() => {
    while (fed < size) {
      for (let from = 0; from < block.length; from += chunkOctets) {
        feed(block.subarray(from, from + chunkOctets));
      }
      fed += block.length;
    }
  });
  feed(octets('\r\n.\r\n'));
  if (state() !== 'session.ready') throw new Error(`The session stands in ${state()}`);
  return (time * 1000) / fed;
}

/** Prints the tables: there is no bar but that their figures are alike. */
export function measureGrowth(): boolean {
  for (let warm = 0; warm < 20; warm += 1) {
    recipients(1000);
    mailData(LINE, 1_000_000);
    mailData(LINE, 10_000, 1);
  }
  const best = (measure: () => number) => Math.min(...Array.from({ length: 5 }, measure));
  console.log('G: growth, nanoseconds of the processor for each recipient');
  for (const count of [1, 10, 100, 1000, 10_000]) {
    const rounds = Math.ceil(2000 / count);
    const time = best(() => {
      let sum = 0;
      for (let round = 0; round < rounds; round += 1) sum += recipients(count);
      return sum / rounds;
    });
    console.log(`  ${String(count).padStart(6)} recipients  ${time.toFixed(0)}`);
  }
  console.log('G: growth, nanoseconds of the processor for each octet of mail data');
  for (const size of [1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]) {
    const rounds = Math.ceil(1_000_000 / size);
    const time = best(() => {
      let sum = 0;
      for (let round = 0; round < rounds; round += 1) sum += mailData(LINE, size);
      return sum / rounds;
    });
    console.log(`  ${String(size).padStart(11)} octets in lines of 80  ${time.toFixed(2)}`);
  }
  for (const [name, pattern, chunkOctets] of [
    ['an octet at a time', LINE, 1],
    ['one line of 10 MB', 'X', CHUNK_OCTETS],
    ['nothing but dots', '.', CHUNK_OCTETS],
    ['lines of two dots', '..\r\n', CHUNK_OCTETS],
    ['empty lines', '\r\n', CHUNK_OCTETS],
    ['cut in the middle of CRLF', `${'X'.repeat(14)}\r\n`, 15],
  ] as const) {
    for (const size of [1_000_000, 10_000_000]) {
      const time = best(() => mailData(pattern, size, chunkOctets));
      console.log(`  ${String(size).padStart(11)} octets, ${name}  ${time.toFixed(2)}`);
    }
  }
  return true;
}
