/** A queue has its say before the end of a message goes out; and the verdicts tell it whether the server offers DSN. */
import { describe, expect, it } from 'vitest';
import { envelopeTo, expectNothingLeft, mailing } from './scripted-network.test-support.js';

expectNothingLeft();

const A = '192.0.2.1';
const MESSAGE = 'Subject: test\r\n\r\nHello\r\n';

describe('beforeFinalDot', () => {
  it('is called in each mail transaction that has somebody to deliver to', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A }, recipientsPerTransaction: 2 });
    const taken: number[] = [];
    const verdicts = await network.run(
      mailer.send(envelopeTo('a@b.example', 'b@b.example', 'c@b.example'), MESSAGE, {
        beforeFinalDot: async () => void taken.push(network.connections[0]?.messages.length ?? 0),
      }),
    );
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(['delivered', 'delivered', 'delivered']);
    expect(taken).toEqual([0, 1]);
  });

  it('is told to whom the message may go with it, and to no other', async () => {
    const { mailer, network } = mailing(
      {
        [A]: {
          keywords: ['PIPELINING', 'LIMITS RCPTMAX=2'],
          reply: (command) => (command.startsWith('RCPT') && command.includes('<d@') ? '550 No' : undefined),
        },
      },
      { relay: { host: A } },
    );
    const told: (readonly number[])[] = [];
    const to = ['no address', 'a@b.example', 'b@b.example', 'c@b.example', 'd@b.example'];
    const verdicts = await network.run(
      mailer.send({ from: 'ann@example.org', to }, MESSAGE, {
        beforeFinalDot: async (recipients) => void told.push(recipients),
      }),
    );
    expect(told).toEqual([[1, 2], [3]]);
    const delivered = verdicts.flatMap(({ verdict }, place) => (verdict === 'delivered' ? [place] : []));
    expect(delivered).toEqual([1, 2, 3]);
  });

  it('where it throws, nobody gets the message, and who is left waits', async () => {
    const { mailer, network } = mailing({ [A]: {} }, { relay: { host: A }, recipientsPerTransaction: 1 });
    let calls = 0;
    const error = new Error('The claim 7 is over');
    const verdicts = await network.run(
      mailer.send(envelopeTo('a@b.example', 'b@b.example', 'c@b.example'), MESSAGE, {
        async beforeFinalDot() {
          calls += 1;
          if (calls === 2) throw error;
        },
      }),
    );
    const waiting = {
      verdict: 'deferred',
      phase: 'message',
      enhancedCode: '4.3.0',
      reason: 'The end of the message was not sent: The claim 7 is over',
      error,
    };
    expect(verdicts).toMatchObject([{ verdict: 'delivered' }, waiting, waiting]);
    expect(network.connections[0]?.messages.map(({ recipients }) => recipients)).toEqual([['a@b.example']]);
  });

  it('has to be a function', async () => {
    const { mailer } = mailing({ [A]: {} }, { relay: { host: A } });
    // @ts-expect-error
    const sending = mailer.send(envelopeTo('a@b.example'), MESSAGE, { beforeFinalDot: 1 });
    await expect(sending).rejects.toThrow('beforeFinalDot takes a function');
  });
});

it.each([
  ['offers DSN', ['DSN', 'PIPELINING'], true],
  ['does not', ['PIPELINING'], false],
])(
  'a verdict says whether the server tells the sender itself: one that %s',
  async (_, keywords, offersDsn) => {
    const { mailer, network } = mailing(
      { [A]: { keywords, reply: (command) => (command.includes('<b@') ? '550 No' : undefined) } },
      { relay: { host: A } },
    );
    const verdicts = await network.run(mailer.send(envelopeTo('a@b.example', 'b@b.example'), MESSAGE));
    expect(verdicts).toMatchObject([
      { verdict: 'delivered', offersDsn },
      { verdict: 'rejected', offersDsn },
    ]);
  },
);
