import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import type { Envelope } from '@sansmtp/core';
import type { Maildir } from '@sansmtp/delivery';
import {
  type IncomingBody,
  MailDataAbandonedError,
  Rejection,
  type ServerSessionInformation,
  withoutSession,
} from '@sansmtp/transport';
import { startMailServer } from '@sansmtp/transport-node';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLog, type Logger } from '../log.js';
import { openCertificate } from '../receiving/certificates.js';
import { sessionLog } from '../receiving/session-log.js';
import { type Reception, reception } from './reception.js';

function recorder() {
  const records: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(record, _encoding, done) {
      records.push(JSON.parse(`${record}`));
      done();
    },
  });
  return { records, log: createLog(stream, true) };
}

/** Mail for any domain is taken, and discarded. */
function nowhere(log: Logger): Reception {
  return { domains: new Set(), maildir: undefined, log, sessions: sessionLog(log) };
}

const session: ServerSessionInformation = {
  ...withoutSession({ id: 'a-1', peer: { address: '192.0.2.1', port: 1 } }),
  hello: { verb: 'EHLO', name: 'c' },
};
const envelope: Envelope = {
  reversePath: null,
  parameters: {},
  recipients: [{ forwardPath: { localPart: 'joe', domain: 'example.org' }, parameters: {} }],
};

const noBody = () => (async function* (): AsyncIterable<Uint8Array> {})() as IncomingBody;

/** What the client is told of a recipient: nothing, or a refusal. */
function answerTo(domains: string[], localPart: string, domain: string): unknown {
  const { onRcptTo } = reception({ ...nowhere(recorder().log), domains: new Set(domains) });
  try {
    return onRcptTo?.({ forwardPath: { localPart, domain }, parameters: {} }, envelope, session);
  } catch (error) {
    return error;
  }
}

describe('recipients', () => {
  it('are taken for any domain when none is named', () => {
    expect(answerTo([], 'joe', 'example.org')).toBeUndefined();
    expect(answerTo([], 'joe', '[192.0.2.1]')).toBeUndefined();
  });

  it('are taken for the domains that are named, in whichever case (RFC 5321 §2.4)', () => {
    expect(answerTo(['example.org', 'example.net'], 'joe', 'Example.NET')).toBeUndefined();
  });

  it.each(['example.com', 'sub.example.org', '[192.0.2.1]'])('of %s get 550 5.7.1 otherwise', (domain) => {
    expect(answerTo(['example.org'], 'joe', domain)).toMatchObject({
      name: 'Rejection',
      responseCode: 550,
      enhancedCode: '5.7.1',
      message: expect.stringContaining(domain),
    });
  });

  it('called Postmaster, without a domain, are always taken (RFC 5321 §4.5.1)', () => {
    expect(answerTo(['example.org'], 'Postmaster', '')).toBeUndefined();
  });
});

/** What becomes of a message, and what the log says, when the Maildir does this. */
async function receive(deliver: Maildir['deliver']) {
  const { records, log } = recorder();
  const maildir: Maildir = { directory: '/mail', deliver };
  const { onMessage } = reception({ ...nowhere(log), maildir });
  const answer = await Promise.resolve(onMessage({ envelope, body: noBody() }, session)).catch(
    (error: unknown) => error,
  );
  return { answer, records };
}

function failing(error: Error): Maildir['deliver'] {
  return () => Promise.reject(error);
}

describe('a message', () => {
  it('is answered by the name it has once it is stored', async () => {
    const { answer, records } = await receive(async () => ({ id: 'M1', path: '/mail/new/M1', size: 7 }));
    expect(answer).toEqual({ code: 250, enhancedCode: '2.0.0', lines: ['Message stored as M1'] });
    expect(records).toEqual([
      expect.objectContaining({
        msg: 'message stored',
        id: 'M1',
        size: 7,
        from: '<>',
        to: ['joe@example.org'],
      }),
    ]);
  });

  it.each([
    { code: 'ENOSPC', reply: 452, enhanced: '4.3.1' },
    { code: 'EDQUOT', reply: 452, enhanced: '4.3.1' },
    { code: 'EACCES', reply: 451, enhanced: '4.3.0' },
    { code: 'EIO', reply: 451, enhanced: '4.3.0' },
  ])(
    'gets $reply $enhanced when storing it gives $code, with the reason in the log',
    async ({ code, reply, enhanced }) => {
      const error = Object.assign(new Error('words for us'), { code });
      const { answer, records } = await receive(failing(error));
      expect(answer).toBeInstanceOf(Rejection);
      expect(answer).toMatchObject({ responseCode: reply, enhancedCode: enhanced });
      expect((answer as Error).message).not.toContain('words for us');
      expect(records).toEqual([
        expect.objectContaining({
          msg: 'message not stored',
          reason: 'words for us',
          reply: expect.stringContaining(enhanced),
        }),
      ]);
    },
  );

  it('leaves to the driver what is a fault of ours', async () => {
    const error = new TypeError('a mistake');
    expect(await receive(failing(error))).toEqual({ answer: error, records: [] });
  });

  it('that is abandoned is no failure of ours, and has its line from the log of sessions', async () => {
    const abandoned = new MailDataAbandonedError('closed');
    const { answer, records } = await receive(failing(abandoned));
    expect(answer).toBe(abandoned);
    expect(records).toEqual([]);
  });

  it('is accepted at once where messages are discarded', () => {
    const { onMessage } = reception(nowhere(recorder().log));
    expect(onMessage({ envelope, body: noBody() }, session)).toBeUndefined();
  });
});

describe('STARTTLS that fails', () => {
  /** What the log says after a client has done this where the handshake has to follow. */
  async function recordsAfter(behave: (client: Socket) => void) {
    const { records, log } = recorder();
    const certificate = await openCertificate({ tlsSelfSigned: true }, 'mx.example');
    if (certificate === undefined) throw new Error('There is no certificate');
    const server = await startMailServer({
      addresses: [{ port: 0, tls: { mode: 'startTls', context: certificate.context } }],
      handlers: reception(nowhere(log)),
      session: { hostname: 'mx.example' },
      observer: sessionLog(log).observer,
    });
    onTestFinished(() => server.shutdown(0));
    const [address] = server.addresses;
    const client = connect({ host: '127.0.0.1', port: address?.kind === 'tcp' ? address.port : 0 });
    onTestFinished(() => {
      client.destroy();
    });
    client.on('error', () => {});
    let received = '';
    client.on('data', (bytes) => {
      received += bytes;
      if (received.endsWith('ESMTP\r\n')) client.write('EHLO c\r\n');
      else if (/^250 .*\r\n$/m.test(received)) {
        received = '';
        client.write('STARTTLS\r\n');
      } else if (/^220 2.*\r\n$/.test(received)) behave(client);
    });
    await vi.waitFor(() => expect(records).not.toEqual([]), 20_000);
    return records;
  }

  it.each<{ how: string; behave: (client: Socket) => void }>([
    { how: 'sends what is no TLS', behave: (client) => client.write('no hello at all\r\n') },
    { how: 'ends the connection', behave: (client) => client.end() },
    { how: 'resets the connection', behave: (client) => client.resetAndDestroy() },
  ])('has a line in the log: the client $how', async ({ behave }) => {
    expect(await recordsAfter(behave)).toEqual([
      expect.objectContaining({
        level: 40,
        msg: 'TLS handshake failed',
        client: '127.0.0.1',
        reason: expect.stringContaining('TLS handshake'),
      }),
    ]);
  });
});
