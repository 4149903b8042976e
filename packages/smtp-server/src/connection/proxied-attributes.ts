/** What a proxy says of its client by XCLIENT or XFORWARD, as smtp-server keeps it: by the names of the attributes. */
import type { ClientAttributes } from '@sansmtp/core';

const NAMES = {
  NAME: 'name',
  ADDR: 'address',
  PORT: 'port',
  PROTO: 'protocol',
  HELO: 'helo',
  LOGIN: 'login',
  IDENT: 'identifier',
  SOURCE: 'source',
} as const satisfies Record<string, keyof ClientAttributes>;

/**
 * Notes the attributes; `false` stands for one that the proxy does not know.
 * @param replaced what they take the place of, kept under `ADDR:DEFAULT` and the like
 */
export function noteAttributes(
  map: Map<string, string | number | false>,
  attributes: ClientAttributes,
  replaced: Readonly<Partial<Record<keyof typeof NAMES, string | number | false>>>,
): void {
  for (const name of Object.keys(NAMES) as (keyof typeof NAMES)[]) {
    const value = attributes[NAMES[name]];
    if (value === undefined) continue;
    const before = replaced[name];
    if (before !== undefined && !map.has(`${name}:DEFAULT`)) map.set(`${name}:DEFAULT`, before);
    map.set(name, typeof value === 'string' || typeof value === 'number' ? value : false);
  }
}
