import { type ServerEvent, withoutSession } from '@sansmtp/transport';
import { expect, it, vi } from 'vitest';
import { together } from './observers.js';

const session = withoutSession({ id: 'a', peer: {} });
const received: ServerEvent = { type: 'received', time: 0, length: 1 };
const sent: ServerEvent = { type: 'sent', time: 0, length: 1 };

it('wants the kinds of events that some observer wants, and tells each of its own', () => {
  const [first, second] = [{ received: vi.fn() }, { received: vi.fn(), sent: vi.fn() }];
  const observer = together(first, second);
  if (typeof observer === 'function') throw new Error('it wants everything');
  expect(Object.keys(observer)).toEqual(['received', 'sent']);
  observer.received?.(received, session);
  observer.sent?.(sent, session);
  expect(first.received.mock.calls).toEqual([[received, session]]);
  expect(second.received.mock.calls).toEqual([[received, session]]);
  expect(second.sent.mock.calls).toEqual([[sent, session]]);
});

it('wants everything where one of them does', () => {
  const [some, all] = [{ received: vi.fn() }, vi.fn()];
  const observer = together(some, all);
  if (typeof observer !== 'function') throw new Error('it does not want everything');
  observer(received, session);
  observer(sent, session);
  expect(some.received).toHaveBeenCalledTimes(1);
  expect(all.mock.calls.map(([{ type }]) => type)).toEqual(['received', 'sent']);
});
