/**
 * The addresses at which this host receives mail itself. An exchanger there would bring the mail back, under whatever name DNS has
 * it (RFC 5321 §5.1).
 */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

const UNSPECIFIED: readonly string[] = ['0.0.0.0', '::'];

export interface WhereMailComes {
  readonly host: string;
  readonly port: number;
  /** Where exchangers listen. */
  readonly mxPort: number;
}

/** @param interfaces the addresses that this machine has */
export function ownAddresses(
  { host, port, mxPort }: WhereMailComes,
  interfaces: readonly string[] = interfaceAddresses(),
): readonly string[] {
  if (port !== mxPort || isIP(host) === 0) return [];
  // A connection to the unspecified address reaches this host, too.
  return UNSPECIFIED.includes(host) ? [...UNSPECIFIED, ...interfaces] : [host];
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .map(({ address }) => address);
}
