/** What the tests over real sockets share: a listener that writes down what its streams hear. */
import type { ByteStream } from '@sansmtp/transport';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { type Listener, type ListenOptions, listen } from './listening/listen.js';
import { systemCode } from './system-error.js';

/** Open sockets and servers. (Timers of this package do not show: none of them keeps the process running.) */
function handles(): string[] {
  const kinds = ['TCPSocketWrap', 'TCPServerWrap', 'TCPConnectWrap', 'PipeWrap', 'PipeServerWrap'];
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.includes(kind))
    .sort();
}

/** Every test has to close all it opens; then no socket or server may be left. */
export function expectNothingLeftOpen(): void {
  let before: string[];
  beforeEach(() => {
    before = handles();
  });
  afterEach(() => eventually(() => expect(handles()).toEqual(before)));
}

/** Waits until it does not throw: long, for a busy machine may stand still for a second. */
export function eventually<T>(check: () => T): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 5 });
}

/** Opens a stream and writes down what it hears. */
export function hear(stream: ByteStream): string[] {
  const heard: string[] = [];
  stream.open({
    data: (bytes) => heard.push(new TextDecoder().decode(bytes)),
    end: () => heard.push('end'),
    drain: () => heard.push('drain'),
    secure: () => heard.push('secure'),
    close: (reason) =>
      heard.push(reason === undefined ? 'close' : `close: ${systemCode(reason) ?? reason.message}`),
  });
  return heard;
}

/** A listener whose streams are kept in order, opened, with what they hear; and how to abort them all. */
export async function listening(options: ListenOptions) {
  const streams: ByteStream[] = [];
  const heard: string[][] = [];
  const listener = await listen(options, (stream) => {
    streams.push(stream);
    heard.push(hear(stream));
  });
  const abortStreams = () => {
    for (const stream of streams) stream.abort();
  };
  /** Those that have not heard `close`. */
  const open = () => heard.filter((events) => !events.some((event) => event.startsWith('close'))).length;
  return { listener, streams, heard, abortStreams, open };
}

export function portOf({ address }: Listener): number {
  if (address.kind !== 'tcp') throw new Error('not TCP');
  return address.port;
}
