/**
 * The negotiation with the server, as far as it has come: what the server offers, the SASL exchange under way, and what
 * must not be shown from then on.
 *
 * - What was heard before a TLS handshake is void (RFC 3207 §4.2), and so is what was offered before XCLIENT.
 * - What the server said, and what may be done about it, is told here. What is done about it, the chart says.
 */
import { type Limits, parseLimits } from '../../extensions/session/limits.js';
import type { TlsInformation } from '../../tls.js';
import { type Reply, severity } from '../../wire/replies/reply.js';
import type { ClientState, Finding, Negotiable } from '../chart/chart-events.js';
import type { ServerOffer } from '../contract/messages.js';
import type { ResolvedAuthentication, ResolvedClientOptions } from '../contract/options.js';
import type { Discretion } from '../replies/discretion.js';
import type { Authentication, Preparation } from './authentication.js';
import { beginAuthentication, NO_KEYWORDS, negotiableWith, offerIn } from './negotiation.js';

/** Whether what is said in this state belongs to a SASL exchange. */
export function isExchange(state: ClientState): boolean {
  return (
    state === 'session.authentication.preparing' ||
    state === 'session.authentication.responding' ||
    state === 'cancelled'
  );
}

export class Negotiating {
  readonly #options: ResolvedClientOptions;
  /** That protects the connection; undefined: none. */
  tls: TlsInformation | undefined;
  /** What the server offered in reply to the last EHLO or HELO; undefined while that has none. */
  offer: ServerOffer | undefined;
  /** Limits that the server has set (RFC 9422). */
  limits: Limits | undefined;
  /** The SASL exchange under way. */
  authentication: Authentication | undefined;
  /** Of what was said in the SASL exchange; undefined before there was one. */
  discretion: Discretion | undefined;
  #authenticatedBy: string | undefined;

  constructor(options: ResolvedClientOptions) {
    this.#options = options;
    this.tls = options.tls;
  }

  get keywords(): ReadonlyMap<string, string> {
    return this.offer?.keywords ?? NO_KEYWORDS;
  }

  /** What may be negotiated with what the server offers. */
  get negotiable(): Negotiable {
    return negotiableWith(this.#options, this.keywords, this.tls);
  }

  /** What the server offered is void, and so is what it knew of us (RFC 3207 §4.2). */
  forgetOffer(): void {
    this.offer = undefined;
    this.limits = undefined;
    this.#authenticatedBy = undefined;
  }

  /**
   * Takes in what a reply outside of mail transactions says of the server; what is wrong or special with it.
   * @param state in which it came
   * @param isFollowed octets follow it
   */
  takeIn(reply: Reply, state: ClientState, isFollowed: boolean): Finding | undefined {
    const kind = severity(reply.code);
    switch (state) {
      case 'session.identifying':
      case 'session.fallingBack':
        if (kind === 'success') this.#takeOffer(reply, state === 'session.fallingBack');
        return undefined;
      case 'session.startingTls':
        return kind === 'success' && isFollowed ? 'plaintextBehind' : undefined;
      case 'session.authentication.responding':
        if (kind === 'intermediate') return this.authentication?.challenge(reply);
        return kind === 'success' ? this.authentication?.accepted() : undefined;
      default:
        return undefined;
    }
  }

  #takeOffer(reply: Reply, isHelo: boolean): void {
    const verb = isHelo ? 'HELO' : this.#options.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
    this.offer = offerIn(reply, verb, { tls: this.tls, authenticatedBy: this.#authenticatedBy });
    const limits = this.keywords.get('LIMITS');
    this.limits = limits === undefined ? undefined : parseLimits(limits);
  }

  /** Begins the SASL exchange, or takes it on. */
  prepareResponse(): Preparation {
    this.authentication ??= beginAuthentication(
      this.#options.authentication as ResolvedAuthentication,
      this.keywords,
      this.tls,
    );
    this.discretion = this.authentication.discretion;
    return this.authentication.prepare();
  }

  /** The server let us in. */
  acknowledge(): void {
    this.#authenticatedBy = this.authentication?.mechanism;
    this.authentication = undefined;
    if (this.offer !== undefined) this.offer = { ...this.offer, authenticatedBy: this.#authenticatedBy };
  }
}
