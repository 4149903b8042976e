/**
 * The transitions of the client chart that more than one phase has: how the session fails, and how it ends.
 */

import type { SessionFailure } from '../envelope/outcomes.js';
import type { FixedLine, NegotiatedKeyword } from './chart-events.js';

export const READY = '#client.session.ready';
export const STARTING_TLS = '#client.session.startingTls';
export const AUTHENTICATION = '#client.session.authentication';
export const SUBSTITUTING = '#client.session.substituting';
export const FORWARDING = '#client.session.forwarding';
export const DRAINING = '#client.session.transaction.draining';
export const RESETTING = '#client.session.resetting';
export const REFUSED = '#client.refused';
export const CANCELLED = '#client.cancelled';
export const CLOSING = '#client.closing';
export const CLOSED = '#client.closed';

export const write = <const Command extends FixedLine>(command: Command) =>
  ({ type: 'write', params: { command } }) as const;
export const fail = <const Kind extends SessionFailure['kind']>(kind: Kind) =>
  ({ type: 'fail', params: { kind } }) as const;
export const notOffered = <const Keyword extends NegotiatedKeyword>(keyword: Keyword) =>
  ({ type: 'fail', params: { kind: 'notOffered', keyword } }) as const;

/** Nothing came in time. A server that is silent for so long is not asked for a farewell. */
export const timedOut = <const Section extends string>(section: Section) =>
  ({ target: CLOSED, actions: fail('timeout'), description: section }) as const;

/** The server will not serve us: it is told QUIT, as RFC 5321 §3.1 has it. */
export const refuseSession = <const Section extends string>(section: Section) =>
  ({ target: REFUSED, actions: fail('refused'), description: section }) as const;

/** The connection ended while something was still to be said. */
export const lost = { target: CLOSED, actions: fail('lost'), description: 'RFC 5321 §4.1.1.10' } as const;

/** The connection ended once nothing was to be said any more: nothing fails. */
export const ended = { target: CLOSED, description: 'RFC 5321 §4.1.1.10' } as const;

/** Octets that make up no reply, once nothing was to be said any more. */
export const unreadable = { target: CLOSED, description: 'RFC 5321 §4.2' } as const;

/** The host's or the peer's TLS did not come to stand: nothing more can be said on this connection. */
export const tlsFailed = { target: CLOSED, actions: fail('tls'), description: 'RFC 3207 §4.1' } as const;
