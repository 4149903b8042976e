/**
 * The resolver of mail delivery. It asks DNS servers itself, and reads their answers itself: Node's own resolver reports
 * "no data" for response codes, referrals and CNAME circles alike, and mail for a domain without data is bounced.
 * No hosts file, no search list; TCP where an answer is too long for UDP.
 *
 * It does not validate DNSSEC and does not take a server's word for it: its answers are never `secure`.
 */
import { Resolver } from 'node:dns';
import { isIP } from 'node:net';
import { checkNames, kindOf, namesOf } from '@sansmtp/core';
import { systemClock } from '@sansmtp/transport-node';
import type { Answer, RecordType } from 'dns-packet';
import { askServer, type DnsServer } from './dns-exchange.js';
import { type DnsReading, MAXIMUM_ALIASES, readAnswer } from './dns-reading.js';
import type { DnsAnswer, MailExchanger, MailResolver } from './mail-resolver.js';

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

/** The servers as Node knows them: those of the system, read anew, or the one that was given. */
function serversOf(server: string | undefined): readonly DnsServer[] {
  const resolver = new Resolver();
  if (server !== undefined) resolver.setServers([server]);
  return resolver.getServers().map((text) => {
    if (isIP(text) !== 0) return { address: text, port: 53 };
    const colon = text.lastIndexOf(':');
    return { address: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) };
  });
}

/** Whether DNS can have the name at all (RFC 1035 §2.3.4). */
function canExist(name: string): boolean {
  const labels = name.split('.');
  return name.length <= 253 && labels.every((label) => label !== '' && Buffer.byteLength(label) <= 63);
}

const temporary = (why: string): DnsAnswer<never> => ({
  kind: 'temporary',
  problem: `DNS look-up failed: ${why}`,
});

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
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

const OPTION_NAMES = namesOf<ResolverOptions>({ server: true, timeout: true, tries: true, deadline: true });

/**
 * A resolver that asks DNS servers.
 *
 * @throws {RangeError} a number is out of range
 * @throws {TypeError} an option is not known
 * @throws {TypeError} with `code` 'ERR_INVALID_IP_ADDRESS': `server` is no address
 */
export function createResolver(options: ResolverOptions = {}): MailResolver {
  checkNames('The option', options, OPTION_NAMES);
  const { server, timeout = 5_000, tries = 3, deadline = 20_000 } = options;
  for (const [option, value] of Object.entries({ timeout, tries, deadline })) {
    if (Number.isSafeInteger(value) && value > 0 && value <= 0x7fff_ffff) continue;
    throw new RangeError(`The option ${option} is ${value}; it takes an integer of 1 to 2147483647`);
  }
  if (server !== undefined && typeof server !== 'string') {
    throw new TypeError(`The option server is ${kindOf(server)}; it takes ADDRESS or ADDRESS:PORT`);
  }
  // A server that is no address is the caller's mistake now, not a failing look-up later.
  serversOf(server);
  // Node would take it modulo 65536.
  const [, port] = /^(?:\[.*\]|[^:]*):(\d+)$/.exec(server ?? '') ?? [];
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) {
    throw new RangeError(`The port of the option server is ${port}; it takes an integer of 1 to 65535`);
  }

  /** Asks the servers in turn, each as often as it may be silent, until one of them says something. */
  async function ask(name: string, type: RecordType, signal: AbortSignal): Promise<DnsReading> {
    let servers = serversOf(server);
    let problem = 'there is no DNS server to ask';
    for (let round = 0; round < tries && servers.length > 0; round++) {
      for (const each of servers) {
        const patience = Math.min(timeout * 2 ** round, deadline);
        const silence = new AbortController();
        const cancelTimer = systemClock.set(systemClock.now() + patience, () =>
          silence.abort(new Error(`no answer within ${patience} ms`)),
        );
        try {
          const packet = await askServer(each, { name, type }, AbortSignal.any([signal, silence.signal]));
          const reading = readAnswer(packet, { name, type });
          if (reading.kind !== 'nothing') return reading;
          problem = reading.problem;
          // It has answered; to be asked again would change nothing.
          servers = servers.filter((other) => other !== each);
        } catch (error) {
          signal.throwIfAborted();
          problem = messageOf(error);
        } finally {
          cancelTimer();
        }
      }
    }
    return { kind: 'nothing', problem };
  }

  async function lookUp<DnsRecord>(
    domain: string,
    type: RecordType,
    signal: AbortSignal,
    convert: (record: Answer) => DnsRecord[],
  ): Promise<DnsAnswer<DnsRecord>> {
    let name = domain.replace(/\.$/, '');
    for (let aliases = 0; aliases <= MAXIMUM_ALIASES; aliases++) {
      if (!canExist(name)) return { kind: 'noSuchDomain' };
      const reading = await ask(name, type, signal);
      if (reading.kind === 'nothing') return temporary(reading.problem);
      if (reading.kind === 'found') return { kind: 'found', records: reading.records.flatMap(convert) };
      if (reading.kind !== 'alias') return reading;
      name = reading.name;
    }
    return temporary('too many CNAME records in a row, or in a circle');
  }

  /** Ends with the caller's signal, and at the deadline, which is no error but says nothing either. */
  async function within<Result>(
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<DnsAnswer<Result>>,
  ): Promise<DnsAnswer<Result>> {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const timeUp = new Error(`no answer within ${deadline} ms`);
    const cancelTimer = systemClock.set(systemClock.now() + deadline, () => controller.abort(timeUp));
    const onAbort = (): void => controller.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await work(controller.signal);
    } catch (error) {
      signal?.throwIfAborted();
      return temporary(messageOf(error));
    } finally {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  return {
    resolveMx(domain, signal) {
      return within(signal, (ending) =>
        lookUp<MailExchanger>(domain, 'MX', ending, (record) =>
          record.type === 'MX'
            ? [{ exchange: record.data.exchange, preference: record.data.preference ?? 0 }]
            : [],
        ),
      );
    },
    resolveAddresses(host, signal) {
      const addresses = (type: 'A' | 'AAAA', ending: AbortSignal) =>
        lookUp(host, type, ending, (record) => (record.type === type ? [record.data] : []));
      return within(signal, async (ending) =>
        join(...(await Promise.all([addresses('AAAA', ending), addresses('A', ending)]))),
      );
    },
    resolveTxt(name, signal) {
      return within(signal, (ending) =>
        lookUp(name, 'TXT', ending, (record) => (record.type === 'TXT' ? [textOf(record.data)] : [])),
      );
    },
  };
}

/** The strings of a TXT record, joined; an octet each character. */
function textOf(data: string | Buffer | readonly (string | Buffer)[]): string {
  const strings = Array.isArray(data) ? data : [data];
  return strings.map((each: string | Buffer) => Buffer.from(each).toString('latin1')).join('');
}
