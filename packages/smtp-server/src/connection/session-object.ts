/** The session object that handlers get: one for a connection, filled anew as more is known. */
import type { TlsInformation } from '@sansmtp/core';
import type { SMTPServerEnvelope, SMTPServerOptions, SMTPServerSession } from '../types.js';

export function emptyEnvelope({ hideDSN }: SMTPServerOptions): SMTPServerEnvelope {
  return {
    mailFrom: false,
    rcptTo: [],
    requireTLS: false,
    bodyType: '7bit',
    smtpUtf8: false,
    ...(!hideDSN && { dsn: { ret: null, envid: null } }),
  };
}

/** RFC 3848. */
export function transmissionType(session: SMTPServerSession, lmtp: boolean): string {
  const { openingCommand, secure, user } = session;
  const extended = openingCommand === 'EHLO' ? 'E' : '';
  return `${extended}${lmtp ? 'LMTP' : 'SMTP'}${secure ? 'S' : ''}${user ? 'A' : ''}`;
}

/** As `tls.getCipher()` gives it. */
export function tlsOptions(tls: TlsInformation | undefined): SMTPServerSession['tlsOptions'] {
  return tls === undefined ? false : { name: tls.cipher, standardName: tls.cipher, version: tls.protocol };
}

/** An address of a socket, an IPv4 address as such. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=[\d.]+$)/i, '').toLowerCase();
}

/** Whether an option that lists addresses, or says `true`, means this one. */
export function isListed(option: boolean | string[] | undefined, address: string): boolean {
  if (!Array.isArray(option)) return option === true;
  return option.includes('*') || option.some((one) => plainAddress(one.trim()) === address);
}
