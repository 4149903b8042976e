import { AggregatorRegistry, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { relayMetrics } from './relay-metrics.js';

const COUNT = { waiting: 2, held: 1, delivering: 0, octets: 7, oldest: { waiting: Date.now() - 60_000 } };

function attempt(destination: string) {
  return {
    type: 'recipient',
    id: 'M1',
    recipient: { localPart: 'bob', domain: 'example.org' },
    destination,
    verdict: 'delivered',
    enhancedCode: '2.0.0',
    reply: null,
    host: null,
    reason: '',
    attempts: 1,
    state: 'delivered',
    age: 1500,
    duration: 20,
  } as const;
}

it('tells depth, age by state, and deliveries', async () => {
  const registry = new Registry();
  const tell = await relayMetrics(registry, { count: async () => COUNT }, []);
  tell(attempt('example.org'));
  const text = await registry.metrics();
  expect(text).toContain('sansmtp_queue_messages{state="waiting"} 2');
  expect(text).toContain('sansmtp_queue_octets 7');
  expect(text).toMatch(/sansmtp_queue_oldest_seconds\{state="waiting"\} (?:6|7)\d/);
  expect(text).toContain('sansmtp_deliveries_total{verdict="delivered",destination="example.org"} 1');
  expect(text).toContain('sansmtp_delivery_seconds_sum 1.5');
});

it('has one queue, however many workers look at it, and the deliveries of all', async () => {
  const registry = new Registry();
  const tell = await relayMetrics(registry, { count: async () => COUNT }, []);
  tell(attempt('example.org'));
  const each = await registry.getMetricsAsJSON();
  const text = await AggregatorRegistry.aggregate([each, each]).metrics();
  expect(text).toContain('sansmtp_queue_messages{state="waiting"} 2\n');
  expect(text).toContain('sansmtp_queue_octets 7\n');
  expect(text).toMatch(/sansmtp_queue_oldest_seconds\{state="waiting"\} (?:6|7)\d\b/);
  expect(text).toContain('sansmtp_deliveries_total{verdict="delivered",destination="example.org"} 2\n');
});

it('has a hundred destinations at most, beside those of the options; senders can name any number', async () => {
  const registry = new Registry();
  const tell = await relayMetrics(registry, { count: async () => COUNT }, ['10.0.0.1:25']);
  for (let i = 0; i < 1000; i++) tell(attempt(`d${i}.example`));
  tell(attempt('10.0.0.1:25'));
  const text = await registry.metrics();
  expect(text.match(/^sansmtp_deliveries_total\{/gm)).toHaveLength(102);
  expect(text).toContain('destination="others"} 900');
  expect(text).toContain('destination="10.0.0.1:25"} 1');
});

it('still tells the rest where the queue does not answer', async () => {
  const registry = new Registry();
  await relayMetrics(registry, { count: () => Promise.reject(new Error('gone')) }, []);
  const text = await registry.metrics();
  expect(text).toContain('sansmtp_queue_octets Nan');
  expect(text).toContain('sansmtp_destinations_down_total 0');
});
