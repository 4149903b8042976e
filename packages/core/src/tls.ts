/**
 * What a session knows of the TLS that protects its connection. The handshake is the transport's; a session is
 * told its outcome.
 */

/** The ways in which an authentication can be bound to the TLS channel (RFC 5929 §4, RFC 9266). */
export type ChannelBindingType = 'tls-exporter' | 'tls-server-end-point';

/** An established TLS connection. */
export interface TlsInformation {
  /** The protocol's version as OpenSSL writes it, such as `TLSv1.3`. */
  readonly protocol: string;
  /** The cipher suite's name (RFC 8446 §B.4). */
  readonly cipher: string;
  /** The server's name that the client asked for (SNI, RFC 6066 §3). */
  readonly serverName?: string;
  /** The certificate that the peer showed; absent if it showed none. */
  readonly peerCertificate?: PeerCertificate;
  /** Octets that both ends of this connection share, and nobody else has. Absent types cannot be had here. */
  readonly channelBindings: Readonly<Partial<Record<ChannelBindingType, Uint8Array>>>;
}

/**
 * A certificate that the peer showed (RFC 5280), verified or not: only where `distrust` is absent does it say who the
 * peer is.
 */
export interface PeerCertificate {
  /** The subject's distinguished name, such as `CN=mail.example.com`. */
  readonly subject: string;
  /** DNS names, mail addresses and the like, as OpenSSL writes them: `DNS:mail.example.com`. */
  readonly subjectAlternativeNames: readonly string[];
  /** SHA-256 of the certificate, as 64 hexadecimal digits in lower case. */
  readonly fingerprint: string;
  /** The certificate in DER. */
  readonly der: Uint8Array;
  /**
   * The certificates that the peer sent, in DER: its own first, each followed by the one that is said to have issued it.
   * At most 10. Nothing but the first is verified by standing here.
   */
  readonly chain: readonly Uint8Array[];
  /** Why the certificate is not to be trusted for this peer; absent: it was verified. */
  readonly distrust?: string;
}
