import { ServerSession, type ServiceExtension } from '@sansmtp/core';
import { expect, it } from 'vitest';
import { futureReleaseWithinAYear } from './future-release.js';

const YEAR = 366 * 86_400_000;

/** The replies of a server that takes everything, to a client that connects now. */
function converse(extensions: readonly ServiceExtension[], lines: readonly string[]): string {
  const session = new ServerSession({ hostname: 'mx.example', extensions, now: 0 });
  let said = '';
  const drain = () => {
    for (let output = session.poll(); output !== undefined; output = session.poll()) {
      if (output.type === 'ask') session.accept(0);
      else if (output.type === 'write') said += Buffer.from(output.bytes).toString();
    }
  };
  drain();
  for (const line of lines) {
    session.handle({ type: 'bytes', bytes: Buffer.from(`${line}\r\n`), now: 0 });
    drain();
  }
  return said;
}

it('offers, and takes, dates of the year to come, however long the relay has run', () => {
  let now = Date.parse('2030-01-01T00:00:00Z');
  const extensions = [futureReleaseWithinAYear(() => now)];
  const ehlo = 'EHLO client.example';
  const hold = (date: string) => [ehlo, `MAIL FROM:<a@client.example> HOLDUNTIL=${date}`];

  expect(converse(extensions, [ehlo])).toContain('FUTURERELEASE 2592000 2031-01-02T00:00:00Z');
  expect(converse(extensions, hold('2031-01-01T00:00:00Z'))).toMatch(/\r\n250 [^\r]*\r\n$/);
  expect(converse(extensions, hold('2031-12-01T00:00:00Z'))).toMatch(/\r\n501 [^\r]*\r\n$/);

  now += YEAR;
  expect(converse(extensions, [ehlo])).toContain('FUTURERELEASE 2592000 2032-01-03T00:00:00Z');
  expect(converse(extensions, hold('2031-12-01T00:00:00Z'))).toMatch(/\r\n250 [^\r]*\r\n$/);
});
