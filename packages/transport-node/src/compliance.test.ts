import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteStream } from '@sansmtp/transport';
import {
  borrowing,
  complianceCases,
  startTlsCases,
  type TransportUnderTest,
  upgraded,
} from '@sansmtp/transport/compliance';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { connect } from './connecting/connect.js';
import { type Listener, type ListenOptions, listen } from './listening/listen.js';
import { canLendTls } from './streams/lent-buffer.js';
import { createTlsContext } from './tls/tls-context.js';
import { generateCertificate } from './tls-certificates.test-support.js';

const directory = await mkdtemp(join(tmpdir(), 'sansmtp-'));
afterAll(() => rm(directory, { recursive: true }));

const { cert, key } = await generateCertificate('localhost');
const context = createTlsContext({ cert, key });

/** Listens as long as the cases around it run. */
function overSockets(
  options: ListenOptions,
  abortReachesPeer: boolean,
  mode?: 'implicit' | 'startTls',
): TransportUnderTest {
  let listener: Listener;
  let onStream: (stream: ByteStream) => void;
  beforeAll(async () => {
    listener = await listen({ ...options, ...(mode && { tls: { mode, context } }) }, (stream) =>
      onStream(stream),
    );
  });
  afterAll(() => listener.close());

  return {
    async createPair() {
      const accepted = new Promise<ByteStream>((resolve) => {
        onStream = resolve;
      });
      const tls = mode && { tls: { mode, verify: true, servername: 'localhost', ca: cert } };
      return [await connect({ ...listener.address, ...tls }), await accepted];
    },
    moment: () => sleep(2),
    abortReachesPeer,
  };
}

// A listener lends from when it is known that it can.
await canLendTls();

describe.each<[string, ListenOptions, boolean]>([
  ['TCP', { port: 0 }, true],
  ['a Unix socket', { path: join(directory, 'socket') }, false],
])('%s', (_, options, abortReachesPeer) => {
  describe('in the clear', () => {
    const transport = overSockets(options, abortReachesPeer);
    for (const { name, run } of complianceCases) it(name, () => run(transport));
  });

  describe('in the clear, before listeners that borrow', () => {
    const transport = borrowing(overSockets(options, abortReachesPeer));
    for (const { name, run } of complianceCases) it(name, () => run(transport));
  });

  describe('that can start TLS, before listeners that borrow', () => {
    const transport = borrowing(overSockets(options, abortReachesPeer, 'startTls'));
    for (const { name, run } of startTlsCases) it(name, () => run(transport));
  });

  describe('with implicit TLS', () => {
    const transport = overSockets(options, abortReachesPeer, 'implicit');
    for (const { name, run } of complianceCases) it(name, () => run(transport));
  });

  describe('with implicit TLS, before listeners that borrow', () => {
    const transport = borrowing(overSockets(options, abortReachesPeer, 'implicit'));
    for (const { name, run } of complianceCases) it(name, () => run(transport));
  });

  describe('that can start TLS', () => {
    const transport = overSockets(options, abortReachesPeer, 'startTls');
    for (const { name, run } of startTlsCases) it(name, () => run(transport));
  });

  describe('that started TLS', () => {
    const transport = upgraded(overSockets(options, abortReachesPeer, 'startTls'));
    for (const { name, run } of complianceCases) it(name, () => run(transport));
  });
});
