/**
 * The options of a server's driver, checked once for all sessions that have them: what a connection costs is what is its
 * own.
 */
import { PreparedServerOptions, type ServerProtocolEvent, type ServerSessionOptions } from '@sansmtp/core';
import { checkCallees, checkClock } from '../given-options.js';
import type { ServerSessionInformation } from '../handlers/handlers.js';
import { type Audience, serverAudience, wantedOfSession } from '../observing/audience.js';
import type { ServerEvent } from '../observing/observer.js';
import { type ServeOptions, sessionPart } from './server-connection.js';

type ServerAudience = Audience<ServerEvent, ServerSessionInformation>;

/** What a connection decides, where it does. */
export type OwnOptions = Pick<ServerSessionOptions, 'tls' | 'startTls' | 'rephrase'>;

export class SharedOptions {
  readonly given: ServeOptions;
  readonly #session: ServerSessionOptions;
  /** Of all sessions, for those who observed the last of them. */
  #prepared: { readonly audience: ServerAudience; readonly options: PreparedServerOptions } | undefined;

  /** @throws {TypeError} an option is no function, or no clock, where it takes one */
  constructor(options: ServeOptions) {
    checkClock(options?.clock);
    checkCallees(options);
    this.given = options;
    this.#session = sessionPart(options);
  }

  /** Who wants to know of a session that begins now: the channels may have subscribers by now, or none any more. */
  audience(): ServerAudience {
    return serverAudience(this.given.observer);
  }

  /**
   * Options of a session that begins now.
   * @throws as `serveSession` does for its options
   */
  prepared(audience: ServerAudience, own: OwnOptions | undefined): PreparedServerOptions {
    // What the stream cannot do is seldom known so late.
    if (own?.startTls !== undefined) return this.#prepare(audience, own);
    if (this.#prepared?.audience !== audience) {
      this.#prepared = { audience, options: this.#prepare(audience, {}) };
    }
    const { options } = this.#prepared;
    return own === undefined ? options : options.for(own);
  }

  #prepare(audience: ServerAudience, own: OwnOptions): PreparedServerOptions {
    const observe = wantedOfSession<ServerProtocolEvent['type']>(audience);
    return new PreparedServerOptions({
      ...this.#session,
      ...own,
      observe: this.given.onTransition === undefined ? observe : [...observe, 'transition'],
      maximumHeldOctets: Number.MAX_SAFE_INTEGER,
    });
  }
}
