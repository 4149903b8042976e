/** Programs of Debian packages that cannot be installed beside Postfix: they are unpacked into a folder, and run from there. */
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { output } from './programs.js';
import { NotRun, type Place } from './server.js';

/** A user that the program looks up, and that this machine does not have. */
export interface NamedUser {
  readonly name: string;
  readonly id: number;
}

export interface Unpacked {
  /** Where the packages' files stand. */
  readonly root: string;
  /** Lets the program find its users without their being added to the machine. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * @throws {NotRun} (rejects) there is no root, or no package
 */
export async function unpack(
  { folder }: Place,
  packages: readonly string[],
  users: readonly NamedUser[],
): Promise<Unpacked> {
  if (process.getuid?.() !== 0) throw new NotRun('it takes root to start');
  const root = join(folder, 'root');
  const archives = join(folder, 'packages');
  if (!(await readdir(folder)).includes('root')) {
    await mkdir(root);
    await mkdir(archives);
    // apt-get drops root's rights to download; without a folder that _apt may write to, it warns and goes on.
    await output('apt-get', ['download', '-qq', ...packages, 'libnss-wrapper'], { cwd: archives });
    for (const name of await readdir(archives)) await output('dpkg-deb', ['-x', join(archives, name), root]);
    await chmod(root, 0o755);
  }
  const [passwd, group] = [join(folder, 'passwd'), join(folder, 'group')];
  const lines = users.map(({ name, id }) => `${name}:x:${id}:${id}::/nonexistent:/bin/false\n`);
  await writeFile(passwd, `${await readFile('/etc/passwd', 'utf8')}${lines.join('')}`);
  const groups = users.map(({ name, id }) => `${name}:x:${id}:\n`);
  await writeFile(group, `${await readFile('/etc/group', 'utf8')}${groups.join('')}`);
  const libraries = join(root, 'usr/lib');
  const found = (await readdir(libraries, { recursive: true })).find((file) =>
    file.endsWith('libnss_wrapper.so'),
  );
  if (found === undefined) throw new NotRun('libnss-wrapper has no library for this machine');
  return {
    root,
    environment: {
      LD_PRELOAD: join(libraries, found),
      NSS_WRAPPER_PASSWD: passwd,
      NSS_WRAPPER_GROUP: group,
    },
  };
}

/** The version of a package that was unpacked, such as `4.96-15+deb12u11`. */
export async function packageVersion({ folder }: Place, name: string): Promise<string> {
  const archives = join(folder, 'packages');
  const file = (await readdir(archives)).find((each) => each.startsWith(`${name}_`));
  if (file === undefined) throw new NotRun(`the package ${name} is not there`);
  return (await output('dpkg-deb', ['-f', join(archives, file), 'Version'])).trim();
}
