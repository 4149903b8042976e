/** A queue as it would use the mailer: the schedule of five days, on virtual time, and the notifications on its way. */
import { describe, expect, it } from 'vitest';
import { writeDeliveryStatusNotification } from '../notifications/delivery-status-notification.js';
import { nextAttempt } from '../notifications/retry-schedule.js';
import {
  type Answer,
  envelopeTo,
  expectNothingLeft,
  mailing,
  type Network,
  resolverOf,
} from './scripted-network.test-support.js';

expectNothingLeft();

const A = '192.0.2.1';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';

/** Not those whose recipients were all refused: pipelined, the final dot ends nothing then. */
const takenBy = ({ connections }: Network) =>
  connections.flatMap(({ messages }) => messages.filter(({ recipients }) => recipients.length > 0));

/** Until the message is delivered, or given up. */
async function queue(reply: (command: string, time: number) => Answer) {
  const { mailer, network } = mailing(
    { [A]: { reply: (command) => reply(command, network.clock.now() - start) } },
    { resolver: resolverOf({ 'b.example': [A] }) },
  );
  const { clock } = network;
  const envelope = envelopeTo('r@b.example');
  const start = clock.now();
  const triedAt: number[] = [];
  const notifications: { readonly at: number; readonly text: string }[] = [];
  let warned = false;
  for (;;) {
    triedAt.push(clock.now() - start);
    const [outcome] = await network.run(mailer.send(envelope, MESSAGE));
    if (outcome === undefined || outcome.verdict === 'delivered') return { network, triedAt, notifications };
    const attempts = triedAt.length;
    const next = nextAttempt({ firstTriedAt: start, attempts, now: clock.now(), warned });
    if (next.kind === 'giveUp' || next.warn) {
      const notification = writeDeliveryStatusNotification(
        {
          reversePath: envelope.reversePath,
          parameters: {},
          recipients: [
            {
              forwardPath: outcome.recipient,
              parameters: {},
              action: next.kind === 'giveUp' ? 'failed' : 'delayed',
              status: next.kind === 'giveUp' ? '5.4.7' : (outcome.enhancedCode ?? '4.0.0'),
              ...(outcome.reply && { diagnostic: outcome.reply }),
              ...(next.kind === 'retry' && { willRetryUntil: new Date(start + 5 * DAY) }),
            },
          ],
        },
        { hostname: 'a.example', id: `n${attempts}`, date: new Date(clock.now()) },
      );
      let text = '';
      for await (const chunk of notification?.body ?? []) text += Buffer.from(chunk).toString();
      notifications.push({ at: clock.now() - start, text });
      warned = true;
    }
    if (next.kind === 'giveUp') return { network, triedAt, notifications };
    await clock.advanceAsync(next.at - clock.now());
  }
}

describe('mail that is tried again by the schedule', () => {
  it('is delivered when a server that defers for three days takes it, with one word of the delay', async () => {
    const { network, triedAt, notifications } = await queue((command, time) =>
      command.startsWith('RCPT') && time < 3 * DAY ? '451 4.2.1 Come back later' : undefined,
    );
    expect(triedAt.slice(0, 3).map((time) => Math.round(time / HOUR / 0.5))).toEqual([0, 1, 2]);
    expect(triedAt.at(-2)).toBeLessThan(3 * DAY);
    expect(triedAt.at(-1)).toBeGreaterThanOrEqual(3 * DAY);
    expect(triedAt.at(-1)).toBeLessThan(3 * DAY + 5 * HOUR);
    expect(takenBy(network)).toHaveLength(1);
    expect(notifications).toHaveLength(1);
    expect(notifications[0]?.at).toBeGreaterThanOrEqual(4 * HOUR);
    expect(notifications[0]?.at).toBeLessThan(9 * HOUR);
    expect(notifications[0]?.text).toContain('Action: delayed');
    expect(notifications[0]?.text).toContain('Come back later');
  });

  it('is given up after five days by a server that never takes it, and its sender is told', async () => {
    const { network, triedAt, notifications } = await queue((command) =>
      command.startsWith('RCPT') ? '451 4.2.1 Come back later' : undefined,
    );
    expect(triedAt.at(-1)).toBeGreaterThan(5 * DAY - 5 * HOUR);
    expect(triedAt.at(-1)).toBeLessThanOrEqual(5 * DAY);
    expect(network.connections).toHaveLength(triedAt.length);
    expect(takenBy(network)).toEqual([]);
    expect(notifications.map(({ text }) => /^Action: (.*)\r$/m.exec(text)?.[1])).toEqual([
      'delayed',
      'failed',
    ]);
    expect(notifications[1]?.text).toContain('Status: 5.4.7');
  });
});
