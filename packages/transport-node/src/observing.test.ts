import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect } from 'node:net';
import type {
  ServerEvent,
  ServerHandlers,
  ServerObserver,
  ServerSessionInformation,
} from '@sansmtp/transport';
import { describe, expect, expectTypeOf, it, onTestFinished, vi } from 'vitest';
import { type MailServer, type MailServerOptions, startMailServer } from './listening/mail-server.js';

async function started<State>(options: MailServerOptions<State>): Promise<MailServer> {
  const server = await startMailServer(options);
  onTestFinished(() => server.shutdown(0));
  return server;
}

/** Says this at the address of this index; gives back what was heard once the server has closed. */
async function say(server: MailServer, words: string, index = 0): Promise<string> {
  const address = server.addresses[index];
  const socket = connect({ host: '127.0.0.1', port: address?.kind === 'tcp' ? address.port : 0 });
  let heard = '';
  socket.on('data', (bytes) => {
    heard += bytes;
  });
  socket.write(words);
  await once(socket, 'close');
  return heard;
}

const MESSAGE = 'EHLO c\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nHello\r\n.\r\nQUIT\r\n';

describe('an observer', () => {
  it('is told of a session from its beginning to its end, with the session', async () => {
    const events: ServerEvent[] = [];
    const sessions = new Set<ServerSessionInformation>();
    const server = await started({
      addresses: [{ port: 0, label: 'mx' }],
      handlers: { onMessage() {} },
      observer: (event, session) => {
        events.push(event);
        sessions.add(session);
      },
    });
    await say(server, MESSAGE);
    await vi.waitFor(() => expect(events.at(-1)?.type).toBe('closed'), 20_000);
    expect(events[0]?.type).toBe('opened');
    expect(events.at(-1)).toMatchObject({ ending: 'quit', octetsReceived: MESSAGE.length });
    expect(events.find(({ type }) => type === 'message')).toMatchObject({ outcome: 'accepted', size: 7 });
    const [session, ...others] = sessions;
    expect(others).toEqual([]);
    expect(session).toMatchObject({ listener: 'mx', local: { address: '127.0.0.1' } });
    expect(session?.id).toMatch(/^[\da-z]+-[\da-z]+$/);
  });

  it('may be an object with functions for the kinds of events that it wants', async () => {
    const told: unknown[] = [];
    const observer: ServerObserver = {
      message(event, session) {
        expectTypeOf(event.outcome).toEqualTypeOf<'accepted' | 'refused' | 'abandoned'>();
        told.push([event.type, event.outcome, session.listener, this === observer]);
      },
      closed: ({ ending }) => void told.push(ending),
    };
    const handlers = { onMessage() {} };
    const server = await started({ addresses: [{ port: 0, label: 'mx' }], handlers, observer });
    await say(server, MESSAGE);
    await vi.waitFor(() => expect(told).toEqual([['message', 'accepted', 'mx', true], 'quit']), 20_000);
  });

  it('that throws, or rejects, changes nothing: onError is told', async () => {
    const onError = vi.fn();
    const fault = new Error('The log is full');
    const server = await started({
      addresses: [{ port: 0 }],
      handlers: { onMessage() {}, onError },
      observer: (event) => {
        if (event.type === 'command') throw fault;
        if (event.type === 'reply') return Promise.reject(fault) as never;
      },
    });
    expect(await say(server, MESSAGE)).toMatch(/^221/m);
    expect(onError).toHaveBeenCalledWith(fault, expect.anything());
  });

  it('may be a subscriber of a channel', async () => {
    const told: unknown[] = [];
    const listen = (message: unknown) => told.push(message);
    channel('sansmtp:server:closed').subscribe(listen);
    onTestFinished(() => {
      channel('sansmtp:server:closed').unsubscribe(listen);
    });
    const server = await started({ addresses: [{ port: 0 }], handlers: { onMessage() {} } });
    await say(server, 'QUIT\r\n');
    await vi.waitFor(() => expect(told).toMatchObject([{ event: { type: 'closed' }, session: {} }]), 20_000);
  });
});

describe('AsyncLocalStorage', () => {
  it('reaches the handlers by a store that is bound to the channel of sessions', async () => {
    const storage = new AsyncLocalStorage<{ readonly id: string }>();
    const sessions = channel('sansmtp:server:session');
    sessions.bindStore(storage, (message) => (message as { session: { id: string } }).session);
    onTestFinished(() => {
      sessions.unbindStore(storage);
    });
    const seen: unknown[] = [];
    const server = await started({
      addresses: [{ port: 0 }],
      handlers: {
        async onMailFrom(_, { id }) {
          await undefined;
          seen.push(storage.getStore()?.id === id);
        },
        onMessage: (_, { id }) => void seen.push(storage.getStore()?.id === id),
      },
    });
    await say(server, MESSAGE);
    expect(seen).toEqual([true, true]);
  });
});

describe('session.state', () => {
  it('is made for each session, and typed', async () => {
    const seen: number[] = [];
    const handlers: ServerHandlers<{ count: number }> = {
      createState: () => ({ count: 1 }),
      onMailFrom(_, session) {
        expectTypeOf(session.state).toEqualTypeOf<{ count: number }>();
        session.state.count += 1;
      },
      onMessage: (_, { state }) => void seen.push(state.count),
    };
    const server = await started({ addresses: [{ port: 0 }], handlers });
    await say(server, MESSAGE);
    await say(server, MESSAGE);
    expect(seen).toEqual([2, 2]);
  });
});

describe('a server', () => {
  it('may have handlers of their own at each address', async () => {
    const seen: string[] = [];
    const at = (name: string): ServerHandlers => ({ onMessage: () => void seen.push(name) });
    const server = await started({
      addresses: [{ port: 0, handlers: at('mx') }, { port: 0 }],
      handlers: at('all'),
    });
    await say(server, MESSAGE, 0);
    await say(server, MESSAGE, 1);
    expect(seen).toEqual(['mx', 'all']);
  });

  it.each([{}, { handlers: {} }, { handlers: { onMessage: 'x' } }])(
    'is refused without an onMessage: %j',
    async (wrong) => {
      await expect(startMailServer({ addresses: [{ port: 0 }], ...(wrong as object) })).rejects.toThrow(
        TypeError,
      );
    },
  );

  it('tells of its connections, and ends one', async () => {
    const server = await started({ addresses: [{ port: 0 }], handlers: { onMessage() {} } });
    const heard = say(server, 'EHLO c\r\n');
    await vi.waitFor(() => expect([...server.connections][0]?.state).toBe('session.ready'), 20_000);
    const [connection] = server.connections;
    expect(server.connections.size).toBe(1);
    expect(connection).toMatchObject({ octetsReceived: 8, information: { peer: { address: '127.0.0.1' } } });
    expect(connection?.age).toBeGreaterThanOrEqual(0);
    connection?.shutdown();
    expect(await heard).toMatch(/^421 4\.3\.2/m);
  });

  it.each(['throws', 'rejects'])('goes on when all that it is given %s', async (how) => {
    const stderr = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => stderr.mockRestore());
    const fail = (): never => {
      if (how === 'throws') throw new Error('A fault');
      return Promise.reject(new Error('A fault')) as never;
    };
    const server = await started({
      addresses: [{ port: 0, onError: fail }],
      handlers: { onMessage() {}, onClose: fail, onMailFrom: fail, onError: fail },
      observer: fail,
      onExcess: fail,
      session: { onTransition: fail },
    });
    expect(await say(server, MESSAGE)).toMatch(/^451 4\.3\.0[\s\S]*^221/m);
    expect(await say(server, 'QUIT\r\n')).toMatch(/^221/m);
    expect(stderr).toHaveBeenCalled();
  });
});
