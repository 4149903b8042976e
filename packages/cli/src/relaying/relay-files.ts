/** What the files say that the options of `relay` name: as they were read last. */
import type { DkimSigner } from '@sansmtp/queue';
import type { Reread } from '../receiving/rereading.js';
import { readAuthorities } from '../sending/certificate-authorities.js';
import { readCredentials } from '../sending/credentials.js';
import { type KnownRecipients, readRecipientsFile } from './recipients/recipients-file.js';
import type { RelayOptions } from './relay-options.js';
import type { Access } from './routes/next-hops.js';
import type { Routes } from './routes/routes.js';
import { readRoutesFile } from './routes/routes-file.js';
import { readDkimSigner } from './submission/dkim-keys.js';

const VIA_NAMES = { user: '--via-user', passwordFile: '--via-password-file' };

/**
 * The routes of the options, and of the file as it is now.
 * @throws {RangeError} a route is malformed, or contradicts another option
 */
async function readRoutes({ domain, route, routesFile, via }: RelayOptions): Promise<Routes> {
  const all = routesFile === undefined ? route : await readRoutesFile(routesFile, route);
  for (const each of all.keys()) {
    if (domain.has(each)) throw new RangeError(`${each} is local by --domain, and has a route`);
  }
  if (via !== undefined && all.has('*'))
    throw new RangeError('--via and the route of * are both for all other domains');
  return all;
}

async function readCa({ tlsCa }: RelayOptions): Promise<Access['ca']> {
  return tlsCa === undefined ? undefined : readAuthorities(tlsCa);
}

async function readViaCredentials(options: RelayOptions): Promise<Access['credentials']> {
  const { viaUser: user, viaPasswordFile: passwordFile } = options;
  const given = {
    ...(user !== undefined && { user }),
    ...(passwordFile !== undefined && { passwordFile }),
  };
  return readCredentials(given, process.env.SANSMTP_PASSWORD, VIA_NAMES);
}

/** Told of what a file says now. */
export interface RelayFilesListeners {
  onRoutes(route: Routes): void;
  onAccess(access: Access): void;
}

export class RelayFiles {
  readonly #options: RelayOptions;
  route: Routes = new Map();
  access: Access = { ca: undefined, credentials: undefined };
  /** Undefined: the next hop is asked, or nobody. */
  known: KnownRecipients | undefined;
  /** Undefined: nothing is signed. */
  signer: DkimSigner | undefined;

  private constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** @throws {RangeError} a file cannot be read, or what it says cannot be used */
  static async read(options: RelayOptions): Promise<RelayFiles> {
    const files = new RelayFiles(options);
    const { recipients, dkim } = options;
    files.route = await readRoutes(options);
    files.access = { ca: await readCa(options), credentials: await readViaCredentials(options) };
    files.known = recipients === undefined ? undefined : await readRecipientsFile(recipients);
    files.signer = dkim.length === 0 ? undefined : await readDkimSigner(dkim);
    return files;
  }

  /** Each file by itself. What is read is used at once. */
  rereads({ onRoutes, onAccess }: RelayFilesListeners): readonly Reread[] {
    const { routesFile, recipients, dkim, tlsCa, viaPasswordFile } = this.#options;
    const rereads: Reread[] = [];
    const add = (isGiven: boolean, what: string, read: () => Promise<void>) => {
      if (isGiven) rereads.push({ what, read });
    };
    add(routesFile !== undefined, 'the routes file', async () => {
      this.route = await readRoutes(this.#options);
      onRoutes(this.route);
    });
    add(recipients !== undefined, 'the recipients file', async () => {
      this.known = await readRecipientsFile(recipients as string);
    });
    add(dkim.length > 0, 'each DKIM key', async () => {
      this.signer = await readDkimSigner(dkim);
    });
    add(tlsCa !== undefined, 'the --tls-ca file', async () => {
      this.access = { ...this.access, ca: await readCa(this.#options) };
      onAccess(this.access);
    });
    add(viaPasswordFile !== undefined, 'the --via-password-file', async () => {
      this.access = { ...this.access, credentials: await readViaCredentials(this.#options) };
      onAccess(this.access);
    });
    return rereads;
  }
}
