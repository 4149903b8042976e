/** The types that an application meets: the state of a session, and what handlers take. Looked at by the compiler. */
import type { AuthenticationAttempt, Envelope, Hello, TlsInformation } from '@sansmtp/core';
import { describe, expectTypeOf, it } from 'vitest';
import type { ServerConnection } from '../serving/server-connection.js';
import { serveSession } from '../serving/server-driver.js';
import type { HandlerResult, IncomingMessage, ServerHandlers, ServerSessionInformation } from './handlers.js';

interface Mailbox {
  readonly quota: number;
}

/** As `serveSession` and `startMailServer` take them. */
function handling<State>(handlers: ServerHandlers<State>): ServerHandlers<State> {
  return handlers;
}

describe('the state of a session', () => {
  it('is what createState makes, in every handler', () => {
    const handlers = handling({
      createState(session) {
        expectTypeOf(session).toEqualTypeOf<ServerSessionInformation<undefined>>();
        return { quota: 3 };
      },
      onConnect({ state }) {
        expectTypeOf(state).toEqualTypeOf<{ quota: number }>();
      },
      onRcptTo(_recipient, _envelope, { state }) {
        expectTypeOf(state).toEqualTypeOf<{ quota: number }>();
      },
      onMessage(_message, { state }) {
        expectTypeOf(state).toEqualTypeOf<{ quota: number }>();
      },
      onClose({ state }) {
        expectTypeOf(state).toEqualTypeOf<{ quota: number }>();
      },
    });
    expectTypeOf(handlers).toEqualTypeOf<ServerHandlers<{ quota: number }>>();
  });

  it('is of a type that is given, and may be set', () => {
    expectTypeOf<ServerSessionInformation<Mailbox>['state']>().toEqualTypeOf<Mailbox>();
    const onConnect: ServerHandlers<Mailbox>['onConnect'] = (session) => {
      session.state = { quota: 4 };
      // @ts-expect-error: no state of this application's
      session.state = { quota: 'none' };
    };
    expectTypeOf(onConnect).not.toBeAny();
  });

  it('is unknown where nobody says anything, and never any', () => {
    expectTypeOf<ServerSessionInformation['state']>().toBeUnknown();
    handling({
      onMessage(_message, { state }) {
        expectTypeOf(state).toBeUnknown();
      },
    });
  });

  it('must be of the type that the handlers take', () => {
    // @ts-expect-error: createState makes something else
    expectTypeOf<{ createState(): string }>().toExtend<Pick<ServerHandlers<Mailbox>, 'createState'>>();
  });
});

describe('handlers', () => {
  it('take what they decide on, and the session', () => {
    type Handlers = Required<ServerHandlers<Mailbox>>;
    type Session = ServerSessionInformation<Mailbox>;
    expectTypeOf<Handlers['onConnect']>().parameters.toEqualTypeOf<[session: Session]>();
    expectTypeOf<Handlers['onSecure']>().parameters.toEqualTypeOf<[tls: TlsInformation, session: Session]>();
    expectTypeOf<Handlers['onHello']>().parameters.toEqualTypeOf<[hello: Hello, session: Session]>();
    expectTypeOf<Handlers['onAuth']>().parameter(0).toEqualTypeOf<AuthenticationAttempt>();
    expectTypeOf<Handlers['onRcptTo']>().parameter(1).toEqualTypeOf<Envelope>();
    expectTypeOf<Handlers['onMessage']>().parameter(0).toEqualTypeOf<IncomingMessage>();
    expectTypeOf<Handlers['onError']>().parameter(0).toBeUnknown();
  });

  it('need onMessage alone, and may return promises', () => {
    expectTypeOf<{ onMessage(): void }>().toExtend<ServerHandlers>();
    expectTypeOf<{ onMessage(): Promise<void>; onHello(): Promise<void> }>().toExtend<ServerHandlers>();
    expectTypeOf<HandlerResult>().not.toBeAny();
    // @ts-expect-error: without onMessage there is nobody to take the mail
    expectTypeOf<Record<never, never>>().toExtend<ServerHandlers>();
    // @ts-expect-error: a boolean decides nothing
    expectTypeOf<{ onMessage(): void; onHello(): boolean }>().toExtend<ServerHandlers>();
  });

  it('are taken with any state', () => {
    expectTypeOf(serveSession<Mailbox>)
      .parameter(1)
      .toEqualTypeOf<ServerHandlers<Mailbox>>();
    expectTypeOf(serveSession).returns.toEqualTypeOf<ServerConnection>();
  });
});
