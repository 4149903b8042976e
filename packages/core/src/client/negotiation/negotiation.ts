/**
 * What a client negotiates before `ready`: what the server offered, compared with what the options want.
 *
 * - Everything is asked of the last offer: what was offered before TLS, or before XCLIENT, is void (RFC 3207 §4.2).
 * - What was done already, and what comes first, the chart knows.
 * - Credentials are shown only where nobody can listen, unless the options allow it (RFC 4954 §9).
 */
import { type AttributeVerb, formatClientAttributes } from '../../extensions/session/client-attributes.js';
import { fittingMechanisms, strongestMechanism } from '../../sasl/client-mechanisms.js';
import type { ClientMechanism, MechanismName } from '../../sasl/exchange/exchange.js';
import type { TlsInformation } from '../../tls.js';
import { formatCommand } from '../../wire/commands/format-command.js';
import { parseEhloReply } from '../../wire/replies/ehlo-reply.js';
import type { Reply } from '../../wire/replies/reply.js';
import type { Negotiable } from '../chart/chart-events.js';
import type { ServerOffer } from '../contract/messages.js';
import type { ResolvedAuthentication, ResolvedClientOptions } from '../contract/options.js';
import { Authentication } from './authentication.js';

/** EHLO keyword → parameters, as in `ServerOffer`. */
type Keywords = ServerOffer['keywords'];

export const NO_KEYWORDS: Keywords = new Map();

/**
 * What the reply offers that accepts EHLO, LHLO or HELO. That to HELO is greeting text, however many lines it has
 * (RFC 5321 §4.1.1.1). Without TLS no message may be marked REQUIRETLS, so that an offer of it is none (RFC 8689 §2).
 */
export function offerIn(
  reply: Reply,
  verb: ServerOffer['verb'],
  { tls, authenticatedBy }: Pick<ServerOffer, 'tls' | 'authenticatedBy'>,
): ServerOffer {
  const { domain: name, keywords: listed } = parseEhloReply(reply);
  const keywords = new Map(verb === 'HELO' ? NO_KEYWORDS : listed);
  if (tls === undefined) keywords.delete('REQUIRETLS');
  return { verb, name, keywords, tls, authenticatedBy };
}

/** @param tls that protects the connection; undefined: none */
export function negotiableWith(
  options: ResolvedClientOptions,
  keywords: Keywords,
  tls: TlsInformation | undefined,
): Negotiable {
  return {
    tls: tls !== undefined ? 'established' : keywords.has('STARTTLS') ? 'offered' : 'notOffered',
    authentication: negotiableAuthentication(options.authentication, keywords, tls),
    xclient: negotiableAttributes('XCLIENT', options, keywords),
    xforward: negotiableAttributes('XFORWARD', options, keywords),
  };
}

function negotiableAuthentication(
  wanted: ResolvedAuthentication | undefined,
  keywords: Keywords,
  tls: TlsInformation | undefined,
): Negotiable['authentication'] {
  if (wanted === undefined) return 'unwanted';
  if (tls === undefined && !wanted.allowInsecure) return 'withheld';
  return mechanismFor(wanted, keywords, tls) === undefined ? 'notOffered' : 'possible';
}

function negotiableAttributes(
  verb: AttributeVerb,
  options: ResolvedClientOptions,
  keywords: Keywords,
): Negotiable['xclient'] {
  if (attributesIn(options, verb) === undefined) return 'unwanted';
  return attributesArgument(verb, options, keywords) === '' ? 'notOffered' : 'possible';
}

/** The XCLIENT or XFORWARD command. Call it only where that is `possible`. */
export function attributesCommand(
  verb: AttributeVerb,
  options: ResolvedClientOptions,
  keywords: Keywords,
): Uint8Array {
  return formatCommand({ verb, argument: attributesArgument(verb, options, keywords) });
}

/** What follows the verb; empty where the server takes nothing of what is to be said. */
function attributesArgument(verb: AttributeVerb, options: ResolvedClientOptions, keywords: Keywords): string {
  return formatClientAttributes(attributesIn(options, verb) ?? {}, verb, keywords.get(verb) ?? '');
}

function attributesIn(options: ResolvedClientOptions, verb: AttributeVerb) {
  return verb === 'XCLIENT' ? options.xclient : options.xforward;
}

/** RFC 4954 §3; what cannot be the name of a mechanism (RFC 4422 §3.1) is left out. */
function offeredMechanisms(keywords: Keywords): ReadonlySet<string> {
  const names = (keywords.get('AUTH') ?? '').toUpperCase().split(' ');
  return new Set(names.filter((name) => /^[\dA-Z_-]{1,20}$/.test(name)));
}

/** Mechanisms that an error names at most; a server may list any number. */
const MAXIMUM_NAMED_MECHANISMS = 32;

/** What there would be to authenticate with, where no mechanism fits. */
export function unfitMechanisms(
  { credentials, mechanisms }: ResolvedAuthentication,
  keywords: Keywords,
): { readonly offered: readonly string[]; readonly switchedOff: readonly MechanismName[] } {
  const offered = [...offeredMechanisms(keywords)];
  const switchedOff = fittingMechanisms(credentials).filter(
    (name) => offered.includes(name) && !mechanisms.some((each) => each.name === name),
  );
  return { offered: offered.slice(0, MAXIMUM_NAMED_MECHANISMS), switchedOff };
}

function mechanismFor(
  { credentials, mechanisms }: ResolvedAuthentication,
  keywords: Keywords,
  tls: TlsInformation | undefined,
): ClientMechanism | undefined {
  return strongestMechanism(credentials, offeredMechanisms(keywords), mechanisms, tls);
}

/** The SASL exchange by the strongest mechanism that both ends have. Call it only where authentication is `possible`. */
export function beginAuthentication(
  wanted: ResolvedAuthentication,
  keywords: Keywords,
  tls: TlsInformation | undefined,
): Authentication {
  const mechanism = mechanismFor(wanted, keywords, tls) as ClientMechanism;
  const { credentials, host, port, maximumIterations } = wanted;
  const offered = offeredMechanisms(keywords);
  return new Authentication(mechanism, credentials, { tls, offered, host, port, maximumIterations });
}
