/** What a host's `startTls` does, without the encryption: the client greets, then the server does, and the pair goes on under it. */
import type { WebPair } from './web-pair.js';

const HELLO = 0x16;

export async function playHandshake(pair: WebPair, side: 'client' | 'server'): Promise<WebPair> {
  const writer = pair.writable.getWriter();
  const reader = pair.readable.getReader();
  try {
    if (side === 'client') await writer.write(Uint8Array.of(HELLO));
    const { done, value } = await reader.read();
    if (done) throw new Error('There is nobody at the other end');
    const isHello = value instanceof Uint8Array && value.length === 1 && value[0] === HELLO;
    if (!isHello) throw new Error('This is no handshake');
    if (side === 'server') await writer.write(Uint8Array.of(HELLO));
  } catch (error) {
    // As a host does whose handshake fails.
    reader.cancel(error).catch(() => {});
    writer.abort(error).catch(() => {});
    throw error;
  } finally {
    writer.releaseLock();
    reader.releaseLock();
  }
  return pair;
}
