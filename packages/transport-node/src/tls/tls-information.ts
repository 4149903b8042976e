/** What there is to know of a TLS connection that stands. */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { PeerCertificate, TlsInformation } from '@sansmtp/core';
import { certificateHash } from './tls-certificate-hash.js';

function channelBindings(
  socket: TLSSocket,
  serverCertificate: X509Certificate | undefined,
): TlsInformation['channelBindings'] {
  const hash = serverCertificate && certificateHash(serverCertificate.raw);
  // Before TLS 1.3 it is unique only with the extended master secret (RFC 9266 §4.2), and Node does not tell of that.
  const exporter = socket.getProtocol() === 'TLSv1.3' && exported(socket);
  // A peer with TLS 1.3 binds to the exporter by default (RFC 9266 §3): nothing is offered then that would fail.
  if (exporter === undefined) return {};
  return {
    ...(exporter && { 'tls-exporter': exporter }),
    ...(hash && { 'tls-server-end-point': hash }),
  };
}

/** Undefined where the runtime has no export of keying material, such as Deno. */
function exported(socket: TLSSocket): Uint8Array | undefined {
  try {
    return new Uint8Array(socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
  } catch {
    return undefined;
  }
}

/** Nobody needs more, and the peer decides how many it sends. */
const MAXIMUM_CHAIN = 10;

function chainOf(own: X509Certificate): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let next: X509Certificate | undefined = own;
  while (next !== undefined && chain.length < MAXIMUM_CHAIN) {
    chain.push(new Uint8Array(next.raw));
    next = next.issuerCertificate;
  }
  return chain;
}

function peerCertificate(certificate: X509Certificate, distrust: string | undefined): PeerCertificate {
  const { subject, subjectAltName, fingerprint256, raw } = certificate;
  return {
    subject,
    subjectAlternativeNames: subjectAltName?.split(', ') ?? [],
    fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    der: new Uint8Array(raw),
    chain: chainOf(certificate),
    ...(distrust !== undefined && { distrust }),
  };
}

/** The name that the client asked for (SNI, RFC 6066 §3), at a server's socket. */
export function requestedName(socket: TLSSocket): string | undefined {
  const name: unknown = Reflect.get(socket, 'servername');
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** @param distrust why the peer's certificate is not to be trusted, if it showed one */
export function tlsInformation(
  socket: TLSSocket,
  side: 'client' | 'server',
  serverName: string | undefined,
  distrust: string | undefined,
): TlsInformation {
  const shown = socket.getPeerX509Certificate();
  const serverCertificate = side === 'client' ? shown : socket.getX509Certificate();
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    ...(serverName !== undefined && { serverName }),
    ...(shown !== undefined && { peerCertificate: peerCertificate(shown, distrust) }),
    channelBindings: channelBindings(socket, serverCertificate),
  };
}
