/**
 * What a client makes Node hold by sending an octet at a time to a stream that is paused. Node keeps each read by itself,
 * at hundreds of octets: what it has read is the number of them.
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect } from './connecting/connect.js';
import { eventually, expectNothingLeftOpen, listening, portOf } from './listening.test-support.js';
import { SocketStream } from './streams/socket-stream.js';
import { createTlsContext } from './tls/tls-context.js';
import { HELD_WHILE_PAUSED } from './tls/tls-options.js';
import { generateCertificate } from './tls-certificates.test-support.js';

expectNothingLeftOpen();

/** Of an octet each: what one read of the system holds of them, 16 KiB at once and 23 octets around each. */
const TLS_RECORDS_A_READ = 713;

const host = '127.0.0.1';
const PIECES = 4000;
const { cert, key } = await generateCertificate('localhost');
const context = createTlsContext({ cert, key });

describe('a client that sends an octet at a time', () => {
  it.each([
    ['in the clear', undefined, HELD_WHILE_PAUSED],
    ['with TLS', 'implicit', HELD_WHILE_PAUSED + TLS_RECORDS_A_READ],
  ] as const)('is heard to the end after a pause, but not meanwhile: %s', async (_, mode, most) => {
    const { listener, streams, heard, abortStreams } = await listening({
      port: 0,
      ...(mode && { tls: { mode, context } }),
    });
    const client = await connect({
      host,
      port: portOf(listener),
      ...(mode && { tls: { mode, verify: false } }),
    });
    client.open({ data() {}, end() {}, drain() {}, secure() {}, close() {} });
    await eventually(() => expect(streams).toHaveLength(1));
    const [stream] = streams;
    if (!(stream instanceof SocketStream)) throw new Error('a stream of another kind');
    stream.pause();
    for (let piece = 0; piece < PIECES; piece += 1) {
      client.write(Uint8Array.of(120));
      await turn();
    }
    await sleep(20);
    expect(stream.socket.readableLength).toBeGreaterThan(0);
    expect(stream.socket.readableLength).toBeLessThanOrEqual(most);
    stream.resume();
    await eventually(() => expect(heard[0]?.join('')).toBe('x'.repeat(PIECES)));
    abortStreams();
    client.abort();
    await listener.close();
  });
});
