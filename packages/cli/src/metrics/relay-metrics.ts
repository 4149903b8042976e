/**
 * What is counted of a relay. A sender can name any domain: the first hundred destinations have series of their own, the
 * others share one.
 */
import type { QueueCount, QueueStore, RelayEvent } from '@sansmtp/queue';
import type { Registry } from 'prom-client';

const MAXIMUM_DESTINATIONS = 100;
const OTHERS = 'others';

/** All workers look at the same queue: theirs is not to be added up. */
const aggregator = 'max';

/** Seconds: of an attempt, and from arrival to delivery. */
const ATTEMPT_BUCKETS = [0.01, 0.05, 0.25, 1, 5, 30, 120, 600];
const AGE_BUCKETS = [0.1, 1, 10, 60, 600, 3600, 14_400, 86_400, 432_000];

const STATES = ['waiting', 'held', 'delivering'] as const;

/** @param always destinations that have their series whatever else comes: those of the options */
export async function relayMetrics(
  registry: Registry,
  store: Pick<QueueStore, 'count'>,
  always: Iterable<string>,
): Promise<(event: RelayEvent) => void> {
  const { Counter, Gauge, Histogram } = await import('prom-client');
  const registers = [registry];
  const named = new Set(always);
  const limit = named.size + MAXIMUM_DESTINATIONS;
  const labelOf = (destination: string): string => {
    if (named.size < limit) named.add(destination);
    return named.has(destination) ? destination : OTHERS;
  };

  /** One look at the queue for all that are read at the same time. Where it does not answer, the other figures are still told. */
  let counting: Promise<QueueCount | undefined> | undefined;
  const count = (): Promise<QueueCount | undefined> => {
    counting ??= store
      .count()
      .catch(() => undefined)
      .finally(() => {
        counting = undefined;
      });
    return counting;
  };
  new Gauge({
    name: 'sansmtp_queue_messages',
    help: 'Messages in the queue, by their state',
    labelNames: ['state'],
    registers,
    aggregator,
    async collect() {
      const counted = await count();
      for (const state of STATES) this.set({ state }, counted?.[state] ?? Number.NaN);
    },
  });
  new Gauge({
    name: 'sansmtp_queue_octets',
    help: 'Octets of the messages in the queue',
    registers,
    aggregator,
    async collect() {
      this.set((await count())?.octets ?? Number.NaN);
    },
  });
  new Gauge({
    name: 'sansmtp_queue_oldest_seconds',
    help: 'Age of the oldest message in the queue, by its state',
    labelNames: ['state'],
    registers,
    aggregator,
    async collect() {
      const counted = await count();
      for (const state of STATES) {
        const arrived = counted?.oldest[state];
        const age = arrived === undefined ? 0 : Math.max(0, Date.now() - arrived) / 1000;
        this.set({ state }, counted === undefined ? Number.NaN : age);
      }
    },
  });
  const deliveries = new Counter({
    name: 'sansmtp_deliveries_total',
    help: 'Attempts, a recipient each, by what they came to',
    labelNames: ['verdict', 'destination'],
    registers,
  });
  const bounces = new Counter({
    name: 'sansmtp_bounces_total',
    help: 'Recipients that were given up',
    registers,
  });
  const attempt = new Histogram({
    name: 'sansmtp_attempt_seconds',
    help: 'How long an attempt took',
    buckets: ATTEMPT_BUCKETS,
    registers,
  });
  const age = new Histogram({
    name: 'sansmtp_delivery_seconds',
    help: 'From the arrival of a message here to its delivery',
    buckets: AGE_BUCKETS,
    registers,
  });
  const down = new Counter({
    name: 'sansmtp_destinations_down_total',
    help: 'Destinations that went down',
    registers,
  });

  return (event) => {
    if (event.type === 'destinationDown') down.inc();
    if (event.type !== 'recipient') return;
    deliveries.inc({ verdict: event.verdict, destination: labelOf(event.destination) });
    attempt.observe(event.duration / 1000);
    if (event.state === 'bounced') bounces.inc();
    if (event.state === 'delivered') age.observe(event.age / 1000);
  };
}
