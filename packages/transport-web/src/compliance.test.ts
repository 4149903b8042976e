import { setImmediate as task } from 'node:timers/promises';
import {
  complianceCases,
  startTlsCases,
  type TransportUnderTest,
  upgraded,
} from '@sansmtp/transport/compliance';
import { describe, it } from 'vitest';
import { playHandshake } from './played-tls.test-support.js';
import type { WebPair } from './web-pair.js';
import { webStream } from './web-stream.js';

/** As on the network, some octets are on their way: what was written can be taken before it is read. */
const onTheWay = new ByteLengthQueuingStrategy({ highWaterMark: 65_536 });

function pairs(): [WebPair, WebPair] {
  const way = () => new TransformStream<Uint8Array, Uint8Array>({}, undefined, onTheWay);
  const [there, back] = [way(), way()];
  return [
    { readable: back.readable, writable: there.writable },
    { readable: there.readable, writable: back.writable },
  ];
}

const transport: TransportUnderTest = {
  createPair: async () => {
    const [near, far] = pairs();
    return [
      webStream(near, { startTls: () => playHandshake(near, 'client') }),
      webStream(far, { startTls: () => playHandshake(far, 'server') }),
    ];
  },
  moment: () => task(),
  abortReachesPeer: true,
};

describe('a pair of web streams', () => {
  for (const { name, run } of complianceCases) it(name, () => run(transport));
});

describe('a pair of web streams that can start TLS', () => {
  for (const { name, run } of startTlsCases) it(name, () => run(transport));
  const secured = upgraded(transport);
  for (const { name, run } of complianceCases) it(`started TLS: ${name}`, () => run(secured));
});
