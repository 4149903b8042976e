/** The programs of docs/embedding.md that serve or send mail in a service, run as they are printed. */
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { formatMailbox } from '@sansmtp/core';
import { openSession, Rejection } from '@sansmtp/transport';
import { type ConnectOptions, connect, startMailServer, systemClock } from '@sansmtp/transport-node';
import { expect, it, onTestFinished, vi } from 'vitest';
import { examplesOf } from './document-examples.js';
import { temporaryFolder } from './temporary-folder.js';

const { run, listen } = examplesOf('docs/embedding.md');

async function send(to: ConnectOptions, recipients: readonly string[], message: string, protocol?: 'lmtp') {
  const session = await openSession(await connect(to), {
    clock: systemClock,
    hostname: 'client.example.org',
    ...(protocol && { protocol }),
  });
  const verdicts = await session.send({ from: 'ann@example.org', to: recipients }, message);
  await session.quit();
  return verdicts.map(({ verdict, reply }) => `${verdict} ${reply?.code} ${reply?.enhancedCode}`);
}

it('posts to a webhook what comes again after it was greylisted, and acknowledges what the webhook took', async () => {
  const posts: string[] = [];
  let status = 503;
  const webhook = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    posts.push(`${decodeURIComponent(String(request.headers['x-envelope']))} ${text}`);
    response.writeHead(status).end();
  });
  await once(webhook.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void webhook.close());
  const { port: hook } = webhook.address() as AddressInfo;
  const { port } = await listen('webhook', { WEBHOOK: `http://127.0.0.1:${hook}/`, DELAY: '1' });
  const attempt = () => send({ host: '127.0.0.1', port }, ['bob@example.com'], 'Hello\n');

  expect(await attempt()).toEqual(['deferred 451 4.7.1']);
  expect(posts).toEqual([]);
  expect(await attempt()).toEqual(['deferred 451 4.3.0']);
  status = 204;
  expect(await attempt()).toEqual(['delivered 250 2.0.0']);
  expect(posts.at(-1)).toBe('{"from":"ann@example.org","to":["bob@example.com"]} Hello\r\n');
}, 30_000);

it('stores for each recipient of LMTP, or says why not', async () => {
  const SOCKET = join(await temporaryFolder(), 'agent.sock');
  const { folder, signal } = await listen('lmtp', { SOCKET });
  const recipients = ['ann@example.com', 'bob@example.com', 'eve@example.com'];
  expect(await send({ path: SOCKET }, recipients, 'Subject: hello\n\nTo all.\n', 'lmtp')).toEqual([
    'delivered 250 2.1.5',
    'deferred 452 4.2.2',
    'rejected 550 5.1.1',
  ]);
  const stored = join(folder, 'mailboxes', 'ann', 'new');
  const [file = ''] = await readdir(stored);
  expect(await readFile(join(stored, file), 'utf8')).toContain('\r\nDelivered-To: ann@example.com\r\n');
  expect(await readdir(join(folder, 'mailboxes', 'bob', 'new'))).toEqual([]);
  expect(await signal('SIGTERM')).toBe(0);
}, 30_000);

it('tries the jobs of a queue again, and tells the sender what was refused', async () => {
  const came: string[] = [];
  let tries = 0;
  const server = await startMailServer({
    addresses: [{ port: 0 }],
    handlers: {
      onRcptTo({ forwardPath: { localPart } }) {
        if (localPart === 'eve') throw new Rejection(550, '5.1.1', 'No such mailbox');
        if (localPart === 'bob' && tries++ === 0) throw new Rejection(451, '4.7.1', 'Greylisted');
      },
      async onMessage({ envelope, body }) {
        const text = await new Response(body.readable).text();
        const to = envelope.recipients.map(({ forwardPath }) => formatMailbox(forwardPath));
        came.push(`${formatMailbox(envelope.reversePath)} to ${to}: ${/^Status: .*|^To both.*/m.exec(text)}`);
      },
    },
  });
  onTestFinished(() => server.shutdown(1000));
  const { port } = server.addresses[0] as { port: number };
  expect(await run('queue', { PORT: String(port), RETRY: '10' })).toBe(
    'bob@example.com deferred\neve@example.net rejected\nbob@example.com delivered\n',
  );
  expect(came).toEqual([
    '<> to ann@example.org: Status: 5.1.1',
    'ann@example.org to bob@example.com: To both of you.',
  ]);
}, 30_000);

it('answers the probes of Kubernetes, counts, and goes down in order', async () => {
  const { port, until, signal } = await listen('kubernetes', { HTTP_PORT: '0', DRAIN: '6000' });
  const http = await until(/probes on port (\d+)\n/);
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${http}${path}`);
    return { status: response.status, text: await response.text() };
  };
  expect(await get('/livez')).toEqual({ status: 200, text: 'alive\n' });
  expect(await get('/readyz')).toEqual({ status: 200, text: 'ready\n' });
  expect(await send({ host: '127.0.0.1', port }, ['bob@example.com'], 'Hello\n')).toEqual([
    'delivered 250 2.0.0',
  ]);
  // The server learns a moment after the client that the connection is closed.
  await vi.waitFor(
    async () => expect((await get('/metrics')).text).toContain('smtp_session_seconds_count 1'),
    20_000,
  );
  const { text } = await get('/metrics');
  expect(text).toContain('smtp_messages_total{outcome="accepted"} 1');
  expect(text).toContain('smtp_replies_total{code="354"} 1');
  expect(text).toMatch(/^smtp_connections 0$/m);

  const gone = signal('SIGTERM');
  await until(/(going down)/);
  expect(await get('/readyz')).toEqual({ status: 503, text: 'going down\n' });
  // Who was sent here before that was known is served still.
  expect(await send({ host: '127.0.0.1', port }, ['bob@example.com'], 'Hello\n')).toHaveLength(1);
  expect(await gone).toBe(0);
}, 30_000);

it('makes a span of each session, and those of handlers children of it', async () => {
  const { port, until } = await listen('tracing');
  expect(await send({ host: '127.0.0.1', port }, ['bob@example.com'], 'Hello\n')).toHaveLength(1);
  expect(await until(/(store .*)\n/)).toBe("store (a child) {} [ 'chunk' ]");
  expect(await until(/(SMTP session .*)\n/)).toBe("SMTP session  { 'smtp.ending': 'quit' } [ 'message' ]");
}, 30_000);

it('sends by the mailer what nodemailer has composed', async () => {
  const came: string[] = [];
  const server = await startMailServer({
    addresses: [{ port: 0 }],
    handlers: {
      onRcptTo({ forwardPath: { localPart } }) {
        if (localPart === 'eve') throw new Rejection(550, '5.1.1', 'No such mailbox');
      },
      onMessage: async ({ body }) => void came.push(await new Response(body.readable).text()),
    },
  });
  onTestFinished(() => server.shutdown(1000));
  const { port } = server.addresses[0] as { port: number };
  expect(await run('composing', { PORT: String(port) })).toBe(
    'bob@example.com delivered\neve@example.net rejected\n',
  );
  expect(came).toEqual([
    expect.stringMatching(/^From: Ann <ann@example\.org>\r\n[\s\S]*To both of you\.\r\n$/),
  ]);
}, 30_000);
