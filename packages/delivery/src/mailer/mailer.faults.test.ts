/** Faults of what an application gives to a mailer: each defers the mail, and none takes a place in the pool for good. */
import type { ByteStream } from '@sansmtp/transport';
import { describe, expect, it } from 'vitest';
import type { OpenStream } from '../sessions/endpoint.js';
import { CredentialsError } from '../sessions/session-credentials.js';
import type { MailerOptions } from './mailer-options.js';
import { envelopeTo, mailing } from './scripted-network.test-support.js';

const A = '192.0.2.1';

/** Two messages to a relay that takes one connection at a time. */
async function sendTwice(options: (openStream: OpenStream) => Partial<MailerOptions>) {
  let openStream: OpenStream = () => Promise.reject(new Error('not yet'));
  const given = options((...all) => openStream(...all));
  const { mailer, network } = mailing(
    { [A]: {} },
    { relay: { host: A }, pool: { connections: 1, connectionsPerHost: 1 }, ...given },
  );
  openStream = network.openStream;
  const verdicts = [];
  for (let message = 0; message < 2; message++) {
    verdicts.push(...(await network.run(mailer.send(envelopeTo('r@b.example'), 'Hello\r\n'))));
  }
  await network.run(mailer.close());
  return { verdicts, network };
}

const broken = (stream: ByteStream, name: 'open' | 'abort' | 'write'): ByteStream =>
  Object.assign(stream, {
    [name]() {
      throw new Error(`${name} does not work`);
    },
  });

describe('a fault of', () => {
  it.each<[string, () => never, string]>([
    ['credentials of another kind', () => ({ kind: 'passwort' }) as never, 'credentials.kind takes'],
    [
      'credentials without a Secret',
      () => ({ kind: 'token', username: 'ann', token: 'x' }) as never,
      'token',
    ],
    ['no credentials', () => undefined as never, 'credentials.kind takes'],
  ])('%s defers the mail in the phase auth, and nobody is connected to', async (_, credentials, reason) => {
    const { verdicts, network } = await sendTwice(() => ({
      authentication: { credentials, allowInsecure: true },
    }));
    const deferred = {
      verdict: 'deferred',
      phase: 'auth',
      reason: expect.stringContaining(reason),
      error: expect.any(CredentialsError),
    };
    expect(verdicts).toMatchObject([deferred, deferred]);
    expect(network.connections).toEqual([]);
  });

  it.each<[string, (open: OpenStream) => OpenStream]>([
    ['no stream', () => async () => undefined as never],
    ['what is no stream', () => async () => ({ on() {} }) as never],
    [
      'an openStream that throws at once',
      () => () => {
        throw new Error('no way');
      },
    ],
    [
      'a stream that cannot be opened',
      (open) =>
        async (...where) =>
          broken(await open(...where), 'open'),
    ],
    [
      'a stream that can neither be opened nor dropped',
      (open) =>
        async (...where) =>
          broken(broken(await open(...where), 'open'), 'abort'),
    ],
  ])('%s defers the mail, and the pool has room again', async (_, openStream) => {
    const { verdicts } = await sendTwice((open) => ({ openStream: openStream(open) }));
    expect(verdicts).toMatchObject([{ verdict: 'deferred' }, { verdict: 'deferred' }]);
  });
});
