/**
 * Other protocols that come to an SMTP port. An HTTP request may be a browser's, made by somebody else's page, with a
 * body that speaks SMTP (cross-protocol scripting); a TLS ClientHello comes from a client that takes the port for one
 * of implicit TLS, and would wait for an answer for as long as it may.
 */
import type { InboundLine } from './inbound.js';

/** What was spoken in the place of SMTP. */
export type ForeignProtocol = 'HTTP' | 'TLS';

/** RFC 9110 §9, RFC 5789. None of them is a command of SMTP. */
const HTTP_METHOD = /^(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH) /i;

/** RFC 9112 §3: with any method. */
const HTTP_REQUEST_LINE = /^\S+ \S+ HTTP\/\d/i;

/** RFC 8446 §5.1: a record of the type handshake. */
const TLS_HANDSHAKE = 22;
const TLS_MAJOR_VERSION = 3;

/** Octets of a line: as many arguments as an engine surely takes, where `maximumCommandLength` is a large number. */
const LOOKED_AT = 16_384;

/** What a line that is no command belongs to; undefined if that is nothing known. */
export function foreignProtocolOf(line: InboundLine): ForeignProtocol | undefined {
  const octets = line.kind === 'line' ? line.octets : line.beginning;
  if (beginsTls(octets)) return 'TLS';
  const text = String.fromCharCode(...octets.subarray(0, LOOKED_AT));
  return HTTP_METHOD.test(text) || HTTP_REQUEST_LINE.test(text) ? 'HTTP' : undefined;
}

/** Whether a line that has yet to end begins as a TLS record does: it has no line end to be waited for. */
export function beginsTls(octets: Uint8Array | undefined): boolean {
  return octets?.[0] === TLS_HANDSHAKE && octets[1] === TLS_MAJOR_VERSION;
}
