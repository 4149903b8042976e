/** Why a connection could not be protected by TLS, whatever the transport. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
  /**
   * The word of OpenSSL, Node or the system for it: `CERT_HAS_EXPIRED`, `ERR_SSL_WRONG_VERSION_NUMBER`,
   * `ECONNRESET`, …; `ETIMEDOUT` when the handshake took too long; `PLAINTEXT_BEHIND_STARTTLS` when octets came in
   * the clear that had to come protected; `HANDSHAKE_GAVE_WAY` when too many were under way.
   */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Octets in the clear where the handshake had to be (RFC 3207 §5, CVE-2011-0411). */
  static plaintextBehindStartTls(): TlsError {
    return new TlsError(
      'The peer sent octets in the clear behind STARTTLS, where the TLS handshake has to follow',
      'PLAINTEXT_BEHIND_STARTTLS',
    );
  }

  /** So many handshakes were under way that one had to make room for another. */
  static gaveWay(): TlsError {
    return new TlsError('The TLS handshake had to give way: too many are under way', 'HANDSHAKE_GAVE_WAY');
  }

  /** The peer ended its side, or the whole connection, before the handshake stood. */
  static peerWentAway(): TlsError {
    return new TlsError('The peer ended the connection during the TLS handshake', 'ECONNRESET');
  }
}
