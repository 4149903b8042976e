/** Where a relay delivers to: the Maildir for local domains, next hops and a smart host by the options, else mail exchangers. */
import type { ClientCredentials, ClientEnvelope } from '@sansmtp/core';
import {
  createMailer,
  createPolicyFetch,
  type FetchPolicy,
  type Maildir,
  type Mailer,
  type MailerOptions,
  type MessageBody,
  type ReplayableBody,
} from '@sansmtp/delivery';
import type { Deliverer, Routes } from '@sansmtp/queue';
import { systemCode } from '@sansmtp/transport-node';
import { ownAddresses, type WhereMailComes } from './own-addresses.js';
import { boundedPolicyCache } from './policy-cache.js';
import { RenewableMailer } from './renewable-mailer.js';
import type { NextHop, Routes as OptionRoutes } from './routes.js';

/** What options say of them. */
export interface NextHopOptions extends WhereMailComes {
  /** Deliveries at a time, in all. */
  readonly connections: number;
  readonly connectionsPerHost: number;
  /** The DNS server to ask; undefined: the system's. */
  readonly dns?: string;
  /** Local, into the Maildir. */
  readonly domain: ReadonlySet<string>;
  /** The smart host; undefined: there is none. */
  readonly via?: { readonly host: string; readonly port: number };
  readonly viaTls: 'opportunistic' | 'required' | 'implicit';
}

export interface NextHops {
  /** For domains without a route: to their mail exchangers. */
  readonly mailer: Deliverer;
  /** Where the mail of domains goes that are local, or have a route. Called again, it goes on over the same connections. */
  routesBy(route: OptionRoutes): Routes;
  /** From now on sessions are opened with this; those that are open with the old one end after what is under way. */
  setAccess(access: Access): void;
  /** Ends what is under way, and says QUIT everywhere. */
  close(): Promise<void>;
}

/** What was read of the files that options name. */
export interface Access {
  /** In PEM; undefined: the authorities that Node knows. */
  readonly ca: string | undefined;
  /** For the smart host; undefined: nobody is to authenticate. */
  readonly credentials: ClientCredentials | undefined;
}

/** Milliseconds that saying QUIT may take. */
const FAREWELL = 1000;

/**
 * Exchangers are held to the MTA-STS policies of their domains: without, nothing would tell a verified exchanger from any other, and
 * mail with REQUIRETLS could go to none (RFC 8689 §4.2.1).
 */
export function openNextHops(
  options: NextHopOptions,
  hostname: string,
  maildir: Maildir,
  access: Access,
  fetchPolicy: FetchPolicy = createPolicyFetch(),
): NextHops {
  const { connections, connectionsPerHost, dns, mxPort, via, viaTls } = options;
  let { ca, credentials } = access;
  const common = (): MailerOptions => ({
    hostname,
    pool: { connections, connectionsPerHost },
    ...(dns !== undefined && { dns }),
    ...(ca !== undefined && { tlsOptions: { ca } }),
  });
  const mailers: RenewableMailer[] = [];
  const renewable = (make: () => Mailer): Deliverer => {
    const made = new RenewableMailer(make);
    mailers.push(made);
    return made;
  };
  const hopTo = (name: string, isFinal: boolean, make: () => Mailer) => ({
    name,
    mailer: renewable(make),
    isFinal,
  });
  const routing = { ownAddresses: ownAddresses(options) };
  const sts = { fetchPolicy, cache: boundedPolicyCache() };
  const mailer = renewable(() => createMailer({ ...common(), port: mxPort, routing, sts }));
  // One pool for a host, however many domains it has.
  const known = new Map<string, ReturnType<typeof hopTo>>();
  const hopBy = (hop: NextHop) => {
    const name = nameOf(hop);
    const { host, port, protocol } = hop;
    const made =
      known.get(name) ??
      hopTo(name, protocol === 'lmtp', () => createMailer({ ...common(), relay: { host, port }, protocol }));
    known.set(name, made);
    return made;
  };
  const fixed = new Map<string, { name: string; mailer: Deliverer; isFinal?: boolean }>();
  const intoMaildir = { name: 'maildir', mailer: maildirDeliverer(maildir, hostname), isFinal: true };
  // '' is <Postmaster>.
  for (const domain of ['', ...options.domain]) fixed.set(domain, intoMaildir);
  if (via !== undefined) {
    const relay = { host: via.host, port: via.port };
    const toSmartHost = () =>
      createMailer({
        ...common(),
        relay,
        tls: viaTls,
        ...(credentials && { authentication: { credentials } }),
      });
    fixed.set('*', hopTo(nameOf({ protocol: 'smtp', ...via }), false, toSmartHost));
  }
  return {
    mailer,
    routesBy: (route) =>
      new Map([...fixed, ...Array.from(route, ([domain, hop]) => [domain, hopBy(hop)] as const)]),
    setAccess(next) {
      ({ ca, credentials } = next);
      for (const each of mailers) each.renew();
    },
    async close() {
      const signal = AbortSignal.timeout(FAREWELL);
      await Promise.all(mailers.map((each) => each.close({ signal })));
    },
  };
}

function nameOf({ protocol, host, port }: NextHop): string {
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return protocol === 'lmtp' ? `lmtp://${where}` : where;
}

/** A relay gives a small message as it is, and a longer one to be read. */
async function* octetsOf(body: MessageBody): AsyncGenerator<Uint8Array, void, undefined> {
  if (body instanceof Uint8Array) yield body;
  else yield* (body as ReplayableBody).read();
}

/** What stores a message in the Maildir as a mailer would send it. */
function maildirDeliverer(maildir: Maildir, hostname: string): Deliverer {
  return {
    async send(given, body, { beforeFinalDot } = {}) {
      // So does the relay call it: by an envelope that was read.
      const { reversePath, recipients, parameters = {} } = given as ClientEnvelope;
      const envelope = {
        reversePath,
        parameters,
        recipients: recipients.map(({ localPart, domain, parameters: said = {} }) => ({
          forwardPath: { localPart, domain },
          parameters: said,
        })),
      };
      const verdictOf = async () => {
        try {
          await beforeFinalDot?.([...recipients.keys()]);
          const { id } = await maildir.deliver({ envelope, body: octetsOf(body) });
          const reply = { code: 250, enhancedCode: '2.0.0', lines: [`Message stored as ${id}`] };
          return { verdict: 'delivered', enhancedCode: '2.0.0', reply, reason: `stored as ${id}` } as const;
        } catch (error) {
          const isFull = ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');
          const reason = `the Maildir: ${(error as Error).message}`;
          const enhancedCode = isFull ? '4.3.1' : '4.3.0';
          return { verdict: 'deferred', enhancedCode, reason, error: error as Error } as const;
        }
      };
      const verdict = await verdictOf();
      return recipients.map((recipient) => ({
        recipient,
        host: hostname,
        phase: 'message' as const,
        ...verdict,
      }));
    },
  };
}
