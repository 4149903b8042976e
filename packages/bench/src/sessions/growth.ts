/**
 * How a server session's time grows, in process: with the recipients of a message, with its size, and with the way in which
 * its octets are cut and what they hold, and with how many sessions there are. What is measured is the processor's time for
 * one message, one recipient, or one octet; beside it, what memory alone takes where there are many.
 */
import { ServerSession } from '@sansmtp/core';
import { type Measurement, report } from '../results.js';

const octets = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const LINE = `${'X'.repeat(78)}\r\n`;

/** As much mail data at a time as a socket gives at most. */
const CHUNK_OCTETS = 65_536;

/** A session in which a mail transaction has begun. */
function inSession(maximumRecipients = 1000) {
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
  const { feed, state } = inSession(count);
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
  const { feed, state } = inSession();
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

/** Nanoseconds for each mail transaction of 1 KiB, with so many sessions that take turns. */
function sessions(count: number): number {
  const all = Array.from({ length: count }, () => inSession());
  const transaction = [
    'RCPT TO:<recipient@example.com>\r\n',
    'DATA\r\n',
    `${LINE.repeat(13)}.\r\n`,
    'MAIL FROM:<sender@example.org>\r\n',
  ].map(octets);
  const rounds = Math.max(3, Math.ceil(10_000 / count));
  const take = () => {
    for (const command of transaction) for (const { feed } of all) feed(command);
  };
  take(); // a session's first message makes what it has for all others
  const time = microseconds(() => {
    for (let round = 0; round < rounds; round += 1) take();
  });
  return (time * 1000) / (rounds * count);
}

/** What a turn of a session looks at, about: so many objects, spread over somewhat less than two KiB. */
const LOOKED_AT = 28;
const APART = 8;

/**
 * Nanoseconds for the memory of four turns, with so many that take turns: what the processor's caches alone make of thousands of
 * sessions.
 */
function memory(count: number): number {
  const all = Array.from({ length: count }, () =>
    Array.from({ length: LOOKED_AT * APART }, (_, place) => ({ place })),
  );
  const rounds = Math.max(3, Math.ceil(100_000 / count));
  let sum = 0;
  const take = () => {
    for (const objects of all) {
      for (let index = 0; index < objects.length; index += APART) {
        const object = objects[index];
        if (object === undefined) continue;
        sum += object.place;
        object.place = sum & 255;
      }
    }
  };
  take();
  const time = microseconds(() => {
    for (let round = 0; round < 4 * rounds; round += 1) take();
  });
  return (time * 1000) / (rounds * count);
}

/** Measures and prints: there is no bar but that the figures of a kind are alike. */
export function measureGrowth(): boolean {
  for (let warm = 0; warm < 20; warm += 1) {
    recipients(1000);
    sessions(10);
    mailData(LINE, 1_000_000);
    mailData(LINE, 10_000, 1);
  }
  const best = (measure: () => number) => Math.min(...Array.from({ length: 5 }, measure));
  const mean = (rounds: number, measure: () => number) => {
    let sum = 0;
    for (let round = 0; round < rounds; round += 1) sum += measure();
    return sum / rounds;
  };
  const measurements: Measurement[] = [];
  const add = (measure: string, value: number) => measurements.push({ measure, value, unit: 'ns' });
  for (const count of [1, 100, 10_000]) {
    add(
      `a message of 1 KiB, with ${number(count)} sessions that take turns`,
      best(() => sessions(count)),
    );
  }
  for (const count of [1, 100, 10_000]) {
    add(
      `the memory alone that a message takes, with ${number(count)} in turn`,
      best(() => memory(count)),
    );
  }
  for (const count of [1, 10, 100, 1000, 10_000]) {
    const time = best(() => mean(Math.ceil(2000 / count), () => recipients(count)));
    add(`a recipient, in a message to ${number(count)}`, time);
  }
  for (const size of [1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]) {
    const time = best(() => mean(Math.ceil(1_000_000 / size), () => mailData(LINE, size)));
    add(`an octet of lines of 80, in a message of ${number(size)}`, time);
  }
  for (const [name, pattern, chunkOctets] of [
    ['that comes by itself', LINE, 1],
    ['of one line', 'X', CHUNK_OCTETS],
    ['of nothing but dots', '.', CHUNK_OCTETS],
    ['of lines of two dots', '..\r\n', CHUNK_OCTETS],
    ['of empty lines', '\r\n', CHUNK_OCTETS],
    ['of lines that are cut amid CRLF', `${'X'.repeat(14)}\r\n`, 15],
  ] as const) {
    for (const size of [1_000_000, 10_000_000]) {
      const time = best(() => mailData(pattern, size, chunkOctets));
      add(`an octet ${name}, in a message of ${number(size)}`, time);
    }
  }
  return report('growth', measurements);
}

function number(count: number): string {
  return count.toLocaleString('en-US');
}
