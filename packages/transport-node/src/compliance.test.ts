import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteStream } from '@sansmtp/transport';
import { complianceCases, type TransportUnderTest } from '@sansmtp/transport/compliance';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { connect } from './connect.js';
import { type Listener, type ListenOptions, listen } from './listen.js';

const directory = await mkdtemp(join(tmpdir(), 'sansmtp-'));
afterAll(() => rm(directory, { recursive: true }));

describe.each<[string, ListenOptions, boolean]>([
  ['TCP', { port: 0 }, true],
  ['a Unix socket', { path: join(directory, 'socket') }, false],
])('%s', (_, options, abortReachesPeer) => {
  let listener: Listener;
  let onStream: (stream: ByteStream) => void;
  beforeAll(async () => {
    listener = await listen(options, (stream) => onStream(stream));
  });
  afterAll(() => listener.close());

  const transport: TransportUnderTest = {
    async createPair() {
      const accepted = new Promise<ByteStream>((resolve) => {
        onStream = resolve;
      });
      return [await connect(listener.address), await accepted];
    },
    moment: () => sleep(2),
    abortReachesPeer,
  };

  for (const { name, run } of complianceCases) it(name, () => run(transport));
});
