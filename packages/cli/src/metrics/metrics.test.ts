import { createMailer } from '@sansmtp/delivery';
import { Rejection } from '@sansmtp/transport';
import { startMailServer } from '@sansmtp/transport-node';
import { AggregatorRegistry } from 'prom-client';
import { expect, it, onTestFinished } from 'vitest';
import { areReady, countFigures, type Metrics, startMetrics } from './metrics.js';

async function started(): Promise<{
  metrics: Metrics;
  get(path: string, method?: string): Promise<Response>;
}> {
  const metrics = await startMetrics(0);
  onTestFinished(() => metrics.close());
  const [, where] = /^listening metrics (127\.0\.0\.1:\d+)\n$/.exec(metrics.listening) ?? [];
  return { metrics, get: (path, method = 'GET') => fetch(`http://${where}${path}`, { method }) };
}

it('counts sessions, messages, refusals and how long decisions took, by labels of few values', async () => {
  const { metrics, get } = await started();
  const server = await startMailServer({
    addresses: [{ port: 0, label: 'smtp' }],
    handlers: {
      onRcptTo({ forwardPath: { localPart } }) {
        if (localPart === 'nobody') throw new Rejection(550, '5.1.1', 'No such mailbox here');
      },
      onMessage() {},
    },
    observer: metrics.observer,
  });
  metrics.measure({ sessions: () => server.connections.size, isReady: async () => true });
  const [address] = server.addresses;
  const relay = { host: '127.0.0.1', port: address?.kind === 'tcp' ? address.port : 0 };
  const mailer = createMailer({ relay, hostname: 'client.example' });
  await mailer.send({ from: 'a@example.com', to: ['b@example.org', 'nobody@example.org'] }, 'Hello\r\n');
  expect(await (await get('/metrics')).text()).toContain('\nsansmtp_sessions 1\n');
  await mailer.close();
  await server.shutdown(1000);

  const text = await (await get('/metrics?name=any')).text();
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      'sansmtp_sessions 0',
      'sansmtp_sessions_ended_total{listener="smtp",ending="quit"} 1',
      'sansmtp_messages_total{listener="smtp",outcome="accepted"} 1',
      'sansmtp_message_octets_total{listener="smtp"} 7',
      'sansmtp_decision_seconds_count{question="message"} 1',
      'sansmtp_refusals_total{refused="recipient",class="5"} 1',
      'sansmtp_session_seconds_count{listener="smtp"} 1',
      expect.stringMatching(/^process_resident_memory_bytes \d+$/),
    ]),
  );
  expect(text).not.toContain('example');
});

it('is alive as soon as it answers, and ready while whoever knows says so', async () => {
  const { metrics, get } = await started();
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(503);
  let ready: () => Promise<boolean> = async () => true;
  metrics.measure({ sessions: () => 0, isReady: () => ready() });
  expect((await get('/readyz')).status).toBe(200);
  ready = () => Promise.reject(new Error('the store is gone'));
  expect((await get('/readyz')).status).toBe(503);
});

it('has all workers ready only while each of them is', async () => {
  const [first, second] = [await countFigures(), await countFigures()];
  const both = async () => {
    const each = [await first.registry.getMetricsAsJSON(), await second.registry.getMetricsAsJSON()];
    return areReady(await AggregatorRegistry.aggregate(each).metrics());
  };
  first.measure({ sessions: () => 0, isReady: async () => true });
  expect(await both()).toBe(false);
  second.measure({ sessions: () => 0, isReady: async () => true });
  expect(await both()).toBe(true);
  second.measure({ sessions: () => 0, isReady: () => Promise.reject(new Error('the store is gone')) });
  expect(await both()).toBe(false);
});

it('has nothing else, and only to be read', async () => {
  const { get } = await started();
  expect((await get('/')).status).toBe(404);
  const posted = await get('/metrics', 'POST');
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

it('rejects with what the system says where the port is taken', async () => {
  const { metrics } = await started();
  const port = Number(/:(\d+)\n/.exec(metrics.listening)?.[1]);
  await expect(startMetrics(port)).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
