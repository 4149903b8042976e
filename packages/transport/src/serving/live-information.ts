/** What a handler and an observer may know of a server's session, as it is when they look. */
import type { ServerSession, ServerState } from '@sansmtp/core';
import type { ServerSessionInformation } from '../handlers/handlers.js';
import type { PeerInformation } from '../streams/byte-stream.js';
import type { Arrival } from '../streams/session-information.js';

const NOWHERE: PeerInformation = {};

/** As it is when the handler looks. */
export class LiveInformation implements ServerSessionInformation {
  spokeEarly = false;
  readonly id: string;
  readonly local: PeerInformation;
  readonly listener: string | undefined;
  state: unknown;
  readonly #session: ServerSession;
  readonly #peer: PeerInformation;

  constructor(session: ServerSession, { id, peer, local = NOWHERE, listener }: Arrival) {
    this.id = id;
    this.local = local;
    this.listener = listener;
    this.#session = session;
    this.#peer = peer;
  }

  get peer(): PeerInformation {
    const { address, port } = this.#session.client ?? {};
    if (address === undefined) return this.#peer;
    // Whoever it is, it is not the proxy: nothing that the proxy may do is for it.
    if (typeof address !== 'string') return {};
    return typeof port === 'number' ? { address, port } : { address };
  }

  get chartState(): ServerState {
    return this.#session.state;
  }

  get hello() {
    return this.#session.hello;
  }

  get tls() {
    return this.#session.tls;
  }

  get serverName() {
    return this.#session.tls?.serverName;
  }

  get identity() {
    return this.#session.identity;
  }

  get client() {
    return this.#session.client;
  }

  get forwarded() {
    return this.#session.forwarded;
  }
}

/** For a connection that no session serves: it was refused, or its TLS handshake failed. */
export function withoutSession({ id, peer, local = NOWHERE, listener }: Arrival): ServerSessionInformation {
  return {
    id,
    peer,
    local,
    listener,
    chartState: 'closed',
    spokeEarly: false,
    state: undefined,
    tls: undefined,
    serverName: undefined,
    identity: undefined,
    client: undefined,
    forwarded: undefined,
    hello: undefined,
  };
}
