/** What a handler may know of the session that asks it. */
import type { ServerSession } from '@sansmtp/core';
import type { PeerInformation } from './byte-stream.js';
import type { ServerSessionInformation } from './handlers.js';

/** As it is when the handler looks. */
export class LiveInformation implements ServerSessionInformation {
  spokeEarly = false;
  readonly #session: ServerSession;
  readonly #peer: PeerInformation;

  constructor(session: ServerSession, peer: PeerInformation) {
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

  get hello() {
    return this.#session.hello;
  }

  get tls() {
    return this.#session.tls;
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
