import { pino } from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import { readAgainOnHangup } from './rereading.js';

function recorder() {
  const lines: string[] = [];
  return { lines, log: pino({ base: null }, { write: (record) => lines.push(JSON.parse(record).msg) }) };
}

it('reads all again, in turn; what cannot be read stays, is logged, and keeps none of the others', async () => {
  const { lines, log } = recorder();
  const order: string[] = [];
  const end = readAgainOnHangup(
    [
      { what: 'the first', read: async () => void order.push('first') },
      { what: 'the second', read: () => Promise.reject(new Error('malformed')) },
      { what: 'the third', read: async () => void order.push('third') },
    ],
    async () => void order.push('files'),
    log,
  );
  onTestFinished(end);
  process.emit('SIGHUP', 'SIGHUP');
  process.emit('SIGHUP', 'SIGHUP');
  await vi.waitFor(() => expect(lines).toHaveLength(6));
  expect(order).toEqual(['files', 'first', 'third', 'files', 'first', 'third']);
  expect(lines.slice(0, 3)).toEqual([
    'SIGHUP: the first is read again',
    'SIGHUP: the second stays as it was',
    'SIGHUP: the third is read again',
  ]);
});

it('says that there is nothing to be read, and lets go of the signal', async () => {
  const { lines, log } = recorder();
  const before = process.listenerCount('SIGHUP');
  const end = readAgainOnHangup([], undefined, log);
  process.emit('SIGHUP', 'SIGHUP');
  await vi.waitFor(() => expect(lines).toEqual(['SIGHUP: there is no file to be read again']));
  end();
  expect(process.listenerCount('SIGHUP')).toBe(before);
});
