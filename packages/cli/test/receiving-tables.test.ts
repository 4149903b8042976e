/** The tables of docs/receiving.md have what the code has: every handler, every option, and its default. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const top = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFile(`${top}${path}`, 'utf8');

/** Where the members of each table are declared. */
const FILES: Readonly<Record<string, string>> = {
  ServerHandlers: 'transport/src/handlers/handlers.ts',
  ServerSessionInformation: 'transport/src/handlers/handlers.ts',
  ConnectionInformation: 'transport/src/streams/session-information.ts',
  MailServerOptions: 'transport-node/src/listening/mail-server.ts',
  MailListenOptions: 'transport-node/src/listening/mail-server.ts',
  ListenOptions: 'transport-node/src/listening/listen.ts',
  TlsModeOptions: 'transport-node/src/tls/tls-options.ts',
  ServerTlsOptions: 'transport-node/src/tls/tls-options.ts',
  ProxiedOptions: 'transport-node/src/proxies/accept-proxied.ts',
  ServerSessionOptions: 'core/src/server/contract/options.ts',
  ServerAuthenticationOptions: 'core/src/server/contract/options.ts',
  ServerTimeouts: 'core/src/server/chart/chart-context.ts',
  ServeOptions: 'transport/src/serving/server-connection.ts',
  FailureLimiterOptions: 'transport/src/authentication/failure-limiter.ts',
  PasswordUsersOptions: 'transport/src/authentication/password-users.ts',
};

/** What the text below the sessions' table tells of, since who uses it depends on the level. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  ServerSessionOptions: ['tls', 'trusted', 'maximumHeldOctets', 'observe'],
  ServeOptions: ['clock', 'id', 'listener', 'observer'],
};

/** Those whose default is a table of its own. */
const TABLES = ['timeouts'];

/** These have no defaults, or tell them in words. */
const NAMES_ALONE = ['ServerHandlers', 'ServerSessionInformation ConnectionInformation', 'ServerTimeouts'];

interface Member {
  readonly name: string;
  readonly optional: boolean;
  readonly default: string | undefined;
}

/** The members of an interface, or of a type of objects, with the `@default`s of their TSDoc. */
async function membersOf(name: string): Promise<readonly Member[]> {
  const text = await read(`packages/${FILES[name]}`);
  const begin = new RegExp(`^(?:export )?(?:interface|type) ${name}\\b`, 'm').exec(text)?.index ?? -1;
  expect(begin, `${name} in ${FILES[name]}`).toBeGreaterThanOrEqual(0);
  const body = text.slice(begin, text.indexOf('\n}', begin));
  const members = body.matchAll(
    /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?\n(?: +readonly (\w+)(\?)?:| {2}(\w+)(\?)?[:(])/g,
  );
  return [...members].map(([, comment = '', property, mark, method, methodMark]) => ({
    name: property ?? method ?? '',
    optional: (mark ?? methodMark) !== undefined,
    default: /@default ([\s\S]*)/.exec(comment.replace(/\n\s*\*/g, ' '))?.[1],
  }));
}

/** In one form, however it is written: numbers without separators, no quotes, the first sentence. */
function plain(text: string): string {
  return text
    .replace(/[.;]\s[\s\S]*$/, '')
    .replace(/(?<=\d)[,_](?=\d)/g, '')
    .replace(/[`']/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** What a default is compared by: a value, or the number that it begins with. Other words are the document's own. */
function comparable(text: string): string {
  const value = plain(text);
  return /^\d+/.exec(value)?.[0] ?? (/^\S+$/.test(value) ? value : 'in words');
}

function expectedDefault({ name, optional, default: given }: Member): string {
  if (TABLES.includes(name)) return 'below';
  if (given !== undefined) return comparable(given);
  return optional ? 'none' : 'required';
}

const document = await read('docs/receiving.md');
const tables = [...document.matchAll(/<!-- members: ([\w ]+) -->\n((?:\|.*\n)+)/g)].map(
  ([, names = '', rows = '']) => ({ names, rows: rows.trim().split('\n').slice(2) }),
);

it('has a table for each of these types', () => {
  expect(tables.flatMap(({ names }) => names.split(' ')).sort()).toEqual(Object.keys(FILES).sort());
});

it.each(tables)('tells every member of $names, and its default', async ({ names, rows }) => {
  const members: Member[] = [];
  for (const name of names.split(' ')) {
    const found = await membersOf(name);
    expect(found.length, name).toBeGreaterThan(1);
    members.push(...found.filter((member) => !BELOW[name]?.includes(member.name)));
  }
  const told = rows.flatMap((row) => {
    const [, option = '', value = ''] = row.split('|');
    return [...option.matchAll(/`(\w+)/g)].map(([, name = '']) => [name, comparable(value)]);
  });
  if (NAMES_ALONE.includes(names)) {
    expect(told.map(([name]) => name).sort()).toEqual(members.map(({ name }) => name).sort());
  } else {
    const expected = members.map((member) => [member.name, expectedDefault(member)]);
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
  }
});

it('tells in the text below what the levels set by themselves', () => {
  const [, text = ''] = /^`serveSession` takes these as well,([\s\S]*?)\n\n/m.exec(document) ?? [];
  for (const name of Object.values(BELOW).flat()) expect(text).toContain(`\`${name}\``);
});

it('tells the deadlines as the option `timeouts` documents them', async () => {
  const given = (await membersOf('ServerSessionOptions')).find(({ name }) => name === 'timeouts')?.default;
  const expected = [...plain(given ?? '').matchAll(/(\w+): (\d+)/g)].map(([, name, time]) => [name, time]);
  const { rows } = tables.find(({ names }) => names === 'ServerTimeouts') ?? { rows: [] };
  const told = rows.map((row) => {
    const [, option = '', value = ''] = row.split('|');
    return [plain(option), plain(value)];
  });
  expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
});

it('tells the same defaults once more where it says what a client may take', () => {
  const [, limits = ''] = /^\| limit \| default \|.*\n\|.*\n((?:\|.*\n)+)/m.exec(document) ?? [];
  const defaults = new Map(
    tables
      .flatMap(({ rows }) => rows)
      .map((row): [string, string] => [/`(\w+)/.exec(row)?.[1] ?? '', plain(row.split('|')[2] ?? '')]),
  );
  const repeated = [...limits.matchAll(/^\| `(\w+)`[^|]*\| ([\d,]+)/gm)];
  expect(repeated.length).toBeGreaterThan(4);
  for (const [, name = '', value = ''] of repeated) {
    expect(/^\d+/.exec(defaults.get(name) ?? '')?.[0], name).toBe(plain(value));
  }
});
