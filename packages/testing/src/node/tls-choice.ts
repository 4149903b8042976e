/** TLS of an inbox or a scripted server: one word, and a certificate comes by itself. */
export type TlsChoice = 'startTls' | 'implicit';

/** @throws {TypeError} it is neither */
export function checkTlsChoice(tls: TlsChoice | undefined): void {
  if (tls === undefined || tls === 'startTls' || tls === 'implicit') return;
  throw new TypeError(`The option tls is ${JSON.stringify(tls)}; it takes 'startTls' or 'implicit'`);
}
