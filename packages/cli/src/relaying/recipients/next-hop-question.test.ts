import { Rejection, type ServerHandlers } from '@sansmtp/transport';
import { startMailServer } from '@sansmtp/transport-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nextHopQuestions } from './next-hop-question.js';

const ask = nextHopQuestions({ hostname: 'relay.example' });
const ANN = { localPart: 'ann', domain: 'example.org' };

async function nextHop(protocol: 'smtp' | 'lmtp', handlers: Partial<ServerHandlers>) {
  const said: string[] = [];
  const server = await startMailServer({
    addresses: [{ port: 0 }],
    session: { protocol },
    handlers: { onMessage: () => {}, ...handlers },
    observer: {
      command: ({ line }) => said.push(line),
      message: ({ outcome }) => said.push(outcome),
    },
  });
  onTestFinished(() => server.shutdown(0));
  const [address] = server.addresses;
  const port = address?.kind === 'tcp' ? address.port : 0;
  return { hop: { protocol, host: '127.0.0.1', port }, said };
}

describe.each(['smtp', 'lmtp'] as const)('a next hop that speaks %s', (protocol) => {
  it('knows a recipient that it takes, and gets no message', async () => {
    const { hop, said } = await nextHop(protocol, {});
    expect(await ask(hop, ANN)).toEqual({ kind: 'exists' });
    expect(said).toContain('MAIL FROM:<>');
    expect(said).toContain('RCPT TO:<ann@example.org>');
    expect(said).not.toContain('accepted');
  });

  it('does not know one that it refuses for good', async () => {
    const { hop } = await nextHop(protocol, {
      onRcptTo() {
        throw new Rejection(550, '5.1.1', 'No such mailbox');
      },
    });
    expect(await ask(hop, ANN)).toEqual({ kind: 'unknown', words: '550 5.1.1 No such mailbox' });
  });

  it('has not decided by 4yz, nor by refusing us altogether', async () => {
    const greylisting = await nextHop(protocol, {
      onRcptTo() {
        throw new Rejection(450, '4.2.0', 'Later');
      },
    });
    expect(await ask(greylisting.hop, ANN)).toMatchObject({ kind: 'undecided' });
    const hostile = await nextHop(protocol, {
      onMailFrom() {
        throw new Rejection(550, '5.7.1', 'Not from you');
      },
    });
    expect(await ask(hostile.hop, ANN)).toMatchObject({ kind: 'undecided' });
  });
});

it('that cannot be reached has not decided', async () => {
  const { hop } = await nextHop('smtp', {});
  expect(await ask({ ...hop, port: 1 }, ANN)).toMatchObject({
    kind: 'undecided',
    words: expect.stringContaining('ECONNREFUSED'),
  });
});
