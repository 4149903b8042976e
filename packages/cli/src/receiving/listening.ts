/**
 * Where `serve` listens, as its options say: each address with its kind, the TLS that is spoken there, and what its
 * sessions do differently.
 */
import type { MechanismName } from '@sansmtp/core';
import type {
  ListenerAddress,
  MailListenOptions,
  ProxiedOptions,
  TlsContextSource,
} from '@sansmtp/transport-node';

export interface ListeningOptions {
  readonly host: string;
  readonly port: number;
  readonly tlsPort?: number;
  readonly submissionPort?: number;
  readonly lmtpPort?: number;
  readonly unix?: string;
}

/** The words by which `serve` tells scripts where it listens. */
export type ListenerKind = 'smtp' | 'smtps' | 'submission' | 'lmtp' | 'unix';

/** The port of each kind of listener, where it is known. */
export type Ports = Partial<Record<ListenerKind, number>>;

/** Where a listener stands in the end. */
export interface KnownAddress {
  readonly kind: ListenerKind;
  readonly address: ListenerAddress;
}

export interface Listening {
  readonly kind: ListenerKind;
  readonly options: MailListenOptions;
}

export interface ListeningSurroundings {
  /** Undefined: no TLS. */
  readonly context: TlsContextSource | undefined;
  /** Somebody may authenticate, and not without TLS unless that is allowed. */
  readonly authentication:
    | { readonly allowInsecure: boolean; readonly mechanisms?: readonly MechanismName[] }
    | undefined;
  /** Undefined: clients connect by themselves. */
  readonly proxied: ProxiedOptions | undefined;
  readonly onError: NonNullable<MailListenOptions['onError']>;
}

/** In the order in which they are told. */
export function listenings(
  { host, port, tlsPort, submissionPort, lmtpPort, unix }: ListeningOptions,
  { context, authentication, proxied, onError }: ListeningSurroundings,
  ports: Ports = {},
): readonly Listening[] {
  const common = { onError, ...(proxied && { proxied }) };
  const startTls = context && { tls: { mode: 'startTls', context } as const };
  const all: Listening[] = [{ kind: 'smtp', options: { ...common, ...startTls, host, port } }];
  if (tlsPort !== undefined && context !== undefined) {
    const tls = { mode: 'implicit', context } as const;
    all.push({ kind: 'smtps', options: { ...common, host, port: tlsPort, tls } });
  }
  if (submissionPort !== undefined) {
    // RFC 6409 §4.3: no mail without AUTH, whether or not there is anybody who could.
    const session = { authentication: { ...(authentication ?? { mechanisms: [] }), required: true } };
    all.push({
      kind: 'submission',
      options: { ...common, ...startTls, host, port: submissionPort, session },
    });
  }
  if (lmtpPort !== undefined) {
    const session = { protocol: 'lmtp' } as const;
    all.push({ kind: 'lmtp', options: { ...common, ...startTls, host, port: lmtpPort, session } });
  }
  if (unix !== undefined) all.push({ kind: 'unix', options: { ...common, ...startTls, path: unix } });
  return all.map(({ kind, options }) => {
    const known = ports[kind];
    return { kind, options: { ...options, ...(known !== undefined && { port: known }), label: kind } };
  });
}

/** `host:port` as it stands in a URL. */
function authority(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The lines that tell a script. */
export function listeningLines(addresses: readonly KnownAddress[]): string {
  return addresses.map(listeningLine).join('');
}

function listeningLine({ kind, address }: KnownAddress): string {
  const where = address.kind === 'unix' ? address.path : authority(address.host, address.port);
  return `listening ${kind} ${where}\n`;
}
