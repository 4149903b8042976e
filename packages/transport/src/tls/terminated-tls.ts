/** TLS that somebody before this server has ended, as far as it is known. */
import { checkNames, namesOf, type TlsInformation } from '@sansmtp/core';

const NAMES = namesOf<TlsInformation>({
  protocol: true,
  cipher: true,
  serverName: true,
  peerCertificate: true,
  channelBindings: true,
});

const UNKNOWN: TlsInformation = { protocol: 'unknown', cipher: 'unknown', channelBindings: {} };

/**
 * @throws {TypeError} it is neither a boolean nor a record, or has what is not known
 */
export function terminatedTls(
  secured: boolean | Partial<TlsInformation> | undefined,
): TlsInformation | undefined {
  if (secured === undefined || secured === false) return undefined;
  if (secured === true) return UNKNOWN;
  if (typeof secured !== 'object' || secured === null) {
    throw new TypeError('The option secured takes true, false, or what is known of the TLS');
  }
  checkNames('The option', secured, NAMES, 'secured.');
  return { ...UNKNOWN, ...secured };
}
