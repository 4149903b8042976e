/**
 * How long an honest delivery takes, from connecting to its verdict, among clients that pipeline NOOP for all they are worth
 * and read the replies. The median counts: on a quiet machine, no more than half a second.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createMailer } from '@sansmtp/delivery';
import { RECIPIENT, SENDER, smallMessage } from '../clients/client-load.js';
import { startServe } from '../peer.js';

const CLIENTS = 20;
const DELIVERIES = 15;
/** Seconds. */
const BAR = 0.5;

/** The server counts such commands, and shows those clients the door; then they come again. */
const SERVERS = [
  { name: 'with its limits', args: [] },
  { name: 'without a limit', args: ['--max-junk', '0'] },
] as const;

/** Prints how long. @returns whether the bar was met */
export async function measureLatency(): Promise<boolean> {
  let met = true;
  console.log(`F: a delivery among ${CLIENTS} clients that pipeline NOOP`);
  for (const { name, args } of SERVERS) {
    const peer = await startServe(name, undefined, args);
    const flood = fork(fileURLToPath(new URL('flood.js', import.meta.url)), [
      String(peer.port),
      String(CLIENTS),
    ]);
    try {
      await once(flood, 'message');
      const seconds: number[] = [];
      for (let delivery = 0; delivery < DELIVERIES; delivery += 1) seconds.push(await deliver(peer.port));
      seconds.sort((one, other) => one - other);
      const median = seconds[Math.floor(DELIVERIES / 2)] ?? Number.NaN;
      const slowest = seconds.at(-1) ?? Number.NaN;
      if (!(median <= BAR)) met = false;
      const verdict = `bar ${BAR.toFixed(2)} s: ${median <= BAR ? 'met' : 'missed'}`;
      console.log(`  ${name.padEnd(16)} ${median.toFixed(3)} s, at most ${slowest.toFixed(3)} s  ${verdict}`);
    } finally {
      flood.kill();
      await peer.stop();
    }
  }
  return met;
}

async function deliver(port: number): Promise<number> {
  const mailer = createMailer({ relay: { host: '127.0.0.1', port }, tls: 'none' });
  const begin = performance.now();
  const [verdict] = await mailer.send({ from: SENDER, to: [RECIPIENT] }, smallMessage(1024) ?? '');
  const seconds = (performance.now() - begin) / 1000;
  await mailer.close();
  if (verdict?.verdict !== 'delivered') throw new Error(`The delivery failed: ${verdict?.reason}`);
  return seconds;
}
