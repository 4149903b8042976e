/**
 * A PostgreSQL of a test's own: in a temporary folder, on a Unix socket and a free port of the loopback interface, under a
 * user that is not root, which PostgreSQL refuses to be. Debian's package `postgresql` has it.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const DEBIAN = '/usr/lib/postgresql';

/** Over TCP only: whoever comes through the Unix socket is trusted. */
export const PASSWORD = 'p:4 /ss&word';

export interface PostgresServer {
  /** For `pg`, through the Unix socket. */
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** The same by TCP, with the password. */
  readonly url: string;
  start(): Promise<void>;
  /** Ends it as if it had crashed, so that it recovers from its log; `start()` follows. */
  halt(): Promise<void>;
  /** Ends it for good, and removes the folder. */
  stop(): Promise<void>;
}

async function programs(): Promise<string> {
  const versions = await readdir(DEBIAN).catch(() => []);
  const [newest] = versions.sort((one, other) => Number(other) - Number(one));
  if (newest === undefined) throw new Error(`PostgreSQL is not in ${DEBIAN}; install the package postgresql`);
  return join(DEBIAN, newest, 'bin');
}

/** Whom to run as, where the tests run as root. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (kind: string) => Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * @param options.isDurable it syncs, as in production; without that, only a crash of the machine would lose anything, and
 *   tests are several times faster
 */
export async function startPostgres({ isDurable = false } = {}): Promise<PostgresServer> {
  const bin = await programs();
  const user = unprivileged();
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, PASSWORD);
  if (user !== undefined) for (const path of [folder, passwordFile]) await chown(path, user.uid, user.gid);
  const data = join(folder, 'data');
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  await promisify(execFile)(
    join(bin, 'initdb'),
    [
      ...['--pgdata', data, '--username', 'postgres', '--encoding', 'UTF8', '--no-locale', '--no-sync'],
      ...['--auth-local', 'trust', '--auth-host', 'scram-sha-256', '--pwfile', passwordFile],
    ],
    { ...user, env, cwd: folder },
  );

  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    max_connections: 100,
    shared_buffers: '64MB',
    ...(isDurable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  };
  const parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const child = spawn(join(bin, 'postgres'), ['-D', data, ...parameters], {
      ...user,
      env,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    server = child;
    const log: string[] = [];
    const lines = createInterface({ input: child.stderr });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        if (line.includes('database system is ready to accept connections')) resolve();
        else if (log.length < 50) log.push(line);
      });
      child.once('exit', () => reject(new Error(`PostgreSQL ended:\n${log.join('\n')}`)));
      child.once('error', reject);
    });
  }

  async function halt(): Promise<void> {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    // Quick as a crash: `pg_ctl stop -m immediate` sends the same.
    child.kill('SIGQUIT');
    await ended;
  }

  // Whatever ends the test run, it does not leave a server behind.
  const onExit = () => server?.kill('SIGQUIT');
  process.once('exit', onExit);
  await start();
  return {
    connection: { host: folder, port, user: 'postgres', database: 'postgres' },
    url: `postgres://postgres:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`,
    start,
    halt,
    async stop() {
      process.off('exit', onExit);
      await halt();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
