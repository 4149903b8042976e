import type { ForeignProtocol } from '@sansmtp/core';

/**
 * Why a session ended at once: its client speaks no SMTP. HTTP may be a browser that another's page makes speak
 * (cross-protocol scripting); TLS in the clear, a client that takes the port for one of implicit TLS.
 */
export class ForeignProtocolError extends Error {
  override readonly name = 'ForeignProtocolError';
  readonly protocol: ForeignProtocol;

  constructor(protocol: ForeignProtocol) {
    super(
      protocol === 'HTTP'
        ? 'The client sent an HTTP request'
        : 'The client sent a TLS ClientHello in the clear, as to a port of implicit TLS',
    );
    this.protocol = protocol;
  }
}
