import type { Mailer } from '@sansmtp/delivery';
import { expect, it } from 'vitest';
import { RenewableMailer } from './renewable-mailer.js';

/** Mailers that tell what is asked of them. What is sent comes to its end when the test says so. */
function story() {
  const told: string[] = [];
  const ends: (() => void)[] = [];
  let made = 0;
  const make = (): Mailer => {
    const name = `mailer ${++made}`;
    let underWay: Promise<unknown> = Promise.resolve();
    return {
      send() {
        told.push(`${name} sends`);
        const sending = new Promise<void>((resolve) => ends.push(resolve));
        underWay = sending;
        return sending.then(() => []);
      },
      async close({ signal } = {}) {
        told.push(`${name} is to close${signal === undefined ? '' : ' at once'}`);
        if (signal === undefined) await underWay;
        told.push(`${name} is closed`);
      },
    };
  };
  return { told, ends, make };
}

const ENVELOPE = { from: null, to: ['bob@example.com'] };

it('what is under way ends by the mailer that it began with, and what follows goes by the new one', async () => {
  const { told, ends, make } = story();
  const mailer = new RenewableMailer(make);
  const first = mailer.send(ENVELOPE, 'a');
  mailer.renew();
  const second = mailer.send(ENVELOPE, 'b');
  expect(told).toEqual(['mailer 1 sends', 'mailer 1 is to close', 'mailer 2 sends']);
  for (const end of ends) end();
  await Promise.all([first, second]);
  await mailer.close();
  expect(told.slice(3)).toEqual(['mailer 1 is closed', 'mailer 2 is to close', 'mailer 2 is closed']);
});

it('closing does not wait longer for one that leaves than it is told to', async () => {
  const { told, make } = story();
  const mailer = new RenewableMailer(make);
  void mailer.send(ENVELOPE, 'a');
  mailer.renew();
  await mailer.close({ signal: AbortSignal.abort() });
  expect(told).toContain('mailer 1 is to close at once');
});

it('one that cannot be made leaves the old one', async () => {
  const { told, make } = story();
  let isBroken = false;
  const mailer = new RenewableMailer(() => {
    if (isBroken) throw new Error('no');
    return make();
  });
  isBroken = true;
  expect(() => mailer.renew()).toThrow('no');
  void mailer.send(ENVELOPE, 'a');
  expect(told).toEqual(['mailer 1 sends']);
});
