/**
 * Relays under load that are killed, stand still for longer than their leases, and lose their database, while the hosts behind them
 * refuse, stall and drop. When the time is over the hosts calm down, the relays run on until their queue is empty, and all that
 * was recorded is judged. Nothing but a long limit for the whole depends on how fast that goes.
 */
import { expect } from 'vitest';
import { freePort } from '../ports.js';
import { run, sansmtp, until } from '../processes.js';
import { diceOf } from './dice.js';
import { judge } from './judgement.js';
import { startLoad } from './load.js';
import { isRefused, startSink } from './sink.js';
import { type SupervisedRelay, superviseRelay } from './supervised-relay.js';

/** Seconds of faults: as a test of every commit, or as `npm run chaos -- --minutes` says. */
const SECONDS = Number(process.env.CHAOS_MINUTES ?? 0.5) * 60;

/** Said in the output, for the next run to begin with the same. */
const SEED = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000);

/** Milliseconds for the test as a whole. A machine that is busy with other things takes many times what it would. */
export const LIMIT = SECONDS * 1000 + 900_000;

/** Seconds of a lease, and how long a relay stands still. */
const LEASE = 3;
const STANDSTILL = 5;

/** Recipients whose mail may be under way at a time: so the end comes soon after the faults. */
const UNDER_WAY = 500;

/** Clients to each relay. */
const CLIENTS = 5;

/** Milliseconds between looks at the queue in the end. */
const LOOK = 3000;

export interface Surroundings {
  /** One for each relay: the options that say where its queue is. */
  readonly queues: readonly (readonly string[])[];
  /** What else befalls them, by name. */
  readonly disasters: Readonly<Record<string, () => Promise<void>>>;
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export async function survive({ queues, disasters }: Surroundings): Promise<void> {
  const dice = diceOf(SEED);
  const arrivals = new Map<string, number>();
  const notifications = new Map<string, { to: string; times: number }>();
  const bounced = new Set<string>();
  const unknown = new Map<string, number>();
  const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

  const mail = await startSink(dice, (recipients) => {
    for (const recipient of recipients) count(arrivals, recipient);
  });
  const home = await startSink(dice, ([to = ''], text) => {
    const id = /^Message-ID: (.*)$/im.exec(text)?.[1] ?? '';
    const { times = 0 } = notifications.get(id) ?? {};
    notifications.set(id, { to, times: times + 1 });
    for (const [, recipient = ''] of text.matchAll(/^Final-Recipient: rfc822; ?(.*)$/gim))
      bounced.add(recipient.trim());
  });
  const routes = { 'one.example': mail, 'two.example': mail, 'home.example': home };
  const ports = await Promise.all(queues.map(() => freePort()));
  const relays = await Promise.all(
    queues.map((queue, index) => {
      const listening = ['--port', `${ports[index]}`, '--hostname', `relay${index}.example`, '--json'];
      const onward = Object.entries(routes).flatMap(([name, { port }]) => [
        '--route',
        `${name}=127.0.0.1:${port}`,
      ]);
      const times = ['--retry', '0.5,1', '--lease', `${LEASE}`];
      const words = [
        ...listening,
        ...onward,
        ...times,
        '--relay-from',
        '127.0.0.1',
        '--no-recipient-check',
        ...queue,
      ];
      const itsQueueAway = 'crashOfTheDatabase' in disasters;
      return superviseRelay(`relay ${index}`, words, (recipient) => count(unknown, recipient), {
        itsQueueAway,
      });
    }),
  );
  const load = startLoad(
    ports,
    CLIENTS,
    dice,
    (accepted) => accepted - arrivals.size - bounced.size < UNDER_WAY,
  );

  const faults = new Map<string, number>();
  const one = (): SupervisedRelay => relays[dice.between(0, relays.length - 1)] as SupervisedRelay;
  const kinds: Readonly<Record<string, () => Promise<void>>> = {
    async kill() {
      const relay = one();
      relay.signal('SIGKILL');
      await relay.listening();
    },
    async standStill() {
      const relay = one();
      relay.signal('SIGSTOP');
      await sleep(STANDSTILL * 1000);
      relay.signal('SIGCONT');
    },
    ...disasters,
  };
  const names = Object.keys(kinds);
  const weights = Object.fromEntries(names.map((name) => [name, name === 'kill' ? 3 : 1]));
  // Each kind at least once, however short the time.
  const planned = [...names];
  const end = performance.now() + SECONDS * 1000;
  while (performance.now() < end || planned.length > 0) {
    const before = load.messages;
    await sleep(dice.between(200, 2500));
    // It is to meet relays that do something.
    await until(() => load.messages > before + 10);
    const name = planned.shift() ?? dice.pick(weights);
    count(faults, name);
    await kinds[name]?.();
  }

  const calm = performance.now();
  await load.stop();
  mail.calmDown();
  home.calmDown();
  await Promise.all(relays.map((relay) => relay.listening()));
  // What could not be stored as committing waits for a minute; here nobody has that time.
  const care = async (...words: string[]) => {
    const { exit, stdout, stderr } = await run(...sansmtp('queue', ...words, ...placeOf(queues)));
    if (exit !== 0) throw new Error(`sansmtp queue ended with ${exit}: ${stderr}`);
    return stdout;
  };
  const isAllDone = () =>
    [...load.accepted].every((recipient) => arrivals.has(recipient) || bounced.has(recipient));
  for (;;) {
    const later = performance.now() + LOOK;
    await until(() => isAllDone() || performance.now() > later);
    // Each of these is a process, which costs more than anything else here.
    if (isAllDone() && (await care('list', '--json')) === '') break;
    await care('retry', '--all');
  }

  const duplicates = [...arrivals.values()].reduce((sum, times) => sum + times - 1, 0);
  const figures = {
    seed: SEED,
    messages: load.messages,
    unanswered: load.unanswered,
    recipients: load.accepted.size,
    arrived: arrivals.size,
    bounced: bounced.size,
    duplicates,
    unknown: [...unknown.values()].reduce((sum, times) => sum + times, 0),
    secondsAfterwards: Math.round((performance.now() - calm) / 1000),
    faults: Object.fromEntries(faults),
    sinks: Object.fromEntries(mail.done),
  };
  console.log(JSON.stringify(figures));
  const problems = judge({ accepted: load.accepted, arrivals, notifications, bounced, unknown, isRefused });
  expect([...problems, ...relays.flatMap(({ endings }) => endings)]).toEqual([]);
  // Else it has shown nothing.
  expect(duplicates, 'duplicates that a fault has caused').toBeGreaterThan(0);
  expect(bounced.size).toBeGreaterThan(0);
}

/** Any of them: they share it. */
function placeOf([first = []]: readonly (readonly string[])[]): readonly string[] {
  const at = first.indexOf('--queue');
  return first.slice(at, at + 2);
}
