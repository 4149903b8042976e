/**
 * The resolver of mail delivery over Node's, which asks DNS servers itself: no hosts file, no search list, and TCP
 * where an answer is too long for UDP.
 *
 * It does not validate DNSSEC and cannot see whether a server did: its answers are never `secure`.
 */
import { Resolver } from 'node:dns/promises';
import type { DnsAnswer, MailResolver } from './mail-resolver.js';

export interface ResolverOptions {
  /**
   * The server to ask, `ADDRESS` or `ADDRESS:PORT`, an IPv6 address in brackets where a port follows.
   * @default those of the system
   */
  readonly server?: string;
  /** Milliseconds to wait for an answer before asking again. Later tries wait longer. @default 5000 */
  readonly timeout?: number;
  /** How often to ask each server. @default 3 */
  readonly tries?: number;
  /** Milliseconds that one look-up may take in all, whatever the number of servers and tries. @default 20000 */
  readonly deadline?: number;
}

/**
 * What an error of Node's means. Only two of them are things that DNS says; a name that cannot be asked for
 * (EBADNAME) cannot exist either.
 */
function failure(error: unknown): Exclude<DnsAnswer<never>, { readonly kind: 'found' }> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  if (code === 'ENODATA') return { kind: 'none' };
  if (code === 'ENOTFOUND' || code === 'EBADNAME') return { kind: 'noSuchDomain' };
  return { kind: 'temporary', problem: `DNS look-up failed (${code})` };
}

async function answer<DnsRecord>(lookUp: Promise<readonly DnsRecord[]>): Promise<DnsAnswer<DnsRecord>> {
  try {
    const records = await lookUp;
    return records.length === 0 ? { kind: 'none' } : { kind: 'found', records };
  } catch (error) {
    return failure(error);
  }
}

/** Either family will do; one that is not known weighs more than one that is not there. */
function join(ipv6: DnsAnswer<string>, ipv4: DnsAnswer<string>): DnsAnswer<string> {
  if (ipv6.kind === 'found' && ipv4.kind === 'found') {
    return { kind: 'found', records: [...ipv6.records, ...ipv4.records] };
  }
  if (ipv6.kind === 'found') return ipv6;
  if (ipv4.kind === 'found' || ipv4.kind === 'temporary') return ipv4;
  if (ipv6.kind === 'temporary') return ipv6;
  // NXDOMAIN holds for every type; servers that give it for one of them only are wrong.
  return ipv6.kind === 'none' ? ipv6 : ipv4;
}

/**
 * A resolver that asks DNS servers.
 *
 * @throws {RangeError} a number is out of range
 * @throws {TypeError} with `code` 'ERR_INVALID_IP_ADDRESS': `server` is no address
 */
export function createResolver(options: ResolverOptions = {}): MailResolver {
  const { server, timeout = 5_000, tries = 3, deadline = 20_000 } = options;
  for (const [option, value] of Object.entries({ timeout, tries, deadline })) {
    if (Number.isSafeInteger(value) && value > 0 && value <= 0x7fff_ffff) continue;
    throw new RangeError(`The option ${option} is ${value}; it takes an integer of 1 to 2147483647`);
  }
  const open = (): Resolver => {
    const resolver = new Resolver({ timeout, tries });
    if (server !== undefined) resolver.setServers([server]);
    return resolver;
  };
  // A server that is no address is the caller's mistake now, not a failing look-up later.
  open();

  /** A resolver of Node's can only be cancelled as a whole, so each look-up has its own. */
  async function within<Result>(
    signal: AbortSignal | undefined,
    ask: (resolver: Resolver) => Promise<Result>,
  ): Promise<Result> {
    signal?.throwIfAborted();
    const resolver = open();
    const cancel = (): void => resolver.cancel();
    const timer = setTimeout(cancel, deadline);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const result = await ask(resolver);
      signal?.throwIfAborted();
      return result;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    }
  }

  return {
    resolveMx(domain, signal) {
      return within(signal, (resolver) =>
        answer(
          resolver
            .resolveMx(domain)
            .then((records) => records.map(({ exchange, priority }) => ({ exchange, preference: priority }))),
        ),
      );
    },
    resolveAddresses(host, signal) {
      return within(signal, async (resolver) =>
        join(...(await Promise.all([answer(resolver.resolve6(host)), answer(resolver.resolve4(host))]))),
      );
    },
    resolveTxt(name, signal) {
      return within(signal, (resolver) =>
        answer(resolver.resolveTxt(name).then((records) => records.map((strings) => strings.join('')))),
      );
    },
  };
}
