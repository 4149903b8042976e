/** Who writes to whom in the scenarios. */
import { type ServiceExtension, standardExtensions, type TlsInformation } from '@sansmtp/core';

export const ANN = 'ann@example.org';
export const BOB = 'bob@example.com';

export const clientName = { hostname: 'client.example.org' } as const;
export const serverName = { hostname: 'mx.example.com' } as const;

export const message = [
  `From: Ann <${ANN}>`,
  `To: Bob <${BOB}>`,
  'Subject: Lunch',
  '',
  'At noon?',
  '.. said the dots, and were doubled on the way.',
  '',
].join('\r\n');

export const tls: TlsInformation = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  channelBindings: {},
};

/** Without PIPELINING each command waits for the reply to the one before. */
export const oneByOne: readonly ServiceExtension[] = standardExtensions.filter(
  ({ keyword }) => keyword !== 'PIPELINING',
);
