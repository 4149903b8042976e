/** The application of `sansmtp relay`: mail goes into the queue, and from there on; and senders hear when it cannot. */
import { type Maildir, openMaildir } from '@sansmtp/delivery';
import { createRelay, type QueueStore, type RelayEvent } from '@sansmtp/queue';
import { Rejection } from '@sansmtp/transport';
import { systemClock, trustedPeers } from '@sansmtp/transport-node';
import type { Command } from 'commander';
import { exitCodes } from '../exit-codes.js';
import { fail } from '../fail.js';
import type { Logger } from '../log.js';
import { relayMetrics } from '../metrics/relay-metrics.js';
import { type ControlSocket, serveControl } from '../queue-care/control-socket.js';
import { isPostgres, openPostgres, shownPlace } from '../queue-care/postgres.js';
import type { Application, Surroundings } from '../receiving/receiving.js';
import { relayPermission } from './recipients/admission.js';
import { nextHopQuestions } from './recipients/next-hop-question.js';
import { RecipientCheck } from './recipients/recipient-check.js';
import { isKnown, type KnownRecipients } from './recipients/recipients-file.js';
import { RelayFiles } from './relay-files.js';
import { type CheckRecipient, relayExtensions, relayHandlers } from './relay-handlers.js';
import { relayLog } from './relay-log.js';
import type { RelayOptions } from './relay-options.js';
import { openNextHops } from './routes/next-hops.js';
import { nextHopOf, type Routes } from './routes/routes.js';

/** What cannot be said together, or means nothing alone. */
export function checkRelayOptions(command: Command, options: RelayOptions): void {
  const { bareNewline, via, viaUser, viaPasswordFile, recipients, recipientCheck } = options;
  const refuse = (problem: string) => fail(command, exitCodes.usage, problem);
  if (bareNewline === 'keep') refuse('--bare-newline keep: a relay sends no bare newlines on');
  if (via === undefined && viaUser !== undefined) refuse('--via-user needs --via');
  if (via === undefined && command.getOptionValueSource('viaTls') === 'cli') refuse('--via-tls needs --via');
  if (viaUser === undefined && viaPasswordFile !== undefined) refuse('--via-password-file needs --via-user');
  if (recipients !== undefined && !recipientCheck) {
    refuse('--recipients and --no-recipient-check contradict each other');
  }
  if (options.workers > 1 && !isPostgres(options.queue)) {
    refuse('--workers: the queue in a directory has one process; several need --queue postgres://…');
  }
  if (options.worker !== undefined && !isPostgres(options.queue)) {
    refuse('--worker is for a queue in PostgreSQL: a directory has one relay');
  }
}

/** What has to be read before anything is opened. */
async function readFiles(command: Command, options: RelayOptions): Promise<RelayFiles> {
  try {
    return await RelayFiles.read(options);
  } catch (error) {
    return fail(command, exitCodes.usage, (error as Error).message);
  }
}

async function openStore(
  command: Command,
  { queue: place, worker }: RelayOptions,
  log: Logger,
): Promise<QueueStore> {
  try {
    if (isPostgres(place)) return await openPostgres(place, worker);
    const { openQueue } = await import('@sansmtp/queue');
    return await openQueue(place, {
      onDamage: ({ message, ...where }) => log.error(where, message),
    });
  } catch (error) {
    return fail(command, exitCodes.cannotCreate, `cannot open the queue ${shownPlace(place)}`, error);
  }
}

async function openMaildirOf(
  command: Command,
  { maildir }: RelayOptions,
  hostname: string,
): Promise<Maildir> {
  try {
    return await openMaildir(maildir, { hostname });
  } catch (error) {
    return fail(command, exitCodes.cannotCreate, `cannot make the Maildir ${maildir}`, error);
  }
}

/**
 * @param route as they were read last
 * @param known of the file, as it was read last; undefined: the next hop is asked
 */
function recipientChecker(
  { recipientCheck, dns }: RelayOptions,
  hostname: string,
  route: () => Routes,
  known: (() => KnownRecipients) | undefined,
): CheckRecipient {
  if (!recipientCheck) return async () => {};
  const unknown = (words: string) => new Rejection(550, '5.1.1', words);
  if (known !== undefined) {
    return async (recipient, domain) => {
      if (!isKnown(known(), recipient, domain)) throw unknown('No such mailbox');
    };
  }
  const ask = nextHopQuestions({ hostname, ...(dns !== undefined && { dns }) });
  const check = new RecipientCheck(ask, () => systemClock.now());
  return async (recipient, domain, mayRelay) => {
    const hop = nextHopOf(route(), domain);
    if (hop === undefined) return;
    const answer = await check.check(hop, recipient, domain);
    if (answer.kind === 'unknown')
      throw unknown(`No such mailbox; the next hop says: ${printable(answer.words)}`);
    // Whoever may relay is told of a failure by a notification, which is no backscatter.
    if (answer.kind === 'exists' || mayRelay) return;
    throw new Rejection(451, '4.4.1', 'Whether this mailbox exists cannot be found out now; try again later');
  };
}

/** What another host said, in a reply of ours. */
function printable(words: string): string {
  return words.replace(/[^ -~]/g, '?').slice(0, 200);
}

function relayOptionsOf(options: RelayOptions) {
  const { retry, warnAfter, giveUpAfter, connections, connectionsPerHost, postmaster, lease } = options;
  return {
    warnAfter: warnAfter * 1000,
    giveUpAfter: giveUpAfter * 1000,
    connections,
    connectionsPerHost,
    lease: lease * 1000,
    ...(retry !== undefined && { retry: retry.map((wait) => wait * 1000) }),
    ...(postmaster !== undefined && { postmaster }),
  };
}

/** Opens the queue and all that it is delivered to; nothing is delivered before it has started. */
export async function openRelay(
  command: Command,
  options: RelayOptions,
  surroundings: Surroundings,
): Promise<Application> {
  checkRelayOptions(command, options);
  const { log, hostname, metrics } = surroundings;
  const files = await readFiles(command, options);
  const maildir = await openMaildirOf(command, options, hostname);
  const store = await openStore(command, options, log);
  const hops = openNextHops(options, hostname, maildir, files.access);
  const routes = hops.routesBy(files.route);
  const names = Array.from(routes.values(), ({ name }) => name);
  const tellLog = relayLog(log);
  const count = metrics && (await relayMetrics(metrics.registry, store, names));
  let isStoreWell = true;
  let giveUp: (problem: string) => void = () => {};
  const failed = new Promise<string>((resolve) => {
    giveUp = resolve;
  });
  const relay = createRelay({
    ...relayOptionsOf(options),
    store,
    mailer: hops.mailer,
    routes,
    hostname,
    observer(event: RelayEvent) {
      tellLog(event);
      count?.(event);
      if (event.type === 'storeRecovered') isStoreWell = true;
      if (event.type !== 'storeFailed') return;
      isStoreWell = false;
      if (event.retryAt === undefined) giveUp('the queue has to be opened anew');
    },
    onError: (error) => log.error({ err: error }, 'a fault of this relay'),
  });
  const control = await openControl(command, options.queue, store);
  return {
    handlers: relayHandlers(
      {
        local: options.domain,
        isRouted: (domain) => domain !== '*' && files.route.has(domain),
        mayRelay: relayPermission(
          trustedPeers(options.relayFrom),
          options.proxyProtocol ? trustedPeers(options.proxyFrom) : () => false,
        ),
        checkRecipient: recipientChecker(
          options,
          hostname,
          () => files.route,
          files.known && (() => files.known as KnownRecipients),
        ),
        sign: (message) => files.signer?.(message, Date.now()) ?? message,
      },
      relay,
      surroundings,
    ),
    session: { extensions: relayExtensions() },
    folder: maildir.directory,
    rereads: files.rereads({
      onRoutes: (route) => relay.setRoutes(hops.routesBy(route)),
      onAccess: (access) => hops.setAccess(access),
    }),
    failed,
    isReady: async () => isStoreWell && (await store.count()) !== undefined,
    started() {
      relay.start();
      log.info(
        `messages wait in ${shownPlace(options.queue)}; those for local domains go to ${maildir.directory}`,
      );
    },
    shutdown: (grace) => relay.stop({ grace }),
    async end() {
      await relay.stop({ grace: 0 });
      await control?.close();
      await hops.close();
      await store.close();
    },
  };
}

/** Undefined where the queue is in a database, which `sansmtp queue` asks by itself. */
async function openControl(
  command: Command,
  place: string,
  store: QueueStore,
): Promise<ControlSocket | undefined> {
  if (isPostgres(place)) return undefined;
  try {
    return await serveControl(place, store);
  } catch (error) {
    await store.close();
    return fail(command, exitCodes.cannotCreate, `cannot listen for sansmtp queue in ${place}`, error);
  }
}
